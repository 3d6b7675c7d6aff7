#!/bin/sh
# pandas: where rows have a comma at their end the first column becomes the index, and all others move by one.
# Packages: python3-pandas 1.5.3+dfsg-2
# Guess: a header a,b over rows 1,2, is an error, or a third column without a name, that is empty.
# Seen: a is 2 and b is NaN: the first cell of each row is the row's name (one cell more than the header has: the table is
#   taken for one with row names). No warning. With index_col=False a is 1 and b is 2.
# Here: label,pixel0,... exported with a comma at the end of each row trains on pixel0 as its label.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-pandas=1.5.3+dfsg-2

/usr/bin/python3 -W error - >seen <<'CODE'
import io
import pandas as pd
print(pd.read_csv(io.StringIO("a,b\n1,2,\n3,4,\n")).to_dict("list"), pd.read_csv(io.StringIO("a,b\n1,2,9\n3,4,8\n")).to_dict("list"))
CODE
expect "1,2, and 3,4, under a,b; with 9 and 8 at the end" "{'a': [2, 4], 'b': [nan, nan]} {'a': [2, 4], 'b': [9, 8]}" "$(cat seen)"
finish
