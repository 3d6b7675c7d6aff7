#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "apps/job/checkpoint.hpp"
#include "apps/job/load.hpp"
#include "apps/job/training.hpp"
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/files.hpp"

namespace sluice::apps::testing {
namespace {

using test::contents_of;

class Signals : public ::testing::Test {
 protected:
  // Hours of work.
  Arguments endless(const Arguments& more = {}) const {
    return Arguments{sluice_path(), "train",    "--data",  data.folder().path(), "--batch-size",
                     "100",         "--epochs", "1000000", "--checkpoint",       file} +
           more;
  }
  const SmallData data;
  const std::string file = data.path("run.safetensors");
};

TEST_F(Signals, TheFirstSavesSaysHowToGoOnAndEndsWithItsNumber) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    Process p(endless({"--checkpoint-every", "900000e"}));
    ASSERT_TRUE(p.says("epoch="));
    p.signal(signal);
    const Result r = p.wait();
    EXPECT_EQ(r.code, 128 + signal) << r.err;
    EXPECT_EQ(r.out, "");
    const std::string last = lines(r.err).back();
    EXPECT_TRUE(last.starts_with("sluice: interrupted after ")) << last;
    EXPECT_TRUE(last.ends_with("; saved in " + file + ": the same command goes on from there")) << last;
    // It is of where the run says that it was.
    const Checkpoint c = load_checkpoint(file);
    const int steps = static_cast<int>(c.state.rows()) / 100;
    const std::string where = steps ? "after step " + std::to_string(steps) + " of 5 in epoch " +
                                          std::to_string(c.state.epoch()) + " of 1000000;"
                                    : "after epoch " + std::to_string(c.state.epochs.size()) + " of 1000000;";
    EXPECT_TRUE(contains(last, where)) << last << "\nexpected: " << where;
  }
  EXPECT_EQ(data.folder().files(), 4u + 2u);
}

TEST_F(Signals, ALogEndsWithItsEventAlsoWhereWhatWasReachedCannotBeSaved) {
  std::filesystem::create_directory(data.path("sub"));
  const std::string there = data.path("sub/run.safetensors");
  Process p(Arguments{sluice_path(), "train", "--data", data.folder().path(), "--batch-size", "100", "--epochs",
                      "1000000", "--checkpoint", there, "--checkpoint-every", "900000e", "--log-format", "jsonl"});
  ASSERT_TRUE(p.says("\"event\":\"epoch\""));
  std::filesystem::remove_all(data.path("sub"));
  p.signal(SIGINT);
  const Result r = p.wait();
  EXPECT_NE(r.code, 0);
  std::size_t ends = 0, errors = 0;
  for (const std::string& line : lines(r.err)) {
    const json event = parsed_json(line);
    ends += event["event"] == "end";
    errors += event["event"] == "error";
  }
  EXPECT_EQ(ends, 1u) << r.err.substr(r.err.size() - std::min<std::size_t>(r.err.size(), 2000));
  EXPECT_EQ(errors, 1u);
}

TEST_F(Signals, OfSeveralFilesThatCannotBeWrittenTheFirstIsSaid) {
  for (const char* name : {"a", "b"}) std::filesystem::create_directory(data.path(name));
  Process p(Arguments{sluice_path(), "train", "--data", data.folder().path(), "--batch-size", "100", "--epochs",
                      "1000000", "--trace", data.path("a/trace"), "--report", data.path("b/report")});
  ASSERT_TRUE(p.says("epoch="));
  for (const char* name : {"a", "b"}) std::filesystem::remove_all(data.path(name));
  p.signal(SIGINT);
  const Result r = p.wait();
  EXPECT_EQ(r.code, 1);
  EXPECT_TRUE(contains(lines(r.err).back(), data.path("a/trace"))) << r.err.substr(r.err.size() / 2);
}

// Whoever started it wants that it goes on.
TEST_F(Signals, ThatAreIgnoredFromTheBeginningDoNotEndARun) {
  Process p(Arguments{"nohup"} + endless());
  ASSERT_TRUE(p.says("epoch="));
  p.signal(SIGHUP);
  p.signal(SIGTERM);  // is taken behind it, if both are
  const Result r = p.wait();
  EXPECT_EQ(r.code, 128 + SIGTERM) << r.err;
}

