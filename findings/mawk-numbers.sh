#!/bin/sh
# mawk, Debian's awk: print gives 2.14748e+09 from 2^31 on, %d ends at 2147483647, and "0x10" in a file is 16.
# Packages: mawk 1.3.4.20200120-3.1, gawk 1:5.2.1-2
# Guess: awk counts in doubles, so whole numbers are exact and printed in full up to 2^53; text is read as decimal, "0x10" as
#   0.
# Seen: print of 2^31 is 2147483648 of gawk and 2.14748e+09 of mawk, whose printf "%d" gives 2147483647. "0x10" is 16 for
#   mawk, 0 for gawk. "nan" is NaN for mawk, 0 for gawk.
# Here: awk '{ s += $1 } END { print s }' over sizes of files loses digits past 2 GB on a Debian and not elsewhere; printf
#   "%.0f" is right in both.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
unpack mawk=1.3.4.20200120-3.1 gawk=1:5.2.1-2 libsigsegv2=2.14-1 libmpfr6=4.2.0-1
LD_LIBRARY_PATH=$root/usr/lib/$triplet
export LD_LIBRARY_PATH
# shellcheck disable=SC2016  # awk expands them
run() { echo 2147483648 0x10 nan | "$root/usr/bin/$1" '{ printf "%s %d %.0f %s %s\n", $1 + 0, $1, $1, $2 + 0, $3 + 0 }'; }

expect "mawk: %s, %d, %.0f of 2147483648, 0x10, nan" "2.14748e+09 2147483647 2147483648 16 nan" "$(run mawk)"
expect "gawk" "2147483648 2147483648 2147483648 0 0" "$(run gawk)"
# shellcheck disable=SC2016  # awk expands them
expect "sum of two, by mawk" 4.29497e+09 "$(echo 2147483648 | "$root/usr/bin/mawk" '{ s = $1 + $1; print s }')"
finish
