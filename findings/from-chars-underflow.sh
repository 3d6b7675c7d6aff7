#!/bin/sh
# std::from_chars says out_of_range of 1e-50 as a float, as of 1e50, and leaves the value as it was.
# Packages: libstdc++-12-dev 12.2.0-14+deb12u1
# Guess: what is too small becomes 0, as strtof, Python and NumPy have it; out_of_range means too large.
# Seen: the same error for 1e-50 and 1e50, the value not written, nothing that tells one from the other; the number's end
#   is told. 1e-40 is a denormal and read without an error. 0.000...0 with 60 zeros is 0, and no error.
# Here: a CSV file of probabilities has such cells. To refuse them is wrong, and so is to keep what the variable held
#   before: which of the two it was has to be asked of the digits, or of strtod.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1

cat >a.cpp <<'CODE'
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
int main() {
  for (const char* text : {"1e-50", "1e50", "1e-40", "0.000000000000000000000000000000000000000000000000000000000000"}) {
    float value = 7;
    const auto result = std::from_chars(text, text + std::strlen(text), value);
    std::printf("%s %s from_chars %g strtof %g\n", text, result.ec == std::errc::result_out_of_range ? "out_of_range" : "ok", value, std::strtof(text, nullptr));
  }
}
CODE
g++-12 -std=c++20 -O1 a.cpp -o a
./a >seen
expect "too small" "1e-50 out_of_range from_chars 7 strtof 0" "$(sed -n 1p seen)"
expect "too large" "1e50 out_of_range from_chars 7 strtof inf" "$(sed -n 2p seen)"
expect "denormal" "1e-40 ok from_chars 9.99995e-41 strtof 9.99995e-41" "$(sed -n 3p seen)"
expect "zero" "ok from_chars 0 strtof 0" "$(sed -n 4p seen | cut -d' ' -f2-)"
finish
