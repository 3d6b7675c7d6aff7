// A source that is filled from outside its graph: what those who fill it and its gate tell one another. The messages
// lie in a queue until the gate takes them; they count as messages of its segment from the moment they are accepted.
//
// Thread-safety: everything, from any thread. Not a template, and knows nothing of oneTBB.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>

#include <ctime>

#include <sluice/pipeline/detail/ends.hpp>
#include <sluice/pipeline/put.hpp>

namespace sluice::detail {

class Feed {
 public:
  using Clock = std::chrono::steady_clock;
  using Until = std::optional<Clock::time_point>;  // none: for ever
  static constexpr Clock::time_point at_once = Clock::time_point::min();

  // The gate that a run reads the queue by.
  class Reader : public Sleeper {
   public:
    virtual std::uint64_t given_back() const = 0;   // messages of this run that have left the graph
    virtual void wish_for_room() = 0;               // to be rung when there is some
    virtual bool works_on_this_thread() const = 0;  // a body of the same graph does
   protected:
    ~Reader() = default;
  };

  virtual ~Feed() = default;
  Feed() = default;
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // The wiring or a setting has changed: its capacity, and what was counted.
  void forget(std::size_t capacity);

  // Relaxed: a number by itself, which changes between runs.
  std::size_t capacity() const { return capacity_.load(std::memory_order_relaxed); }
  void close();
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  void open();  // again, and empty behind a run; while one is on, nothing
  // Behind a run, until it is opened.
  bool closed_by_a_run() const;

  // The gate's.
  void begin(Reader& reader);
  void over();  // the run: closed, and what was not taken is gone
  std::uint64_t accepted() const { return accepted_.load(std::memory_order_acquire); }
  void offer_room();                                // to whoever waits for some
  std::uint64_t oldest() const { return oldest_; }  // ticks at which the first message was accepted that was last taken

  // A source with a thread of its own, which asks its body.
  virtual bool has_thread() const { return false; }
  // On that thread, until the source ends or the run does. `at`: the message being made.
  virtual void fill(std::uint64_t& /*at*/, const std::stop_token& /*token*/) {}
  void begin_filling();
  void end_filling();
  double busy() const;  // seconds of processor time that such threads have taken

 protected:
  // Under the lock. Whether one more message may be put into the queue, which then must be.
  enum class By { anybody, its_thread };
  Put await_room(std::unique_lock<std::mutex>& lock, Until until, By by = By::anybody);
  void accept();  // under the lock, when it is in the queue
  // What is in the queue: set aside, under the lock; and destroyed, without it, as it may have something to say here.
  virtual void set_aside() = 0;
  virtual void drop() = 0;
  mutable std::mutex mutex_;
  std::uint64_t oldest_ = 0;

 private:
  std::atomic<std::size_t> capacity_{0};
  Reader* reader_ = nullptr;
  std::condition_variable room_;
  std::size_t waiting_ = 0;
  std::atomic<bool> closed_{false};
  std::atomic<std::uint64_t> accepted_{0};  // of this run
  bool over_ = false;

  std::optional<clockid_t> filling_;
  double filled_ = 0;
};

}  // namespace sluice::detail
