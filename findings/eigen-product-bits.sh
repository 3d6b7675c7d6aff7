#!/bin/sh
# Eigen's matrix product has other bits where the processor's caches have other sizes, and for other numbers of rows.
# Packages: libeigen3-dev 3.4.0-4, g++-12 12.2.0-14+deb12u1
# Guess: one binary, one instruction set, one thread: the same product has the same bits on every machine, and a row's
#   result does not depend on how many rows there are beside it.
# Seen: X (256 x 784) W (784 x 10) in float32, with the size of the first cache set to what another processor would
#   report: most of the 2,560 elements differ. The sums are cut where a block fits into the cache, and Eigen asks the
#   processor for that size when it runs. The first row alone is a product with a vector, by another routine.
# Here: same bits on every machine cannot be promised over Eigen's product; and a prediction for one image is not bit for
#   bit the prediction for that image within a batch.
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
int main() {
  using Matrix = Eigen::Matrix<float, -1, -1, Eigen::RowMajor>;
  std::mt19937 random(1);
  const auto next = [&](float) { return static_cast<float>(random() >> 8) / 16777216 - 0.5f; };
  const Matrix x = Matrix(256, 784).unaryExpr(next), w = Matrix(784, 10).unaryExpr(next);
  const auto product = [&](long first_cache) {
    Eigen::setCpuCacheSizes(first_cache * 1024, 512 * 1024, 4096 * 1024);
    return Matrix(x * w);
  };
  const Matrix small = product(16), usual = product(32), larger = product(48);
  const Matrix row = x.row(0) * w;
  std::printf("%ld %ld %ld\n", static_cast<long>((small.array() != usual.array()).count()),
              static_cast<long>((usual.array() != larger.array()).count()),
              static_cast<long>((larger.row(0).array() != row.array()).count()));
}
CODE
g++-12 -std=c++20 -O2 -w -I"$root/usr/include/eigen3" a.cpp -o a
# shellcheck disable=SC2046  # three numbers
set -- $(./a)
check "elements of 2560 that differ between a first cache of 16 and of 32 KiB" "$1" "$1" -gt 500
check "between 32 and 48 KiB" "$2" "$2" -gt 500
check "of 10 in the first row, alone and in the batch" "$3" "$3" -gt 0
finish
