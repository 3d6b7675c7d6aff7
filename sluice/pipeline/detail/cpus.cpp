#include <sluice/pipeline/detail/cpus.hpp>

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace sluice::detail {

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

}  // namespace sluice::detail
