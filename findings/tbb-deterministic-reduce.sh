#!/bin/sh
# oneTBB's parallel_deterministic_reduce with static_partitioner has other bits for each number of threads.
# Packages: libtbb-dev, libtbb12 2021.8.0-2+deb12u1, g++-12 12.2.0-14+deb12u1
# Guess: deterministic means: the same split and join order whatever the threads; static_partitioner gives each thread its
#   share and so is the faster way to the same result.
# Seen: with simple_partitioner (the default) one result for 1, 2, 3, 4 and 8 threads; with static_partitioner the
#   range is cut by the number of threads, and there are as many results. Deterministic is each of them only for itself.
# Here: sums that must have the same bits on 2 and on 64 cores take the simple partitioner, and a grain that is said.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1
unpack libtbb-dev=2021.8.0-2+deb12u1 libtbb12=2021.8.0-2+deb12u1

cat >a.cpp <<'CODE'
#include <cstdio>
#include <functional>
#include <random>
#include <set>
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_reduce.h>
#include <tbb/task_arena.h>
#include <vector>
int main() {
  std::mt19937 random(1);
  std::vector<float> x(1000003);
  for (float& value : x) value = static_cast<float>(random() >> 8) / 16777216;
  tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 8);
  std::set<float> simple, fixed;
  for (int n : {1, 2, 3, 4, 8}) {
    const auto sum = [&](auto partitioner) {
      tbb::task_arena arena(n);
      return arena.execute([&] {
        return tbb::parallel_deterministic_reduce(
            tbb::blocked_range<std::size_t>(0, x.size(), 1000), 0.0f,
            [&](const auto& r, float s) { for (auto i = r.begin(); i < r.end(); ++i) s += x[i]; return s; }, std::plus<float>(), partitioner);
      });
    };
    simple.insert(sum(tbb::simple_partitioner()));
    fixed.insert(sum(tbb::static_partitioner()));
  }
  std::printf("%zu %zu\n", simple.size(), fixed.size());
}
CODE
g++-12 -std=c++20 -O1 -w -I"$root/usr/include" a.cpp -L"$root/usr/lib/$triplet" -ltbb -o a
# shellcheck disable=SC2046  # two numbers
set -- $(LD_LIBRARY_PATH=$root/usr/lib/$triplet ./a)
expect "results of five numbers of threads, simple_partitioner" 1 "$1"
check "static_partitioner" "$2" "$2" -gt 1
finish
