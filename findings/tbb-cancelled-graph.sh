#!/bin/sh
# oneTBB: is_cancelled() is true between two waits only; a cancelled graph takes every message, and a serial node runs none.
# Packages: libtbb-dev, libtbb12 2021.8.0-2+deb12u1, g++-12 12.2.0-14+deb12u1
# Guess: is_cancelled() is true until reset(); try_put() then returns false; after an exception the same.
# Seen: is_cancelled() is false behind cancel(), true behind the next wait_for_all, false again behind the one after it. A
#   serial node with a queue answers true to every put and runs nothing until reset(): the body that was cancelled still
#   counts as running. An unlimited node works on. After an exception it is the same.
# Here: "true" means stored, not that it will run. A graph that had an error or a cancel needs reset() before it is used
#   again, and neither try_put nor is_cancelled() tells.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1
unpack libtbb-dev=2021.8.0-2+deb12u1 libtbb12=2021.8.0-2+deb12u1

cat >a.cpp <<'CODE'
#include <cstdio>
#include <stdexcept>
#include <tbb/flow_graph.h>
using namespace tbb::flow;
int main() {
  {
    graph g;
    int ran = 0;
    function_node<int> node(g, serial, [&](int) { ++ran; });
    g.cancel();
    const bool at_once = g.is_cancelled();
    node.try_put(1);
    g.wait_for_all();
    const bool behind = g.is_cancelled(), taken = node.try_put(2);
    g.wait_for_all();
    std::printf("%d %d %d taken %d ran %d ", at_once, behind, g.is_cancelled(), taken, ran);
    g.reset();
    node.try_put(3);
    g.wait_for_all();
    std::printf("after reset %d\n", ran);
  }
  for (std::size_t limit : {std::size_t(serial), std::size_t(unlimited)}) {
    graph g;
    int ran = 0;
    function_node<int> node(g, limit, [&](int n) { ++ran; if (n == 0) throw std::runtime_error("stop"); });
    node.try_put(0);
    try {
      g.wait_for_all();
    } catch (const std::runtime_error&) {
    }
    const bool taken = node.try_put(1);
    g.wait_for_all();
    std::printf("taken %d ran %d\n", taken, ran);
  }
}
CODE
g++-12 -std=c++20 -O1 -w -I"$root/usr/include" a.cpp -L"$root/usr/lib/$triplet" -ltbb -o a
LD_LIBRARY_PATH=$root/usr/lib/$triplet ./a >seen
expect "is_cancelled() behind cancel(), a wait, another wait" "0 1 0 taken 1 ran 0 after reset 1" "$(sed -n 1p seen)"
expect "serial, after an exception" "taken 1 ran 1" "$(sed -n 2p seen)"
expect "unlimited, after an exception" "taken 1 ran 2" "$(sed -n 3p seen)"
finish
