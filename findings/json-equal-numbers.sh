#!/bin/sh
# nlohmann/json: 18446744073709551615 equals -1, and -0 is written back as 0.
# Packages: nlohmann-json3-dev 3.11.2-2, g++-12 12.2.0-14+deb12u1
# Guess: numbers are equal if their values are; a document that is read and written has the same values.
# Seen: what is read as unsigned is compared to what is signed by a cast: 2^64 - 1 == -1. Whole numbers and
#   fractions compare as doubles: 9007199254740993 == 9007199254740992.0. -0 is read as a signed integer: its sign is gone,
#   of -0.0 it is not.
# Here: a test that compares results of two runs as json values calls a seed of 2^64 - 1 and one of -1 the same; a
#   comparison of text, or of the types first, does not. (Weights of -0 keep their sign only if written as -0.0.)
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1
unpack nlohmann-json3-dev=3.11.2-2

cat >a.cpp <<'CODE'
#include <cstdio>
#include <nlohmann/json.hpp>
using nlohmann::json;
int main() {
  std::printf("%d %d %s %s\n", json::parse("18446744073709551615") == json::parse("-1"),
              json::parse("9007199254740993") == json::parse("9007199254740992.0"), json::parse("-0").dump().c_str(),
              json::parse("-0.0").dump().c_str());
}
CODE
g++-12 -std=c++20 -O1 -w -I"$root/usr/include" a.cpp -o a
expect "2^64 - 1 == -1, 2^53 + 1 == 2^53 as a double, -0, -0.0" "1 1 0 -0.0" "$(./a)"
finish
