#!/bin/sh
# oneTBB: on one thread an unlimited function_node works on the newest message first, and task_group on the newest task.
# Packages: libtbb-dev, libtbb12 2021.8.0-2+deb12u1, g++-12 12.2.0-14+deb12u1
# Guess: one thread and one producer: messages come out in the order in which they were put; only more threads mix them.
# Seen: ten messages put by a body into an unlimited node run 9, 8, ... 0; with a limit of two 1, 2, ... 9, and 0 last; only
#   a serial node runs 0 to 9. task_group::run of five tasks: 4, 3, 2, 1, 0. A thread takes from the end of its own queue
#   to which it adds.
# Here: whatever waits for the oldest message (a gate that restores order, a service with a deadline) waits longest: all that
#   came later is done before. A bound on what is in flight is what keeps that wait short.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1
unpack libtbb-dev=2021.8.0-2+deb12u1 libtbb12=2021.8.0-2+deb12u1

cat >a.cpp <<'CODE'
#include <cstdio>
#include <string>
#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/task_group.h>
using namespace tbb::flow;
int main() {
  tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 1);
  for (std::size_t limit : {std::size_t(unlimited), std::size_t(2), std::size_t(serial)}) {
    graph g;
    std::string order;
    function_node<int> work(g, limit, [&](int n) { order += std::to_string(n); });
    function_node<int> producer(g, serial, [&](int) { for (int n = 0; n < 10; ++n) work.try_put(n); });
    producer.try_put(0);
    g.wait_for_all();
    std::puts(order.c_str());
  }
  std::string order;
  tbb::task_group tasks;
  for (int n = 0; n < 5; ++n) tasks.run([&, n] { order += std::to_string(n); });
  tasks.wait();
  std::puts(order.c_str());
}
CODE
g++-12 -std=c++20 -O1 -w -I"$root/usr/include" a.cpp -L"$root/usr/lib/$triplet" -ltbb -o a
LD_LIBRARY_PATH=$root/usr/lib/$triplet ./a >seen
expect "unlimited" 9876543210 "$(sed -n 1p seen)"
expect "two at once" 1234567890 "$(sed -n 2p seen)"
expect "serial" 0123456789 "$(sed -n 3p seen)"
expect "task_group" 43210 "$(sed -n 4p seen)"
finish
