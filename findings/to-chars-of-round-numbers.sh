#!/bin/sh
# std::to_chars writes 100000.0 as 1e+05, and fmt writes it as 100000; 0.0001 is 1e-04 and 0.0001.
# Packages: libstdc++-12-dev 12.2.0-14+deb12u1, libfmt-dev 9.1.0+ds1-2
# Guess: the shortest text that reads back: 100000, as printf("%g") has it; exponents begin at 1e16 or so.
# Seen: the fewest characters win, and 1e+05 has five. 123456.0 is 123456, 1000000.0 is 1e+06, 0.001 is 0.001. fmt's
#   shortest form goes by the exponent: plain from 0.0001 up to 1e15.
# Here: a column of round numbers written by to_chars is a mix of 99999 and 1e+05; readers that take whole numbers only
#   (integer columns, labels, awk's string comparisons) take half of it. Two writers of one program do not agree.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1
unpack libfmt-dev=9.1.0+ds1-2

cat >a.cpp <<'CODE'
#define FMT_HEADER_ONLY
#include <charconv>
#include <cstdio>
#include <fmt/format.h>
int main() {
  for (double value : {99999.0, 100000.0, 123456.0, 1e6, 0.001, 0.0001}) {
    char text[64];
    *std::to_chars(text, text + sizeof text, value).ptr = 0;
    std::printf("%s|%s ", text, fmt::format("{}", value).c_str());
  }
}
CODE
g++-12 -std=c++20 -O1 -I"$root/usr/include" a.cpp -o a
expect "to_chars|fmt" "99999|99999 1e+05|100000 123456|123456 1e+06|1000000 0.001|0.001 1e-04|0.0001 " "$(./a)"
finish
