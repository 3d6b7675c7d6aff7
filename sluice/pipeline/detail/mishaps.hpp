// What becomes of an exception of a body: it ends the run, unless the stage was told to skip the message.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>

#include <sluice/pipeline/errors.hpp>

namespace sluice::detail {

class Mishaps {
 public:
  // Wiring: exceptions cost their message, and `handler`, where there is one, hears of each.
  void skip(std::string stage, std::function<void(const StageError&)> handler);
  bool skips() const { return skips_; }

  // Within a catch: calls the handler, one at a time, with the exception; or throws it again.
  void take(std::uint64_t message);
  // Messages that are not there were passed over. (Relaxed, as all here: numbers to be shown; the end of a run, which
  // waits for all of its tasks, makes them whole.)
  void pass_over(std::uint64_t messages) {
    holes_.fetch_add(messages, std::memory_order_relaxed);
    absent_here += messages;
  }

  // Messages that this thread has met that are not there, of whatever stage: what a body has not made of a ticket is
  // the difference over its call.
  static inline thread_local std::uint64_t absent_here = 0;

  std::uint64_t errors() const { return errors_.load(std::memory_order_relaxed); }
  std::uint64_t holes() const { return holes_.load(std::memory_order_relaxed); }
  void forget();

 private:
  bool skips_ = false;
  std::string stage_;
  std::function<void(const StageError&)> handler_;
  std::mutex mutex_;
  std::atomic<std::uint64_t> errors_{0}, holes_{0};
};

}  // namespace sluice::detail
