// Thousands of random graphs, each held against a plain sequential interpreter of the same graph.
//
// Each test draws its graphs from seeds of its own. The environment can ask for others:
//   SLUICE_RANDOM_SEED=n                          the one graph of seed n
//   SLUICE_RANDOM_GRAPHS=100000                   so many in each test
//   SLUICE_RANDOM_SEED=n SLUICE_RANDOM_GRAPHS=m   m of them, from seed n on
// A failure ends its test and says how to repeat its graph; so do the watchdog, when one hangs, and a crash. The graph
// is the same then, and what is done to it, but not the threads' luck: --gtest_repeat=1000 gives it more.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/pipeline/random_graph.hpp"
#include "tests/support/random.hpp"
#include "tests/support/stages.hpp"
#include "tests/support/watchdog.hpp"

namespace sluice::test {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string how_to_repeat(std::uint64_t seed) {
  const auto& test = *testing::UnitTest::GetInstance()->current_test_info();
  return "repeat: SLUICE_RANDOM_SEED=" + std::to_string(seed) +
         " pipeline_tests --gtest_filter=" + test.test_suite_name() + "." + test.name() + "\n";
}

// Said by a crash, which then takes its course. One at a time.
class LastWords {
 public:
  explicit LastWords(const std::string& words) {
    words_ = &words;
    struct sigaction ours {};
    ours.sa_handler = say;
    for (std::size_t i = 0; i < std::size(signals); ++i) sigaction(signals[i], &ours, &before_[i]);
  }
  ~LastWords() { restore(); }
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;

 private:
  static void say(int) {
    if (write(STDERR_FILENO, words_->data(), words_->size()) < 0) _exit(1);
    restore();  // what has crashed does so again
  }
  static void restore() {
    for (std::size_t i = 0; i < std::size(signals); ++i) sigaction(signals[i], &before_[i], nullptr);
  }

  static constexpr int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  static inline struct sigaction before_[std::size(signals)];
  static inline const std::string* words_ = nullptr;
};

// Calls f(graph, random) for the seeds from `first` on: `count` of them, or what the environment asks for.
template <class F>
void for_random_graphs(std::uint64_t first, std::uint64_t count, Plan::Wrong wrong, F&& f) {
  first = setting("SLUICE_RANDOM_SEED", first);
  count = setting("SLUICE_RANDOM_GRAPHS", std::getenv("SLUICE_RANDOM_SEED") ? 1 : count);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    RandomGraph graph(seed, wrong);
    Random random(~seed);
    const std::string repeat = how_to_repeat(seed);
    const auto describe = [&] { return repeat + graph.describe(); };
    const UnderWay under_way(describe);
    const LastWords last_words(repeat);
    try {
      f(graph, random);
    } catch (const std::exception& e) {
      graph.fault(std::string("unexpected: ") + e.what());
    }
    for (const std::string& fault : graph.watch.faults()) ADD_FAILURE() << fault;
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << describe();
      return;
    }
  }
}

// A run that is to be complete.
void run_right(RandomGraph& g) {
  g.prepare();
  g.graph->run();
  g.check(true);
}

// Another thread, in which f(over) is called. At the end of its life `over` is set and f waited for.
class Meanwhile {
 public:
  template <class F>
  explicit Meanwhile(F f) : thread_([this, f] { f(over_); }) {}
  ~Meanwhile() {
    over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::thread thread_;
};

TEST(RandomGraph, GivesWhatASequentialInterpreterGives) {
  for_random_graphs(1, 6000, Plan::nothing, [](RandomGraph& g, Random&) { run_right(g); });
}

TEST(RandomGraph, GivesItAgainInEveryRunAndWithOtherSettings) {
  for_random_graphs(100'001, 1500, Plan::nothing, [](RandomGraph& g, Random& random) {
    for (std::size_t runs = random.between(2, 4); runs > 0; --runs) {
      run_right(g);
      if (random.chance(60)) g.change_settings(random);
      if (random.chance(20)) g.set_values(random);
      if (random.chance(30)) g.plan.change_lengths(random);
    }
  });
}

