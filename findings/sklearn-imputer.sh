#!/bin/sh
# scikit-learn: SimpleImputer drops a column that has no value at all; every column behind it moves.
# Packages: python3-sklearn 1.2.1+dfsg-1
# Guess: as many columns come out as went in; what has no mean stays NaN, or becomes 0.
# Seen: of a 2 x 3 array with NaN throughout its first column 2 x 2 is left (a warning says so once), and the weights that
#   are fitted behind it no longer belong to the columns by number. In a Pipeline nothing else shows it.
# Here: coefficients from scikit-learn are matched to features by get_feature_names_out(), not by position.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-sklearn=1.2.1+dfsg-1

/usr/bin/python3 -W ignore - >seen <<'CODE'
import numpy as np
from sklearn.impute import SimpleImputer
print(SimpleImputer(strategy="mean").fit_transform(np.array([[np.nan, 1, 2], [np.nan, 3, np.nan]])).tolist())
CODE
expect "three columns, the first without a value" "[[1.0, 2.0], [3.0, 2.0]]" "$(cat seen)"
finish