// Whether one that comes while a test is under way ends it: its batches are then no multiple of those of a whole test.
// One that comes between two tests shows nothing, so there are several.
TEST_F(Signals, EndATestOfManyImagesWithinIt) {
  constexpr std::size_t many = 2'000'000;
  const std::string images = data.folder().write("many", test::idx_images(std::string(many, '\1'), 1, 1)),
                    labels = data.folder().write("labels", test::idx_labels(std::vector<std::uint8_t>(many))),
                    one = data.folder().write("one", test::idx_images(std::string(1, '\1'), 1, 1)),
                    its_label = data.folder().write("its", test::idx_labels({0}));
  const Arguments job{sluice_path(),   "train", "--train-images", one,   "--train-labels", its_label,
                      "--test-images", images,  "--test-labels",  labels};
  const auto batches = [&](const Result& r) {
    const std::size_t table = r.err.find("\nevaluate: ");
    const std::size_t row = r.err.find("\nforward ", table);
    EXPECT_TRUE(table != std::string::npos && row != std::string::npos) << r.err;
    std::size_t at_once = 0, items = 0;
    EXPECT_EQ(std::sscanf(r.err.c_str() + row, "\nforward %zu %zu", &at_once, &items), 2) << r.err;
    return items;
  };
  const std::size_t whole = batches(run(job + Arguments{"--epochs", "1", "--profile"}));
  ASSERT_GT(whole, 100u);
  bool within = false;
  for (int turn = 0; turn < 20 && !within; ++turn) {
    Process p(job + Arguments{"--epochs", "1000000", "--profile"});
    ASSERT_TRUE(p.says("epoch="));
    // Where there is one processor, who reads that line runs before who wrote it goes on.
    std::this_thread::sleep_for(turn * std::chrono::microseconds(300));
    p.signal(SIGINT);
    const Result r = p.wait();
    ASSERT_EQ(r.code, 130) << r.err;
    within = batches(r) % whole != 0;
  }
  EXPECT_TRUE(within);
}

// In one process, where it can be seen how many steps there were when it was told to stop.
TEST_F(Signals, EndARunAfterTheStepUnderWayOrTheNext) {
  const TrainingSettings settings{.batch_size = 1, .keeps_state = true};
  const Threads threads(2);
  Loading loading(stages::find_data_files({.folder = data.folder().path()}), {}, threads);
  const LabelledSet& set = loading.run().train;
  for (int turn = 0; turn < 20; ++turn) {
    stages::Weights initial;
    initial.renew() = stages::random_model(set.shape.pixels(), set.shape.classes, 0);
    Training training(set, settings, threads, initial);
    std::uint64_t done = 0;
    std::thread stopper([&] {
      const auto steps = [&] { return training.graph().stats().stage("gather").items; };
      while (steps() < 5) {
      }
      training.graph().cancel();
      done = steps();
    });
    // Where the signal is late, the run is complete.
    const auto run = [](Training& one, const std::function<void()>& between) {
      try {
        one.run(1, stages::Accumulate{}.sums, between);
      } catch (const Cancelled&) {
      }
    };
    run(training, {});
    stopper.join();
    // One that is counted a moment after its end, one under way.
    const double count = training.sums()["count"];
    EXPECT_LE(count, static_cast<double>(done + 2));
    // Sums and weights are of the same step.
    Training again(set, settings, threads, initial);
    std::string weights;
    run(again, [&] {
      if (again.sums()["count"] != count) return;
      weights = stages::weights_sha256(*again.weights());
      again.graph().cancel();
    });
    EXPECT_EQ(weights, stages::weights_sha256(*training.weights()));
  }
}

TEST_F(Signals, ARunThatIsCompleteAnswersUsr1NoMoreAndEndsWell) {
  for (int turn = 0; turn < 10; ++turn) {
    Process p(Arguments{sluice_path()} + Arguments{"train", "--data", data.folder().path(), "--epochs", "30"});
    ASSERT_TRUE(p.says("epoch="));
    for (int i = 0; i < 100; ++i) p.signal(SIGUSR1);
    const Result r = p.wait();
    EXPECT_EQ(r.code, 0) << r.signal;
  }
}

