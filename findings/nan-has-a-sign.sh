#!/bin/sh
# 0.0 / 0.0 is printed as -nan, by printf, std::to_chars, fmt and streams; NAN is printed as nan.
# Packages: libstdc++-12-dev 12.2.0-14+deb12u1, libfmt-dev 9.1.0+ds1-2, libc6 2.36-9+deb12u14
# Guess: NaN has one name; a minus would be for a number that is less than 0.
# Seen: on x86-64 what 0 / 0, inf - inf, sqrt(-1) and log(-1) give has its sign set, and all four print it.
# Here: a log has loss=-nan here and loss=nan there, and a reader that knows one of them takes the other for text. Numbers are
#   written through isnan first.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1
unpack libfmt-dev=9.1.0+ds1-2

cat >a.cpp <<'CODE'
#define FMT_HEADER_ONLY
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <iostream>
int main() {
  volatile double zero = 0, minus_one = -1;
  const double values[] = {zero / zero, std::sqrt(minus_one), std::log(minus_one), static_cast<double>(NAN)};
  for (const double value : values) {
    char by_printf[64], by_to_chars[64];
    std::snprintf(by_printf, sizeof by_printf, "%f", value);
    *std::to_chars(by_to_chars, by_to_chars + sizeof by_to_chars, value).ptr = 0;
    std::cout << by_printf << ' ' << by_to_chars << ' ' << fmt::format("{}", value) << ' ' << value << '\n';
  }
}
CODE
g++-12 -std=c++20 -O1 -w -I"$root/usr/include" a.cpp -o a
./a >seen
expect "0 / 0" "-nan -nan -nan -nan" "$(sed -n 1p seen)"
expect "sqrt(-1)" "-nan -nan -nan -nan" "$(sed -n 2p seen)"
expect "log(-1)" "-nan -nan -nan -nan" "$(sed -n 3p seen)"
expect "NAN" "nan nan nan nan" "$(sed -n 4p seen)"
finish
