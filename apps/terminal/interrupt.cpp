#include "apps/terminal/interrupt.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <initializer_list>
#include <system_error>
#include <utility>

namespace sluice::apps {
namespace {

sigset_t awaited(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : signals) {
    // Whoever started this program with a signal ignored (nohup, a background job) wants it to stay so.
    struct sigaction before {};
    if (sigaction(s, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    sigaddset(&set, s);
  }
  return set;
}

void count(int event) {
  const std::uint64_t one = 1;
  while (::write(event, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace

Interrupt::Interrupt(FromParent from_parent) : from_parent_(from_parent) {
  const sigset_t set = awaited({SIGHUP, SIGINT, SIGTERM, SIGUSR1});
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC);
  over_ = eventfd(0, EFD_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || over_ < 0 || wake_ < 0)
    throw std::system_error(errno, std::generic_category(), "signals cannot be awaited");
  thread_ = std::thread([this] { wait(); });
}

Interrupt::~Interrupt() {
  count(over_);
  thread_.join();
  // One that came too late for the thread must not end a program that has its result.
  pollfd late{signals_, POLLIN, 0};
  for (signalfd_siginfo info{}; ::poll(&late, 1, 0) > 0 && ::read(signals_, &info, sizeof info) == sizeof info;) {
  }
  for (const int file : {signals_, over_, wake_}) ::close(file);
  const sigset_t set = awaited({SIGHUP, SIGINT, SIGTERM});
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Interrupt::then(std::function<void()> f) {
  const std::lock_guard lock(mutex_);
  then_ = std::move(f);
  if (signal_.load() && then_) std::exchange(then_, {})();
}

void Interrupt::when_asked(std::function<void()> f) {
  const std::lock_guard lock(mutex_);
  when_asked_ = std::move(f);
}

void Interrupt::wait() {
  const sigset_t enders = awaited({SIGHUP, SIGINT, SIGTERM});
  for (;;) {
    std::array<pollfd, 2> both{{{signals_, POLLIN, 0}, {over_, POLLIN, 0}}};
    if (::poll(both.data(), both.size(), -1) < 0) continue;
    if (both[1].revents) return;
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != sizeof info) continue;
    const int number = static_cast<int>(info.ssi_signo);
    const bool announced =
        from_parent_ == FromParent::announces_the_end && info.ssi_pid == static_cast<std::uint32_t>(::getppid());
    if (number == SIGUSR1 && !announced) {
      const std::lock_guard lock(mutex_);
      if (when_asked_) when_asked_();
      continue;
    }
    signal_.store(number);
    count(wake_);
    // Whatever this thread waits for from here on, the next one has its usual effect.
    pthread_sigmask(SIG_UNBLOCK, &enders, nullptr);
    const std::lock_guard lock(mutex_);
    if (then_) std::exchange(then_, {})();
  }
}

}  // namespace sluice::apps
