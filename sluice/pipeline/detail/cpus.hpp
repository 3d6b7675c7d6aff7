// What default_threads() is made of, apart so that tests can feed it a file system of their own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace sluice::detail {

std::size_t cpus_of_affinity();

// "QUOTA PERIOD" in microseconds, as in cgroup v2's cpu.max -> CPUs; nothing for "max" or for what is malformed.
std::optional<double> parse_cpu_max(const std::string& text);

// The smallest quota of the process's control group and its parents, in CPUs, if one is set.
// proc_cgroup: a file like /proc/self/cgroup; root: where the hierarchy is mounted.
std::optional<double> cpus_of_quota(const std::string& proc_cgroup, const std::string& root);

std::size_t usable_cpus(std::size_t affinity, std::optional<double> quota);

}  // namespace sluice::detail
