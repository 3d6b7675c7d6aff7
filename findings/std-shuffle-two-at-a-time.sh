#!/bin/sh
# std::shuffle of libstdc++ draws once for two elements, up to 65,535 of them, and once for each beyond.
# Packages: libstdc++-12-dev 12.2.0-14+deb12u1
# Guess: it is the loop of the textbook: for i, swap(i, uniform_int_distribution(0, i)); so that loop, written out,
#   gives the same permutation, and draws n - 1 numbers.
# Seen: with mt19937 10 elements take 5 draws and another permutation than the loop; 65,535 take some 32,767; from 65,536
#   on (n * n does not fit into the generator's range) it is the loop, draw by draw. With mt19937_64 the limit is 2^32.
# Here: an order of rows that has to be the same elsewhere, or after a restart in the middle, needs a shuffle of its own.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1

cat >a.cpp <<'CODE'
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <random>
#include <utility>
#include <vector>
struct Counted {
  using result_type = std::mt19937::result_type;
  static constexpr result_type min() { return std::mt19937::min(); }
  static constexpr result_type max() { return std::mt19937::max(); }
  result_type operator()() { return ++draws, random(); }
  std::mt19937 random{3};
  long draws = 0;
};
int main() {
  for (int n : {10, 65535, 65536}) {
    std::vector<int> a(n);
    std::iota(a.begin(), a.end(), 0);
    auto b = a;
    Counted by_library, by_loop;
    std::shuffle(a.begin(), a.end(), by_library);
    for (int i = 1; i < n; ++i) std::swap(b[i], b[std::uniform_int_distribution<int>(0, i)(by_loop)]);
    std::printf("%d elements %s %s\n", n, a == b ? "same" : "other", by_library.draws * 3 < 2 * by_loop.draws ? "half-the-draws" : "as-many-draws");
  }
}
CODE
g++-12 -std=c++20 -O2 a.cpp -o a
./a >seen
expect "as the loop?" "10 elements other half-the-draws" "$(sed -n 1p seen)"
expect "as the loop?" "65535 elements other half-the-draws" "$(sed -n 2p seen)"
expect "as the loop?" "65536 elements same as-many-draws" "$(sed -n 3p seen)"
finish