TEST(RandomGraph, CanBeLookedAtAndTracedMeanwhile) {
  for_random_graphs(200'001, 800, Plan::nothing, [](RandomGraph& g, Random& random) {
    Trace trace(random.below(200));
    g.graph->set_trace(&trace);
    for (int runs = 2; runs > 0; --runs) {
      g.prepare();
      {
        const Meanwhile reader([&](const std::atomic<bool>& over) {
          for (GraphStats before = g.graph->stats(); !over; std::this_thread::yield()) {
            GraphStats now = g.graph->stats();
            for (std::size_t i = 0; i < now.stages.size(); ++i) {
              if (now.stages[i].items < before.stages[i].items) g.fault("items grow less");
              if (now.stages[i].high_water > now.stages[i].capacity) g.fault("high water above the capacity");
            }
            before = std::move(now);
          }
        });
        g.graph->run();
      }
      g.check(true);
    }
  });
}

TEST(RandomGraph, SaysWhereABodyThrewAndRunsAgain) {
  for_random_graphs(300'001, 1500, Plan::nothing, [](RandomGraph& g, Random& random) {
    if (g.plan.skips()) return;
    for (int again = 0; again < 2; ++again) {
      g.prepare();
      std::vector<Trap> traps;
      for (std::size_t n = random.of<std::size_t>({1, 1, 1, 2, 3}); n > 0; --n) traps.push_back(g.draw_trap(random));
      g.prepare(traps);
      try {
        g.graph->run();
        g.fault("threw nothing");
      } catch (const StageError& error) {
        bool explained = false;
        for (const Trap& trap : traps) explained |= g.explains(trap, error);
        if (!explained) {
          g.fault(error.what());
          for (const Trap& t : traps)
            g.fault("expected: " + g.plan.stages[t.stage].name + " at " + std::to_string(t.sequence));
        }
        const auto* const sprung = error.cause_as<Sprung>();
        if (!sprung || sprung->what() != error.stage()) g.fault("another cause");
      }
      g.check(false);
      run_right(g);
      g.change_settings(random);
    }
  });
}

// Whether a run was complete. One that was cancelled is not, and has broken no promise.
bool run_or_cancelled(RandomGraph& g) {
  bool complete = true;
  try {
    g.graph->run();
  } catch (const Cancelled&) {
    complete = false;
  }
  g.check(complete);
  return complete;
}

TEST(RandomGraph, IsCancelledOrCompleteAndRunsAgain) {
  for_random_graphs(400'001, 1000, Plan::nothing, [](RandomGraph& g, Random& random) {
    for (int again = 0; again < 2; ++again) {
      g.prepare();
      const std::uint64_t calls = random.below(g.calls() + 10);
      {
        const Meanwhile other([&](const std::atomic<bool>& over) {
          while (!over && g.watch.calls < calls) std::this_thread::yield();
          g.cancel();
        });
        run_or_cancelled(g);
      }
      // A cancel that came when all was done is for the next run.
      g.prepare();
      run_or_cancelled(g);
      run_right(g);
    }
  });
}

// What is made until then is what would have been made, and nobody waits for the rest.
TEST(RandomGraph, IsStoppedInOrderAndRunsAgain) {
  for_random_graphs(900'001, 2000, Plan::nothing, [](RandomGraph& g, Random& random) {
    // What comes at the end depends on where that is: of none here.
    for (PlanStage& s : g.plan.stages) {
      s.expansion.rest = 0;
      if (s.expansion.kind == Expansion::gather) s.expansion.kind = Expansion::repeat, s.expansion.most = 1;
    }
    for (int again = 0; again < 2; ++again) {
      g.prepare();
      const std::uint64_t calls = random.below(g.calls() + 10);
      {
        const Meanwhile other([&](const std::atomic<bool>& over) {
          while (!over && g.watch.calls < calls) std::this_thread::yield();
          g.watch.stopped = true;
          g.graph->stop();
        });
        g.graph->run();
      }
      g.check_stopped();
      // A stop that came when all was done is for the next run.
      g.prepare();
      g.watch.stopped = true;
      g.graph->run();
      g.check_stopped();
      run_right(g);
      g.change_settings(random);
    }
  });
}

