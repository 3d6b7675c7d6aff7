#include <sluice/pipeline/threads.hpp>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <sluice/pipeline/detail/arena.hpp>
#include <sluice/pipeline/detail/cpus.hpp>

namespace sluice {
namespace detail {

std::size_t cpus_of_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::size_t>(CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());  // more than 1024 CPUs
}

std::optional<double> parse_cpu_max(const std::string& text) {
  std::istringstream in(text);
  std::string quota;
  double period = 0;
  if (!(in >> quota >> period) || quota == "max" || period <= 0) return std::nullopt;
  char* end = nullptr;
  const double limit = std::strtod(quota.c_str(), &end);
  if (end == quota.c_str() || !(limit > 0)) return std::nullopt;
  return limit / period;
}

namespace {
std::string contents(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}
}  // namespace

// Every group from the process's own up to the root may set a quota; the smallest holds.
std::optional<double> cpus_of_quota(const std::string& proc_cgroup, const std::string& root) {
  std::optional<double> least;
  const auto consider = [&](std::optional<double> cpus) {
    if (cpus && (!least || *cpus < *least)) least = cpus;
  };
  std::istringstream lines(contents(proc_cgroup));
  for (std::string line; std::getline(lines, line);) {
    const auto controllers = line.find(':'), path = line.find(':', controllers + 1);
    if (controllers == std::string::npos || path == std::string::npos) continue;
    const std::string names = line.substr(controllers + 1, path - controllers - 1);
    const bool v2 = names.empty(), v1 = ("," + names + ",").find(",cpu,") != std::string::npos;
    if (!v1 && !v2) continue;
    for (std::string group = line.substr(path + 1);; group.erase(group.rfind('/'))) {
      while (!group.empty() && group.back() == '/') group.pop_back();
      if (v2) {
        consider(parse_cpu_max(contents(root + group + "/cpu.max")));
      } else {
        for (const char* mount : {"/cpu", "/cpu,cpuacct"}) {
          const std::string folder = root + mount + group;
          const std::string quota = contents(folder + "/cpu.cfs_quota_us");
          if (!quota.empty() && quota[0] != '-')
            consider(parse_cpu_max(quota + " " + contents(folder + "/cpu.cfs_period_us")));
        }
      }
      if (group.find('/') == std::string::npos) break;
    }
  }
  return least;
}

std::size_t usable_cpus(std::size_t affinity, std::optional<double> quota) {
  const auto allowed =
      quota && *quota < static_cast<double>(affinity) ? static_cast<std::size_t>(std::ceil(*quota)) : affinity;
  return std::max<std::size_t>(1, allowed);
}

}  // namespace detail

std::size_t default_threads() {
  return detail::usable_cpus(detail::cpus_of_affinity(), detail::cpus_of_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
}

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

Threads::Threads(std::size_t count) {
  constexpr std::size_t most = 4096;
  if (count == 0 || count > most)
    throw std::invalid_argument("the number of threads is " + std::to_string(count) + ", expected 1 to " +
                                std::to_string(most));
  arena_ = std::make_shared<Arena>(count);
}

std::size_t Threads::count() const {
  return arena_->count;
}

}  // namespace sluice
