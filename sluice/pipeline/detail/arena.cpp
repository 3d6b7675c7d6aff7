#include <sluice/pipeline/detail/arena.hpp>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>

#include <mutex>
#include <optional>
#include <set>

namespace sluice {
namespace {

// oneTBB makes no more threads than there are CPUs unless a global_control allows them, and of several controls the
// smallest holds: so the process has one, for the largest number of threads asked for.
class MoreThanCpus {
 public:
  void add(std::size_t threads) {
    const std::lock_guard lock(mutex_);
    asked_.insert(threads);
    allow();
  }
  void remove(std::size_t threads) {
    const std::lock_guard lock(mutex_);
    asked_.erase(asked_.find(threads));
    allow();
  }

 private:
  void allow() {
    const std::size_t most = asked_.empty() ? 0 : *asked_.rbegin();
    if (most == allowed_) return;
    control_.reset();
    if (most > static_cast<std::size_t>(tbb::info::default_concurrency()))
      control_.emplace(tbb::global_control::max_allowed_parallelism, most);
    allowed_ = most;
  }

  std::mutex mutex_;
  std::multiset<std::size_t> asked_;
  std::size_t allowed_ = 0;
  std::optional<tbb::global_control> control_;
};

MoreThanCpus& more_than_cpus() {
  static auto* const only = new MoreThanCpus;  // outlives every Threads, static ones among them
  return *only;
}

}  // namespace

Threads::Arena::Allowance::Allowance(std::size_t wanted) : threads(wanted) {
  more_than_cpus().add(threads);
}

Threads::Arena::Allowance::~Allowance() {
  more_than_cpus().remove(threads);
}

Threads::Arena::Arena(std::size_t threads) : count(threads), allowance(threads) {
  arena.initialize(static_cast<int>(threads), 1);
}

}  // namespace sluice
