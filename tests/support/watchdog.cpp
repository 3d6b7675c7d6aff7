// main() of the test programs: a test that hangs is ended with its name, instead of hanging whoever waits for it.
#include "tests/support/watchdog.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace sluice::test {
namespace {

class Watchdog : public testing::EmptyTestEventListener {
 public:
  // Behind it the thread only ever waits, and takes no lock but mutex_: a test may fork, since no lock (a sanitizer's
  // allocator has some that fork() does not know of) is held by a thread that the child does not have; the child makes
  // no UnderWay. And no signal of the process goes to it.
  explicit Watchdog(std::chrono::seconds patience) : patience_(patience) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { watch(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waits_; });
    the_one = this;
  }
  ~Watchdog() override {
    the_one = nullptr;
    say({}, true);
    thread_.join();
  }

  // Returns what it was at before.
  std::function<std::string()> at(std::function<std::string()> what) {
    const std::lock_guard lock(mutex_);
    what_.swap(what);
    ++generation_;
    changed_.notify_one();
    return what;
  }
  static inline Watchdog* the_one = nullptr;

 private:
  void OnTestStart(const testing::TestInfo& test) override {
    say(std::string(test.test_suite_name()) + "." + test.name());
  }
  void OnTestEnd(const testing::TestInfo&) override { say({}); }

  void say(std::string test, bool end = false) {
    const std::lock_guard lock(mutex_);
    test_ = std::move(test);
    end_ = end;
    ++generation_;
    changed_.notify_one();
  }

  void watch() {
    std::unique_lock lock(mutex_);
    waits_ = true;
    changed_.notify_one();
    while (!end_) {
      const auto generation = generation_;
      if (changed_.wait_for(lock, patience_, [&] { return generation_ != generation; }) || test_.empty()) continue;
      std::fprintf(stderr, "watchdog: %s has not ended after %lld seconds\n", test_.c_str(),
                   static_cast<long long>(patience_.count()));
      std::fflush(stderr);
      if (what_) std::fprintf(stderr, "%s\n", what_().c_str());
      std::abort();
    }
  }

  const std::chrono::seconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string test_;                   // none: between two tests
  std::function<std::string()> what_;  // it is at, if it says so
  unsigned long generation_ = 0;
  bool waits_ = false, end_ = false;
  std::thread thread_;
};

}  // namespace

std::chrono::seconds patience() {
  const char* const text = std::getenv("SLUICE_TEST_PATIENCE");
  return std::chrono::seconds(text ? std::atoi(text) : 60);
}

UnderWay::UnderWay(std::function<std::string()> what) {
  if (Watchdog::the_one) before_ = Watchdog::the_one->at(std::move(what));
}
UnderWay::~UnderWay() {
  if (Watchdog::the_one) Watchdog::the_one->at(std::move(before_));
}

}  // namespace sluice::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::UnitTest::GetInstance()->listeners().Append(new sluice::test::Watchdog(sluice::test::patience()));
  return RUN_ALL_TESTS();
}