TEST_F(Signals, AFinishedJobMayBeInterruptedBeforeItHasItsWeights) {
  const Arguments job = data.train() + Arguments{"--checkpoint", file};
  trained(job);
  const std::string err = data.path("err");
  ASSERT_EQ(::mkfifo(err.c_str(), 0600), 0);
  const int full = ::open(err.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(full, 0);
  while (::write(full, "x", 1) == 1) {
  }
  const std::string images = data.path("images"), gzipped = test::gzip(train_images());
  ASSERT_EQ(::mkfifo(images.c_str(), 0600), 0);
  Process p(Arguments{"sh", "-c", "exec \"$0\" \"$@\" 2>'" + err + "'", sluice_path()} + job +
            Arguments{"--train-images", images});
  const int writer = ::open(images.c_str(), O_WRONLY | O_CLOEXEC);  // it takes signals by now
  ASSERT_EQ(::write(writer, gzipped.data(), gzipped.size()), static_cast<ssize_t>(gzipped.size()));
  ::close(writer);
  ::usleep(100'000);  // most likely it waits to say that the job is finished
  p.signal(SIGINT);
  ::usleep(20'000);  // most likely the signal is noted before it may go on; the end is right either way
  char buffer[65536];
  while (::read(full, buffer, sizeof buffer) > 0) {
  }
  const Result r = p.wait();
  EXPECT_TRUE(r.code == 130 || r.code == 0) << r.code << " " << r.signal;
  ::close(full);
}

void interrupt_over_and_over(const Arguments& job, const std::string& file) {
  const json whole = trained(job);
  int interrupted = 0;
  for (int turn = 0;; ++turn) {
    const int signal = turn % 3 ? SIGINT : SIGTERM;
    Process p(Arguments{sluice_path()} + job +
              Arguments{"--checkpoint", file, "--json", "--threads", std::to_string(1 + turn % 4)});
    ASSERT_TRUE(p.says("epoch="));
    ::usleep(static_cast<useconds_t>(turn * 7919 % 20000));  // anywhere in an epoch
    if (turn < 40) p.signal(signal);  // with sanitizers it would go on for as many turns as there are epochs
    const Result r = p.wait();
    if (!r.out.empty()) {  // complete, whether or not the signal still met it
      EXPECT_EQ(results_of(parsed_json(r.out)), results_of(whole));
      break;
    }
    ASSERT_EQ(r.code, 128 + signal) << r.err;
    ++interrupted;
  }
  EXPECT_GT(interrupted, 0);
}

TEST_F(Signals, AJobThatIsInterruptedOverAndOverHasTheSameBits) {
  interrupt_over_and_over({"train", "--data", data.folder().path(), "--batch-size", "3", "--epochs", "400"}, file);
}

TEST_F(Signals, AStreamedJobThatIsInterruptedOverAndOverHasTheSameBits) {
  interrupt_over_and_over({"train", "--data", data.folder().path(), "--batch-size", "3", "--epochs", "200", "--stream",
                           "--shuffle-buffer", "130"},
                          file);
}

TEST_F(Signals, TheSecondEndsItAtOnceWhateverItWaitsFor) {
  // Nobody reads its stderr, and there is no room left in the pipe.
  const std::string err = data.path("err"), images = data.path("images");
  ASSERT_EQ(::mkfifo(err.c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo(images.c_str(), 0600), 0);
  const int full = ::open(err.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(full, 0);
  while (::write(full, "x", 1) == 1) {
  }
  Process p(Arguments{"sh", "-c", "exec \"$0\" \"$@\" 2>'" + err + "'"} +
            endless({"--train-images", images, "--quiet"}));
  const int writer = ::open(images.c_str(), O_WRONLY | O_CLOEXEC);  // waits until it reads there
  p.signal(SIGINT);
  p.signal(SIGTERM);
  const Result r = p.wait();
  EXPECT_EQ(r.signal, SIGTERM) << r.code;
  ::close(writer), ::close(full);
}

TEST_F(Signals, ASourceThatWaitsForAPipeIsWoken) {
  const std::string pipe = data.path("pipe"), gzipped = test::gzip(train_images());
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::size_t sent : {std::size_t{0}, std::size_t{5}, gzipped.size() / 2, gzipped.size()})
    for (const std::string flag : {"--train-images", "--test-images"}) {
      Process p(endless({flag, pipe}));
      const int writer = ::open(pipe.c_str(), O_WRONLY | O_CLOEXEC);
      ASSERT_EQ(::write(writer, gzipped.data(), sent), static_cast<ssize_t>(sent));
      p.signal(SIGINT);
      const Result r = p.wait();
      EXPECT_EQ(r.code, 130) << r.err;
      EXPECT_TRUE(contains(r.err, "sluice: interrupted while loading")) << r.err;
      ::close(writer);
    }
}

TEST_F(Signals, Usr1IsAnsweredWithALine) {
  const std::string pipe = data.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Process p(endless({"--train-images", pipe}));
  const int writer = ::open(pipe.c_str(), O_WRONLY | O_CLOEXEC);
  p.signal(SIGUSR1);
  EXPECT_TRUE(p.says("sluice: loading the data, for "));
  const std::string gzipped = test::gzip(train_images());
  ASSERT_EQ(::write(writer, gzipped.data(), gzipped.size()), static_cast<ssize_t>(gzipped.size()));
  ::close(writer);
  ASSERT_TRUE(p.says("epoch="));
  p.signal(SIGUSR1);
  EXPECT_TRUE(p.says(" of 500 rows"));
  p.signal(SIGTERM);
  EXPECT_EQ(p.wait().code, 143);
}

TEST(Stderr, ThatNobodyReadsDoesNotEndTheRun) {
  const SmallData data;
  Process p(Arguments{sluice_path()} + data.train() + Arguments{"--json"}, {}, Process::Unread::err);
  const Result r = p.wait();
  EXPECT_EQ(r.code, 0) << r.signal;
  EXPECT_EQ(results_of(parsed_json(r.out)), results_of(trained(data.train())));
}

}  // namespace
}  // namespace sluice::apps::testing
