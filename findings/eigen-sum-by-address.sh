#!/bin/sh
# Eigen's sum of the same floats has other bits at another address.
# Packages: libeigen3-dev 3.4.0-4, g++-12 12.2.0-14+deb12u1
# Guess: a sum depends on the values and their order, not on where they lie; Map is for memory without alignment.
# Seen: Map<VectorXf>(p, 1000).sum() at p, p + 1, ... p + 7: three results. Eigen looks at the address when it runs, adds
#   one by one up to the first multiple of 16 bytes, and from there in vectors: other partial sums.
#   dot() and the sum of an unevaluated expression (squaredNorm()) have one result everywhere.
# Here: losses and gradients that are summed by Map over a part of a larger array depend on where the part begins:
#   one shard more, and the bits are others, though the values are the same.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1
unpack libeigen3-dev=3.4.0-4

cat >a.cpp <<'CODE'
#include <Eigen/Dense>
#include <cstdio>
#include <random>
#include <set>
int main() {
  std::mt19937 random(1);
  alignas(64) static float memory[1100];
  Eigen::VectorXf values(1000);
  for (float& value : values) value = static_cast<float>(random() >> 8) / 16777216;
  std::set<float> sums, norms;
  for (int offset = 0; offset < 8; ++offset) {
    Eigen::Map<Eigen::VectorXf> there(memory + offset, 1000);
    there = values;
    sums.insert(there.sum());
    norms.insert(there.squaredNorm());
  }
  std::printf("%zu %zu", sums.size(), norms.size());
  for (float sum : sums) std::printf(" %.9g", sum);
}
CODE
g++-12 -std=c++20 -O2 -w -I"$root/usr/include/eigen3" a.cpp -o a
# shellcheck disable=SC2046  # words
set -- $(./a)
check "sums at eight addresses" "$*" "$1" -gt 1
expect "squared norms at eight addresses" 1 "$2"
finish
