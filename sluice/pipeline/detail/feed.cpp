#include <sluice/pipeline/detail/feed.hpp>

#include <pthread.h>

namespace sluice::detail {
namespace {

double seconds_of(clockid_t clock) {
  timespec time{};
  return clock_gettime(clock, &time) == 0 ? static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec)
                                          : 0;
}

}  // namespace

void Feed::close() {
  const std::lock_guard lock(mutex_);
  closed_.store(true, std::memory_order_release);
  room_.notify_all();
  if (reader_) reader_->ring();
}

void Feed::forget(std::size_t capacity) {
  capacity_.store(capacity, std::memory_order_relaxed);  // between runs
  const std::lock_guard lock(mutex_);
  filled_ = 0;
}

void Feed::open() {
  const std::lock_guard lock(mutex_);
  if (reader_) return;
  over_ = false;
  closed_.store(false, std::memory_order_release);
}

bool Feed::closed_by_a_run() const {
  const std::lock_guard lock(mutex_);
  return over_ && !has_thread();
}

void Feed::begin(Reader& reader) {
  if (has_thread()) open();
  const std::lock_guard lock(mutex_);
  reader_ = &reader;
}

void Feed::over() {
  {
    const std::lock_guard lock(mutex_);
    reader_ = nullptr;
    over_ = true;
    closed_.store(true, std::memory_order_release);
    set_aside();
    accepted_.store(0, std::memory_order_release);
    room_.notify_all();
  }
  drop();
}

void Feed::offer_room() {
  const std::lock_guard lock(mutex_);
  if (waiting_ > 0) room_.notify_all();
}

Put Feed::await_room(std::unique_lock<std::mutex>& lock, Until until, By by) {
  // Relaxed: `accepted_` is written under the lock that is held here, the capacity between runs.
  const auto has_room = [this] {
    return accepted_.load(std::memory_order_relaxed) <
           (reader_ ? reader_->given_back() : 0) + capacity_.load(std::memory_order_relaxed);
  };
  for (;;) {
    if (closed()) return Put::closed;
    if (has_room()) return Put::accepted;
    if (until == at_once || (by == By::anybody && reader_ && reader_->works_on_this_thread())) return Put::full;
    // Who gives room back meanwhile has seen the wish, or is seen here.
    if (reader_) reader_->wish_for_room();
    if (has_room()) continue;
    ++waiting_;
    const bool late = until ? room_.wait_until(lock, *until) == std::cv_status::timeout : (room_.wait(lock), false);
    --waiting_;
    if (late) return closed() ? Put::closed : has_room() ? Put::accepted : Put::full;
  }
}

void Feed::accept() {
  // To read it relaxed: its writers hold the lock.
  accepted_.store(accepted_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  if (reader_) reader_->ring();
}

void Feed::begin_filling() {
  clockid_t clock{};
  const std::lock_guard lock(mutex_);
  if (pthread_getcpuclockid(pthread_self(), &clock) == 0) filling_ = clock;
}

void Feed::end_filling() {
  const std::lock_guard lock(mutex_);
  if (filling_) filled_ += seconds_of(*filling_);
  filling_.reset();
}

double Feed::busy() const {
  const std::lock_guard lock(mutex_);
  return filled_ + (filling_ ? seconds_of(*filling_) : 0);
}

}  // namespace sluice::detail
