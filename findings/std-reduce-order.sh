#!/bin/sh
# std::reduce without an execution policy is not std::accumulate: it has another order, and other bits.
# Packages: g++-12, libstdc++-12-dev 12.2.0-14+deb12u1
# Guess: without a policy it runs in order, on one thread; only std::execution::par may change the sum.
# Seen: of random access iterators libstdc++ adds four at a time, (a + b) + (c + d), and then to the sum. The standard
#   allows any grouping and any order. std::transform_reduce and std::inner_product differ in the same way.
# Here: to replace one by the other, as linters propose, changes a loss and every weight behind it.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1

cat >a.cpp <<'CODE'
#include <cstdio>
#include <list>
#include <numeric>
#include <random>
#include <vector>
int main() {
  std::mt19937 random(1);
  std::vector<float> x(1000);
  for (float& value : x) value = static_cast<float>(random() >> 8) / 16777216;
  const std::list<float> list(x.begin(), x.end());
  std::printf("%d %d %d\n", std::accumulate(x.begin(), x.end(), 0.0f) == std::reduce(x.begin(), x.end(), 0.0f),
              std::accumulate(list.begin(), list.end(), 0.0f) == std::reduce(list.begin(), list.end(), 0.0f),
              std::inner_product(x.begin(), x.end(), x.begin(), 0.0f) == std::transform_reduce(x.begin(), x.end(), x.begin(), 0.0f));
}
CODE
g++-12 -std=c++20 -O2 a.cpp -o a
expect "the same sum by reduce of a vector, of a list, by transform_reduce (1: yes)" "0 1 0" "$(./a)"
finish
