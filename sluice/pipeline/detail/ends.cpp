#include <sluice/pipeline/detail/ends.hpp>

#include <algorithm>
#include <utility>

namespace sluice::detail {

void Ends::end() {
  ask([this] {
    if (cause_ == Cause::none) cause_ = Cause::stopped;
    end_.store(true);
  });
}

void Ends::end_early(const std::string& by) {
  ask([&] {
    if (cause_ == Cause::none) cause_ = Cause::enough, early_ = by;
    end_.store(true);
  });
}

void Ends::halt() {
  ask([this] { halt_.store(true); });
}

void Ends::cancel() {
  ask([this] {
    cancelled_ = true;
    halt_.store(true);
  });
}

// What is asked for, and who hears of it, is one thing: none of it is this run's, and the rest the next one's.
template <class F>
void Ends::ask(F note) {
  std::stop_source bodies(std::nostopstate);
  {
    const std::lock_guard lock(mutex_);
    note();
    bodies = bodies_;
    for (Sleeper* sleeper : sleepers_) sleeper->ring();
  }
  bodies.request_stop();  // who is called may stop the graph, too
}

std::stop_token Ends::begin() {
  std::stop_source bodies;
  bool asked = false;
  {
    const std::lock_guard lock(mutex_);
    bodies_ = bodies;
    asked = end_.load() || halt_.load();
  }
  if (asked) bodies.request_stop();
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
  end_.store(false);
  bodies_ = std::stop_source(std::nostopstate);
  return {std::exchange(cancelled_, false), std::exchange(cause_, Cause::none), std::exchange(early_, {})};
}

}  // namespace sluice::detail
