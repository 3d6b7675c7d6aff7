#!/bin/sh
# oneTBB: two threads that call execute() of one task_arena(1) are inside at the same time.
# Packages: libtbb-dev, libtbb12 2021.8.0-2+deb12u1, g++-12 12.2.0-14+deb12u1
# Guess: an arena of one is a lock: max_concurrency is 1, the second caller waits or hands its function over.
# Seen: both are inside at once, and this_task_arena::max_concurrency() is 1 in both.
# Here: what is not safe for two threads is not made safe by an arena of one; it needs a mutex, or one caller.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1
unpack libtbb-dev=2021.8.0-2+deb12u1 libtbb12=2021.8.0-2+deb12u1

cat >a.cpp <<'CODE'
#include <atomic>
#include <chrono>
#include <cstdio>
#include <tbb/task_arena.h>
#include <thread>
int main() {
  tbb::task_arena arena(1);
  std::atomic<int> inside{0}, most{0}, concurrency{0};
  const auto work = [&] {
    arena.execute([&] {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
      ++inside;
      concurrency = tbb::this_task_arena::max_concurrency();
      while (inside < 2 && most < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
      if (inside > most) most = inside.load();
      --inside;
    });
  };
  std::thread a(work), b(work);
  a.join();
  b.join();
  std::printf("%d %d\n", most.load(), concurrency.load());
}
CODE
g++-12 -std=c++20 -O1 -w -I"$root/usr/include" a.cpp -L"$root/usr/lib/$triplet" -ltbb -o a
expect "most threads inside, max_concurrency()" "2 1" "$(LD_LIBRARY_PATH=$root/usr/lib/$triplet ./a)"
finish
