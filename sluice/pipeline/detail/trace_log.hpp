// What a Trace keeps: the recordings of its graphs' runs.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/detail/recorder.hpp>
#include <sluice/pipeline/detail/ticket.hpp>
#include <sluice/pipeline/trace.hpp>

namespace sluice {

struct Trace::Impl {
  explicit Impl(std::size_t most) : steps(most) {}
  const detail::Number steps;
  const detail::Number begin = detail::ticks();
  std::mutex mutex;
  std::vector<std::unique_ptr<detail::Recorder>> runs;
};

}  // namespace sluice
