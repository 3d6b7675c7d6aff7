#!/bin/sh
# scikit-learn: load_svmlight_file moves all features by one where none has the index 0: two halves of one file disagree.
# Packages: python3-sklearn 1.2.1+dfsg-1
# Guess: the format says that indices begin at 1, or the numbers are taken as they are; the same row is read the same way.
# Seen: zero_based="auto" looks for a 0 in the file. "1 1:5 2:6" alone has two columns, 5 and 6; behind a row with 0:4 it
#   has three, 0, 5 and 6. (load_svmlight_files, of all files at once, asks them together.)
# Here: images whose first pixel is 0 throughout (MNIST's is) lose a column in the file to test on and keep it in the one to
#   train on, or the other way round. Files name their base, or it is given.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-sklearn=1.2.1+dfsg-1

/usr/bin/python3 - >seen <<'CODE'
import io
from sklearn.datasets import load_svmlight_file
for text in (b"1 1:5 2:6\n", b"0 0:4\n1 1:5 2:6\n"):
    print(load_svmlight_file(io.BytesIO(text))[0].toarray()[-1].tolist())
CODE
expect "alone" "[5.0, 6.0]" "$(sed -n 1p seen)"
expect "behind a row with index 0" "[0.0, 5.0, 6.0]" "$(sed -n 2p seen)"
finish
