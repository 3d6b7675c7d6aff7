#!/bin/sh
# np.loadtxt, np.genfromtxt and pandas read 300 as uint8 as 44, -1 as 255, and a missing integer is -1 for genfromtxt.
# Packages: python3-numpy 1:1.24.2-1+deb12u1, python3-pandas 1.5.3+dfsg-2
# Guess: a cell that does not fit into the type that was asked for is an error, as it is for a cell that is no number.
# Seen: no error: 44 in all three (they parse a wide integer and cast); NumPy 1.24 calls it deprecated in a warning, pandas
#   does not. Of an empty cell genfromtxt makes -1 where an integer was asked for, NaN otherwise; 1_000 is 1000 for
#   genfromtxt, no number for the others.
# Here: labels and pixels out of a CSV file that went through one of these are in range whatever the file said; range has to
#   be checked in the text. Label -1 may be a missing one.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-numpy=1:1.24.2-1+deb12u1 python3-pandas=1.5.3+dfsg-2

/usr/bin/python3 -W ignore - >seen <<'CODE'
import io
import numpy as np, pandas as pd
text = lambda: io.StringIO("300,-1\n")
print(np.loadtxt(text(), delimiter=",", dtype=np.uint8).tolist(), np.genfromtxt(text(), delimiter=",", dtype=np.uint8).tolist(),
      pd.read_csv(io.StringIO("a\n300\n"), dtype={"a": np.uint8}).a.tolist())
print(np.genfromtxt(io.StringIO("1,,3\n"), delimiter=",", dtype=int).tolist(), np.genfromtxt(io.StringIO("1_000,2\n"), delimiter=",").tolist())
try:
    print(np.loadtxt(io.StringIO("1_000,2\n"), delimiter=","))
except ValueError:
    print("refused")
CODE
expect "300,-1 by loadtxt, genfromtxt; 300 by pandas" "[44, 255] [44, 255] [44]" "$(sed -n 1p seen)"
expect "1,,3 and 1_000,2 by genfromtxt" "[1, -1, 3] [1000.0, 2.0]" "$(sed -n 2p seen)"
expect "1_000 by loadtxt" refused "$(sed -n 3p seen)"
finish
