// The oneTBB side of Threads.
#pragma once

#include <oneapi/tbb/task_arena.h>

#include <cstddef>

#include <sluice/pipeline/threads.hpp>

namespace sluice {

struct Threads::Arena {
  explicit Arena(std::size_t threads);
  // While it lives oneTBB may make that many threads, whatever the number of CPUs.
  struct Allowance {
    explicit Allowance(std::size_t wanted);
    ~Allowance();
    Allowance(const Allowance&) = delete;
    Allowance& operator=(const Allowance&) = delete;
    const std::size_t threads;
  };
  std::size_t count;
  Allowance allowance;
  tbb::task_arena arena;
};

}  // namespace sluice
