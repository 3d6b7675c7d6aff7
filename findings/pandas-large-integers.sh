#!/bin/sh
# pandas: one integer beyond 64 bits makes all of its column text, also beside one that is negative.
# Packages: python3-pandas 1.5.3+dfsg-2
# Guess: such a column becomes float64, as a column with one fraction does.
# Seen: 1 and 18446744073709551616 are '1' and '18446744073709551616', of type object, without a warning; -1 and
#   18446744073709551615 too, since no one type of 64 bits holds both. With 1e20 in place of the number it is float64.
# Here: a checksum or an identifier among the features turns a column of numbers into words; whoever asks a table for its
#   columns of numbers loses it.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-pandas=1.5.3+dfsg-2

/usr/bin/python3 - >seen <<'CODE'
import io
import pandas as pd
for cells in (("1", "18446744073709551616"), ("-1", "18446744073709551615"), ("1", "1e20")):
    print(pd.read_csv(io.StringIO("a\n" + "\n".join(cells) + "\n")).a.tolist())
CODE
expect "1, 2^64" "['1', '18446744073709551616']" "$(sed -n 1p seen)"
expect "-1, 2^64 - 1" "['-1', '18446744073709551615']" "$(sed -n 2p seen)"
expect "1, 1e20" "[1.0, 1e+20]" "$(sed -n 3p seen)"
finish
