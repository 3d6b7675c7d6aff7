#!/bin/sh
# NumPy: np.load("a.npz", mmap_mode="r") maps nothing and does not say so; each z["x"] reads the array anew.
# Packages: python3-numpy 1:1.24.2-1+deb12u1
# Guess: members that are stored uncompressed are mapped, or mmap_mode is refused for .npz; an array that was read is kept.
# Seen: z["x"] is an ordinary array in memory, and another one each time. An .npy is mapped.
# Here: a loop over z["x"][i] reads the whole member for each i. Sets larger than memory belong into .npy files.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-numpy=1:1.24.2-1+deb12u1

/usr/bin/python3 - >seen <<'CODE'
import numpy as np
x = np.arange(1000.0)
np.savez("a.npz", x=x)
np.save("a.npy", x)
z = np.load("a.npz", mmap_mode="r")
print(type(z["x"]).__name__, z["x"] is z["x"], type(np.load("a.npy", mmap_mode="r")).__name__)
CODE
expect "type of a member, twice the same?, type of an .npy" "ndarray False memmap" "$(cat seen)"
finish
