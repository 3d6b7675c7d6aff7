// The threads that graphs run on, and how many there should be.
//
// Threads(n): n threads, the one that calls run() among them. Graphs that share one run on the same workers (they keep
// warm between graphs). n may be larger than the number of CPUs. Copies share.
// Thread-safety: any number of graphs may run on one Threads at the same time, each run() from a thread of its own.
//
//   sluice::Threads threads(4);
//   sluice::Graph g("train", threads);
#pragma once

#include <cstddef>
#include <memory>

namespace sluice {

// CPUs that this process may really use: the affinity mask, and the container's CPU quota (cgroup v1 and v2), rounded
// up; at least 1. oneTBB knows the quota only from 2023 on (Debian 12 and 13: only the mask).
std::size_t default_threads();

class Threads {
 public:
  explicit Threads(std::size_t count = default_threads());  // throws std::invalid_argument if count is 0
  std::size_t count() const;

  struct Arena;  // oneTBB's
  Arena& arena() const { return *arena_; }

 private:
  std::shared_ptr<Arena> arena_;
};

}  // namespace sluice
