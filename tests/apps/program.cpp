#include "tests/apps/program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

extern char** environ;

namespace sluice::apps::testing {
namespace {

// A shell starts what it does not wait for with SIGINT ignored, and what it starts inherits that: the program, too,
// which heeds it. Here each signal does what it does where somebody waits.
[[maybe_unused]] const bool signals_do_what_they_do = [] {
  for (const int s : {SIGHUP, SIGINT, SIGTERM, SIGUSR1}) ::signal(s, SIG_DFL);
  return true;
}();

struct Pipe {
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  }
  ~Pipe() { close_end(0), close_end(1); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(int end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  int ends[2];
};

// What the kernel says of each thread that changes when it runs; nothing: one of them is not asleep, or cannot be seen.
std::string asleep(int process) {
  std::string all;
  std::error_code gone;
  std::filesystem::directory_iterator threads("/proc/" + std::to_string(process) + "/task", gone), end;
  for (; threads != end; threads.increment(gone)) {
    const std::filesystem::path thread = threads->path();
    std::ifstream status(thread / "status");
    std::string state, switches;
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("State:")) state = line;
      if (line.find("voluntary_ctxt_switches:") != std::string::npos) switches += line + " ";
    }
    if (!state.starts_with("State:\tS") || switches.empty()) return {};
    all += thread.filename().string() + " " + switches + "\n";
  }
  return gone ? "" : all;
}

}  // namespace

Process::Process(const Arguments& arguments, const std::string& out_to, Unread unread)
    : name_(arguments[0]),
      under_way_([arguments] {
        std::string text;
        for (const std::string& word : arguments) text += word + " ";
        return text;
      }),
      deadline_(std::chrono::steady_clock::now() + test::patience() * 5 / 6) {  // to be the first of the two
  Pipe out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (out_to.empty())
    posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  else
    posix_spawn_file_actions_addopen(&actions, 1, out_to.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
  // As a terminal's shell starts it, whatever this process ignores.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  posix_spawnattr_setsigmask(&attributes, &defaults);
  for (const int s : {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGUSR1}) sigaddset(&defaults, s);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

  std::vector<std::string> words = arguments;
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (unread == Unread::out) out.close_end(0);
  if (unread == Unread::err) err.close_end(0);
  const int error = ::posix_spawnp(&child_, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw std::runtime_error("cannot start " + name_ + ": " + std::strerror(error));
  out_ = std::exchange(out.ends[0], -1);
  err_ = std::exchange(err.ends[0], -1);
}

Process::~Process() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  for (const int file : {out_, err_})
    if (file >= 0) ::close(file);
}

void Process::signal(int number) {
  ::kill(child_, number);
}

bool Process::read_more() {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
  std::array<pollfd, 2> streams{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
  if (out_ < 0 && err_ < 0) return false;
  if (left.count() <= 0) {
    ::kill(child_, SIGKILL);
    ADD_FAILURE() << name_ << " has not ended";
    return false;
  }
  if (::poll(streams.data(), streams.size(), static_cast<int>(left.count())) < 0) return errno == EINTR;
  int* const files[] = {&out_, &err_};
  std::string* const texts[] = {&result_.out, &result_.err};
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (streams[i].fd < 0 || streams[i].revents == 0) continue;
    char buffer[65536];
    const ssize_t n = ::read(streams[i].fd, buffer, sizeof buffer);
    if (n > 0) texts[i]->append(buffer, static_cast<std::size_t>(n));
    if (n == 0 || (n < 0 && errno != EINTR)) ::close(std::exchange(*files[i], -1));
  }
  return true;
}

bool Process::says(const std::string& text) {
  while (!contains(result_.err, text))
    if (!read_more()) {
      ADD_FAILURE() << name_ << " did not say '" << text << "' but: " << result_.err;
      return false;
    }
  return true;
}

bool Process::prints(std::size_t count) {
  while (lines(result_.out).size() < count)
    if (waits_for_more() || !read_more()) {
      ADD_FAILURE() << name_ << " did not print " << count << " lines but: " << result_.out << result_.err;
      return false;
    }
  return true;
}

bool Process::is_given(const std::string& bytes, Fifo& through) {
  while (!through.opened()) {
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(child_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid != 0) {
      ADD_FAILURE() << name_ << " has ended, and did not read " << through.path() << ": " << wait().err;
      return false;
    }
    ::poll(nullptr, 0, 1);
  }
  return through.write(bytes);
}

bool Process::ends() {
  while (out_ >= 0 || err_ >= 0)
    if (waits_for_more() || !read_more()) {
      ADD_FAILURE() << name_ << " did not end: " << result_.out << result_.err;
      return false;
    }
  return true;
}

// Until it says something, is at its end, or has all of its threads asleep from before the first look at any of them to
// after the second: then none of them wakes another. Between the two any that only sleeps for a while is awake again:
// the one that hands on what a source has made that waits (20 ms).
bool Process::waits_for_more() const {
  std::array<pollfd, 2> streams{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
  const auto is_silent = [&](int milliseconds) { return ::poll(streams.data(), streams.size(), milliseconds) == 0; };
  while (is_silent(10) && std::chrono::steady_clock::now() < deadline_) {
    const std::string before = asleep(child_);
    if (!before.empty() && is_silent(60) && asleep(child_) == before && is_silent(0)) return true;
  }
  return false;
}

void Process::stop_reading() {
  ::close(std::exchange(out_, -1));
}

Result Process::wait() {
  while (read_more()) {
  }
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  if (WIFEXITED(status)) result_.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  return result_;
}

Fifo::Fifo(std::string path) : path_(std::move(path)) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is a failure of the write
  if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("no fifo " + path_);
}

// When somebody reads: what is written to a pipe that is closed before that is lost.
bool Fifo::opened() {
  if (file_ < 0) file_ = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  return file_ >= 0;
}

bool Fifo::write(const std::string& bytes) {
  const bool whole = ::write(file_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  EXPECT_TRUE(whole) << path_;
  return whole;
}

void Fifo::close() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

Result run(const Arguments& arguments, const std::string& out_to) {
  return Process(arguments, out_to).wait();
}
Result run_unread(const Arguments& arguments) {
  return Process(arguments, {}, Process::Unread::out).wait();
}
Result run_and_kill(const Arguments& arguments, std::chrono::nanoseconds after) {
  Process process(arguments);
  std::this_thread::sleep_for(after);
  process.signal(SIGKILL);
  return process.wait();
}

std::string sluice_path() {
  return SLUICE_PROGRAM;
}
Result sluice(const Arguments& arguments) {
  return run(Arguments{sluice_path()} + arguments);
}

std::string example_path(const std::string& name) {
  return std::string(SLUICE_EXAMPLES) + "/" + name;
}

Arguments operator+(Arguments a, const Arguments& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string line_with(const std::string& text, const std::string& beginning) {
  for (const std::string& line : lines(text))
    if (line.starts_with(beginning)) return line;
  ADD_FAILURE() << "no line begins with '" << beginning << "' in: " << text;
  return {};
}

std::string source(const std::string& path) {
  std::ifstream file(std::string(SLUICE_SOURCE) + "/" + path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace sluice::apps::testing
