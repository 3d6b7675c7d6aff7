#include <sluice/pipeline/detail/mishaps.hpp>

#include <utility>

namespace sluice::detail {

void Mishaps::skip(std::string stage, std::function<void(const StageError&)> handler) {
  skips_ = true;
  stage_ = std::move(stage);
  handler_ = std::move(handler);
}

void Mishaps::take(std::uint64_t message) {
  if (!skips_) throw;
  errors_.fetch_add(1, std::memory_order_relaxed);  // a number to be shown
  ++absent_here;
  if (!handler_) return;
  const StageError error(stage_, message, std::current_exception());
  const std::lock_guard lock(mutex_);
  handler_(error);
}

void Mishaps::forget() {
  // No run is on.
  errors_.store(0, std::memory_order_relaxed);
  holes_.store(0, std::memory_order_relaxed);
}

}  // namespace sluice::detail