// One sink has seen just what it wanted, the others what was on its way.
TEST(RandomGraph, EndsEarlyWhenASinkHasEnough) {
  for_random_graphs(1'000'001, 2000, Plan::nothing, [](RandomGraph& g, Random& random) {
    for (PlanStage& s : g.plan.stages) {
      s.expansion.rest = 0;
      if (s.expansion.kind == Expansion::gather) s.expansion.kind = Expansion::repeat, s.expansion.most = 1;
    }
    for (int again = 0; again < 2; ++again) {
      g.prepare();
      if (const auto sink = g.have_enough(random)) {
        g.watch.stopped = true;
        g.check_enough(*sink, g.graph->run());
      }
      run_right(g);
      g.change_settings(random);
    }
  });
}

TEST(RandomGraph, IsCancelledByABodyOrBeforeItRuns) {
  for_random_graphs(800'001, 1200, Plan::nothing, [](RandomGraph& g, Random& random) {
    if (g.plan.skips()) return;
    for (int again = 0; again < 2; ++again) {
      g.prepare();
      if (random.chance(10)) {
        g.cancel();
      } else {
        Trap trap = g.draw_trap(random);
        while (trap.where == Trap::finish) trap = g.draw_trap(random);  // that may be all there was left to do
        trap.cancels = true;
        g.prepare({trap});
      }
      if (run_or_cancelled(g)) g.fault("was not cancelled");
      run_right(g);
      g.change_settings(random);
    }
  });
}

TEST(RandomGraph, MayBeDestroyedWhileItRunsAndRightAfter) {
  for_random_graphs(500'001, 3000, Plan::nothing, [](RandomGraph& g, Random& random) {
    g.prepare();
    const std::uint64_t calls = random.below(g.calls());
    std::atomic<bool> over{false};
    std::thread runner([&, graph = g.graph.get()] {
      try {
        graph->run();
      } catch (const Cancelled&) {
      } catch (const std::exception& e) {
        g.fault(e.what());
      }
      over = true;
    });
    while (!g.watch.begun || (g.watch.calls < calls && !over)) std::this_thread::yield();
    g.graph.reset();
    const std::uint64_t after = g.watch.calls;
    runner.join();
    if (g.watch.inside() > 0 || g.watch.calls != after) g.fault("a body outlives its graph");
  });
}

TEST(RandomGraph, WithStreamsOfUnequalLengthIsTheZipsError) {
  for_random_graphs(600'001, 2000, Plan::unequal, [](RandomGraph& g, Random& random) {
    for (int again = 0; again < 2; ++again) {
      g.prepare();
      const PlanStage& zip = g.plan.stages[g.plan.wrong_stage];
      const auto length = [&](std::size_t port) { return g.expected.made[zip.inputs[port]].size(); };
      try {
        g.graph->run();
        g.fault("threw nothing");
      } catch (const StageError& error) {
        if (error.stage() != zip.name || error.sequence() != std::min(length(0), length(1))) g.fault(error.what());
        if (std::string(error.what()).find("unequal length") == std::string::npos) g.fault(error.what());
      }
      g.check(false);
      g.change_settings(random);
    }
  });
}

TEST(RandomGraph, WithoutTheRoomThatItNeedsStallsAndRunsWhenItHasGotIt) {
  for_random_graphs(700'001, 1000, Plan::stalled, [](RandomGraph& g, Random&) {
    for (int again = 0; again < 2; ++again) {
      g.prepare();
      try {
        g.graph->run();
        g.fault("did not stall");
      } catch (const Stalled& error) {
        const std::string text = error.what();
        for (const std::size_t i : {g.plan.wrong_stage, g.plan.patient_stage})
          if (text.find("'" + g.plan.stages[i].name + "' waits for") == text.npos) g.fault(text);
      }
      g.check(false);
    }
    g.give_room(g.plan.patient_stage);
    run_right(g);
  });
}

}  // namespace
}  // namespace sluice::test
