// Runs the program that is running once more with other arguments, as a process of its own: so that a measurement
// begins with no threads, no warm heap and no peak memory of another's.
//
//   const OwnProcess p = in_own_process({"--child", "plain"});   // p.output: its stdout, p.cpu: seconds
//
// What only the process itself can say it asks of peak_mib() and cpu_seconds(), and prints: the peak that wait4() tells
// is at least that of the program that started it, where it did so by vfork(), as posix_spawn() does.
#pragma once

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sluice::bench {

inline double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

// Of this process so far, all its threads.
inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The most memory that this process has had resident.
inline double peak_mib() {
  constexpr std::string_view name = "VmHWM:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return std::strtod(line.c_str() + name.size(), nullptr) / 1024;
  throw std::runtime_error("/proc/self/status says nothing of VmHWM");
}

struct OwnProcess {
  std::string output;
  double cpu = 0;  // seconds from start to exit
};

// Throws if it cannot be started or does not exit with 0.
inline OwnProcess in_own_process(std::vector<std::string> arguments) {
  const auto checked = [](int error, const char* what) {
    if (error != 0) throw std::system_error(error, std::generic_category(), what);
  };
  arguments.insert(arguments.begin(), "/proc/self/exe");
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);

  int ends[2];
  checked(pipe(ends) == 0 ? 0 : errno, "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  pid_t child = 0;
  const int error = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) close(ends[0]);
  checked(error, "a process of its own");

  OwnProcess result;
  char part[4096];
  for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) result.output.append(part, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  rusage usage{};
  checked(wait4(child, &status, 0, &usage) == child ? 0 : errno, "wait4");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("a process of its own has failed");
  result.cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  return result;
}

}  // namespace sluice::bench
