#include <sluice/pipeline/detail/lookout.hpp>

#include <algorithm>
#include <chrono>

#include <sluice/pipeline/detail/gate.hpp>

namespace sluice::detail {
namespace {

constexpr std::chrono::milliseconds period{20};

}  // namespace

Lookout::~Lookout() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Lookout::begin() {
  const std::lock_guard lock(mutex_);
  on_ = true;
}

void Lookout::end() {
  {
    const std::lock_guard lock(mutex_);
    on_ = woken_ = false;
    resting_.store(true, std::memory_order_seq_cst);
  }
  changed_.notify_one();
}

void Lookout::wake() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (!resting_.exchange(false, std::memory_order_seq_cst)) return;
    woken_ = true;
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  } catch (...) {  // no thread to be had: messages wait
  }
  changed_.notify_one();
}

void Lookout::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return over_ || (on_ && woken_); });
    if (over_) return;
    woken_ = false;
    while (!changed_.wait_for(lock, period, [this] { return over_ || !on_; })) {
      for (Gate* source : sources_)
        if (source->asking() == Gate::Asking::slow) source->hand_on_what_is_made();
      // Who begins a ticket from now on sees that it is to wake; who has begun one is seen. What is slow begins a new
      // one when it is done.
      resting_.store(true, std::memory_order_seq_cst);
      if (std::none_of(sources_.begin(), sources_.end(), [](const Gate* g) { return g->needs_looking_after(); })) break;
      resting_.store(false, std::memory_order_seq_cst);
    }
  }
}

}  // namespace sluice::detail
