#include "apps/terminal/interrupt.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace sluice::apps::testing {
namespace {

// What f returns in this program, run again: signals are a process's, and here other threads may not block them.
template <class F>
void expect_in_a_process(const F& f, int result) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(::_exit(f()), ::testing::ExitedWithCode(result), "");
}

template <class Condition>
void wait_until(const Condition& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(Interrupt, ASignalThatHasComeIsToldToWhoeverAsksThen) {
  expect_in_a_process(
      [] {
        Interrupt interrupt;
        ::kill(::getpid(), SIGINT);
        wait_until([&] { return interrupt.signal() != 0; });
        int told = 0;
        interrupt.then([&] { ++told; });
        return interrupt.signal() == SIGINT ? told : 10;
      },
      1);
}

TEST(Interrupt, BehindAScopeNobodyIsAskedAndNobodyIsTold) {
  expect_in_a_process(
      [] {
        Interrupt interrupt;
        std::atomic<int> asked = 0, told = 0;
        {
          const Interrupt::Scope until_here(interrupt);
          interrupt.when_asked([&] { ++asked; });
          interrupt.then([&] { ++told; });
          ::kill(::getpid(), SIGUSR1);
          wait_until([&] { return asked == 1; });
        }
        ::kill(::getpid(), SIGUSR1);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // for one who is asked nevertheless
        ::kill(::getpid(), SIGTERM);
        wait_until([&] { return interrupt.signal() == SIGTERM; });
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return asked * 10 + told;
      },
      10);
}

// Slurm's word that the time is over; from anybody else it is the question that it always is.
TEST(Interrupt, SigusrOneEndsWhereTheParentAnnouncesTheEndByIt) {
  expect_in_a_process(
      [] {
        int ready[2];
        if (::pipe(ready) != 0) return 90;
        const pid_t child = ::fork();
        if (child == 0) {
          Interrupt interrupt(Interrupt::FromParent::announces_the_end);
          std::atomic<int> asked = 0;
          interrupt.when_asked([&] { ++asked; });
          ::kill(::getpid(), SIGUSR1);
          wait_until([&] { return asked == 1; });
          if (interrupt.signal() != 0 || ::write(ready[1], "", 1) != 1) ::_exit(91);
          wait_until([&] { return interrupt.signal() != 0; });
          ::_exit(asked == 1 ? interrupt.signal() : 92);
        }
        char byte = 0;
        int status = 0;
        if (::read(ready[0], &byte, 1) != 1) return 93;
        ::kill(child, SIGUSR1);
        return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 94;
      },
      SIGUSR1);
}

}  // namespace
}  // namespace sluice::apps::testing
