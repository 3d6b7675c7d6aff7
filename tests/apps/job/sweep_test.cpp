#include "apps/job/sweep.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sluice/pipeline/errors.hpp>
#include "apps/job/usage_error.hpp"

namespace sluice::apps::testing {
namespace {

// Rows of four pixels in two classes, of which one is brighter.
struct Rows {
  Rows() {
    set.rows = 2, set.columns = 2, set.classes = 2;
    for (std::size_t i = 0; i < 200; ++i) {
      set.labels.push_back(static_cast<std::uint16_t>(i % 2));
      for (std::size_t p = 0; p < 4; ++p)
        pixels.push_back(static_cast<std::uint8_t>((i * 37 + p * 11) % 100 + (i % 2) * 120));
    }
    for (std::size_t i = 0; i < 200; ++i) set.images.push_back(pixels.data() + 4 * i);
    data.train = LabelledSet(set), data.test = LabelledSet(set);
  }
  std::vector<std::uint8_t> pixels;
  stages::DataSet set;
  JobData data;
};

Sweep sweep_of(const std::vector<Options>& runs) {
  Sweep sweep;
  for (const Options& o : runs) {
    sweep.configurations.push_back({.runs = {sweep.runs.size()}});
    sweep.runs.push_back({.configuration = sweep.runs.size(), .options = o});
  }
  return sweep;
}

Options job(std::size_t epochs, double rate = 0.1, const std::string& validation = "") {
  Options o;
  o.epochs = epochs, o.lr = rate, o.batch_size = 50, o.validation = validation;
  return o;
}

std::vector<std::size_t> all_of(const Sweep& sweep) {
  std::vector<std::size_t> all(sweep.runs.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

TEST(SweepRunner, TellsOfEachRunAsSoonAsItEnds) {
  const Rows rows;
  // The first goes on until the others have been told of.
  Sweep sweep = sweep_of({job(1'000'000), job(1), job(2, 0.1, "0.2"), job(3, 1e38)});
  SweepRunner runner(sweep, rows.data, Threads(2));
  std::set<std::size_t> told;
  runner.after_run = [&](std::size_t run) {
    told.insert(run);
    if (told.size() == 3) runner.cancel();
  };
  EXPECT_THROW(runner.run(all_of(sweep), 1'000'000), Cancelled);
  EXPECT_EQ(told, (std::set<std::size_t>{1, 2, 3}));
  EXPECT_TRUE(sweep.runs[1].has_result() && sweep.runs[2].has_result());
  EXPECT_TRUE(sweep.runs[2].state.training.epochs.back().validation);
  EXPECT_NE(sweep.runs[3].error.find("expected finite numbers"), std::string::npos) << sweep.runs[3].error;
  for (std::size_t i = 1; i < 4; ++i) EXPECT_FALSE(sweep.runs[i].state.training.weights) << "memory of run " << i;
}

TEST(SweepRunner, AnErrorEndsAllRunsAndIsTheOneThatIsThrown) {
  const Rows rows;
  for (int turn = 0; turn < 20; ++turn) {
    Sweep sweep = sweep_of({job(1'000'000), job(1), job(1'000'000)});
    SweepRunner runner(sweep, rows.data, Threads(3));
    runner.after_run = [](std::size_t) { throw std::logic_error("the disk is full"); };
    EXPECT_THROW(runner.run(all_of(sweep), 1'000'000), std::logic_error);
  }
  // Of the body of a run: what is held out would be all of a class, or none.
  Sweep sweep = sweep_of({job(1'000'000), job(1, 0.1, "0.001")});
  SweepRunner runner(sweep, rows.data, Threads(2));
  EXPECT_THROW(runner.run(all_of(sweep), 1'000'000), UsageError);
}

TEST(SweepRunner, IsCancelledFromAnyThreadAtAnyTime) {
  const Rows rows;
  for (int turn = 0; turn < 20; ++turn) {
    Sweep sweep = sweep_of({job(1'000'000), job(1'000'000, 0.2, "0.5"), job(1'000'000, 0.3, "1/2")});
    SweepRunner runner(sweep, rows.data, Threads(2));
    std::atomic<bool> begun{false};
    runner.after_epoch = [&](std::size_t) { begun = true; };
    std::thread other([&] {
      while (turn % 2 && !begun) std::this_thread::yield();
      runner.cancel();
    });
    EXPECT_THROW(runner.run(all_of(sweep), 1'000'000), Cancelled);
    other.join();
  }
}

TEST(SweepRunner, GoesOnWhereARoundEnded) {
  const Rows rows;
  Sweep whole = sweep_of({job(5), job(5, 0.2, "0.5")}), parts = whole;
  SweepRunner(whole, rows.data, Threads(2)).run(all_of(whole), 5);
  SweepRunner runner(parts, rows.data, Threads(2));
  for (const std::size_t until : {1u, 2u, 5u}) runner.run(all_of(parts), until);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(parts.runs[i].state.training.epochs.size(), 5u);
    EXPECT_EQ(parts.runs[i].state.weights_sha256, whole.runs[i].state.weights_sha256);
  }
}

}  // namespace
}  // namespace sluice::apps::testing
