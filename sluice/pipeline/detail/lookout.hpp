// Sees to it that what a source has made does not wait for a body of it that blocks.
//
// A source hands its messages on in tickets of some ten microseconds' work; when a body of it blocks in the middle of
// one, the messages before it would lie there as long. So a thread looks at the sources every few milliseconds while
// they work, and hands on what lies there where one has been in a call for long. When none is at work otherwise it
// rests, until a source that begins a ticket wakes it. It is started by the first that does.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice::detail {

class Gate;

class Lookout {
 public:
  Lookout() = default;
  ~Lookout();
  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;

  void add(Gate& source) { sources_.push_back(&source); }
  // Looks only between these two.
  void begin();
  void end();

  bool resting() const noexcept { return resting_.load(std::memory_order_seq_cst); }
  void wake() noexcept;

 private:
  void work();

  std::vector<Gate*> sources_;
  std::mutex mutex_;  // held while it looks
  std::condition_variable changed_;
  bool on_ = false, woken_ = false, over_ = false;
  std::atomic<bool> resting_{true};
  std::thread thread_;
};

}  // namespace sluice::detail
