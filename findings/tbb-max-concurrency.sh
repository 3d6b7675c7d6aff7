#!/bin/sh
# oneTBB: max_concurrency() does not know of global_control.
# Packages: libtbb-dev, libtbb12 2021.8.0-2+deb12u1, g++-12 12.2.0-14+deb12u1
# Guess: with global_control(max_allowed_parallelism, 1) alive before anything else of oneTBB,
#   this_task_arena::max_concurrency() is 1: so many threads can work.
# Seen: it is as many as there are processors, and so is that of a new task_arena; task_arena(64) says 64, and so does
#   this_task_arena within it. Only global_control::active_value() knows the limit.
# Here: who cuts a batch into max_concurrency() shards, or divides by it to say how busy the threads were, is wrong by
#   that factor under --threads. The number of threads has to be passed along.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
[ "$(env -u OMP_NUM_THREADS nproc)" -gt 1 ] || cannot "one processor is one thread anyway"
need g++-12=12.2.0-14+deb12u1
unpack libtbb-dev=2021.8.0-2+deb12u1 libtbb12=2021.8.0-2+deb12u1

cat >a.cpp <<'CODE'
#include <cstdio>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
int main() {
  tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 1);
  tbb::task_arena fresh, large(64);
  fresh.initialize();
  std::printf("%d %d %d %zu\n", tbb::this_task_arena::max_concurrency() > 1, fresh.max_concurrency() > 1,
              large.execute([] { return tbb::this_task_arena::max_concurrency(); }),
              tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism));
}
CODE
g++-12 -std=c++20 -O1 -w -I"$root/usr/include" a.cpp -L"$root/usr/lib/$triplet" -ltbb -o a
expect "more than 1 here, in a new arena; in task_arena(64); active_value()" "1 1 64 1" "$(LD_LIBRARY_PATH=$root/usr/lib/$triplet ./a 2>/dev/null)"
finish
