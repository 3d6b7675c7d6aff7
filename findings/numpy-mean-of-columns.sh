#!/bin/sh
# NumPy: the mean of a million float32 of some 10,000 is 10131 by columns, and right by rows; that of ones is 0.5.
# Packages: python3-numpy 1:1.24.2-1+deb12u1
# Guess: np.mean and np.sum add in pairs, so that float32 is good for millions of values, whatever the axis.
# Seen: pairs are added only along the axis whose values lie next to each other. x.mean(axis=0) of rows adds one row after
#   the other into a float32: values in [10000, 10001) have the mean 10131 and the deviation 131 in place of 0.29; at 2^24 a
#   sum of ones stops. The transposed copy, or dtype=float64, is right.
# Here: that is the axis of features. Means to standardize by are computed in float64, and what a script of
#   NumPy says a mean is proves nothing.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-numpy=1:1.24.2-1+deb12u1

/usr/bin/python3 - >seen <<'CODE'
import numpy as np
x = (np.random.default_rng(1).random((10**6, 2)) + 10000).astype(np.float32)
print(round(float(x.mean(axis=0)[0])), round(float(x.std(axis=0)[0])))
print(round(float(np.ascontiguousarray(x.T).mean(axis=1)[0])), round(float(x.mean(axis=0, dtype=np.float64)[0])))
print(np.ones((2**25, 2), np.float32).mean(axis=0).tolist())
CODE
expect "mean and deviation, axis=0" "10131 131" "$(sed -n 1p seen)"
expect "mean of the same in columns; with dtype=float64" "10000 10000" "$(sed -n 2p seen)"
expect "mean of ones, 2^25 rows" "[0.5, 0.5]" "$(sed -n 3p seen)"
finish
