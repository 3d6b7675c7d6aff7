#include <sluice/pipeline/detail/ends.hpp>

#include <algorithm>
#include <utility>

namespace sluice::detail {

void Ends::end() {
  end_.store(true);
  wake();
}

void Ends::end_early(const std::string& by) {
  {
    const std::lock_guard lock(mutex_);
    if (early_.empty()) early_ = by;
  }
  end();
}

void Ends::halt() {
  halt_.store(true);
  wake();
}

void Ends::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    halt_.store(true);
  }
  wake();
}

void Ends::wake() {
  std::stop_source bodies(std::nostopstate);
  {
    const std::lock_guard lock(mutex_);
    bodies = bodies_;
    for (Sleeper* sleeper : sleepers_) sleeper->ring();
  }
  bodies.request_stop();  // who is called may stop the graph, too
}

std::stop_token Ends::begin() {
  std::unique_lock lock(mutex_);
  bodies_ = std::stop_source();
  const std::stop_source bodies = bodies_;
  lock.unlock();
  if (end_.load() || halt_.load()) wake();
  return bodies.get_token();
}

void Ends::add(Sleeper& sleeper) {
  const std::lock_guard lock(mutex_);
  sleepers_.push_back(&sleeper);
}

void Ends::remove(Sleeper& sleeper) {
  const std::lock_guard lock(mutex_);
  std::erase(sleepers_, &sleeper);
}

Ends::Asked Ends::over() {
  const std::lock_guard lock(mutex_);
  halt_.store(false);
  return {std::exchange(cancelled_, false), end_.exchange(false), std::exchange(early_, {})};
}

}  // namespace sluice::detail
