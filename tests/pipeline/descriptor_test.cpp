// Lines and blocks of a descriptor, as sources that wait.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <sluice/pipeline/descriptor.hpp>
#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

class Pipe {
 public:
  Pipe() {
    if (pipe(ends_) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }
  ~Pipe() {
    close(ends_[0]);
    end();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int out() const { return ends_[0]; }
  void put(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = write(ends_[1], text.data(), text.size());
      ASSERT_GT(n, 0);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void end() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2];
};

using Strings = std::vector<std::string>;

// What Lines gives of a text that is written in pieces of `piece` bytes.
Strings lines_of(const std::string& text, std::size_t piece, std::size_t longest = Lines::default_longest) {
  Pipe pipe;
  Collect<std::string> taken;
  Graph g("lines", threads(1));
  g.sink("taken", std::ref(taken), g.source("lines", Lines(pipe.out(), longest), capacity(3)));
  std::jthread writer([&] {
    for (std::size_t at = 0; at < text.size(); at += piece) pipe.put(std::string_view(text).substr(at, piece));
    pipe.end();
  });
  g.run();
  writer.join();
  return taken.taken;
}

TEST(Lines, AreWhatLiesBetweenNewlinesHoweverTheyArrive) {
  const std::string text = std::string("one\n\ntwo\r\nthr\0ee\n", 17) + std::string(70'000, 'x') + "\nlast";
  const Strings expected{"one", "", "two\r", std::string("thr\0ee", 6), std::string(70'000, 'x'), "last"};
  for (const std::size_t piece : {std::size_t{1000}, text.size()}) EXPECT_EQ(lines_of(text, piece), expected);
  EXPECT_EQ(lines_of("a\nb\n", 1), (Strings{"a", "b"}));
  EXPECT_EQ(lines_of("", 1), Strings{});
  EXPECT_EQ(lines_of("\n", 1), Strings{""});
}

TEST(Lines, OfAFileToo) {
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  Collect<std::string> taken;
  Graph g("lines", threads(2));
  g.sink("taken", std::ref(taken), g.source("lines", Lines(file)));
  g.run();
  close(file);
  ASSERT_GT(taken.taken.size(), 10u);
  EXPECT_TRUE(taken.taken[0].starts_with("Name:"));
}

TEST(Lines, ThatAreTooLongAreAnErrorAndMayBeSkipped) {
  const std::string text = "short\n" + std::string(20'000, 'l') + "\nnext\n";
  try {
    lines_of(text, text.size(), 100);
    FAIL();
  } catch (const StageError& e) {
    EXPECT_EQ(e.sequence(), 1u);
    EXPECT_TRUE(e.cause_as<std::length_error>());
    EXPECT_STREQ(e.what(), "stage 'lines', message 1: a line of more than 100 bytes");
  }
  Pipe pipe;
  Collect<std::string> taken;
  Graph g("lines", threads(1));
  g.sink("taken", std::ref(taken), g.source("lines", Lines(pipe.out(), 100), on_error(skip)));
  std::jthread writer([&] {
    pipe.put(text);
    pipe.end();
  });
  g.run();
  writer.join();
  EXPECT_EQ(taken.taken, (Strings{"short", "next"}));
}

// The line is answered although the pipe stays open and silent; and a stop ends the run at once, with no line lost.
TEST(Lines, AreHandedOnAtOnceAndAStopWakesThem) {
  for_each_thread_count([](std::size_t count) {
    Pipe pipe;
    Strings taken;
    Signal two;
    Graph g("lines", threads(count));
    g.sink(
        "taken",
        [&](const std::string& line) {
          taken.push_back(line);
          if (taken.size() == 2) two.raise();
        },
        g.source("lines", Lines(pipe.out())));
    std::thread other([&] {
      pipe.put("one\ntwo\nunfin");
      EXPECT_TRUE(two.wait());
      g.stop();
    });
    EXPECT_EQ(g.run().why, RunEnd::stopped);
    other.join();
    EXPECT_EQ(taken, (Strings{"one", "two"}));
    // The next run goes on where this one ended.
    pipe.put("ished\n");
    pipe.end();
    EXPECT_EQ(g.run().why, RunEnd::complete);
    EXPECT_EQ(taken, (Strings{"one", "two", "unfinished"}));
  });
}

TEST(Lines, OfADescriptorThatDoesNotBlock) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  Collect<std::string> taken;
  Graph g("lines", threads(1));
  g.sink("taken", std::ref(taken), g.source("lines", Lines(ends[0])));
  std::thread other([&] {
    EXPECT_EQ(write(ends[1], "a\nb", 3), 3);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(write(ends[1], "c\n", 2), 2);
    close(ends[1]);
  });
  g.run();
  other.join();
  close(ends[0]);
  EXPECT_EQ(taken.taken, (Strings{"a", "bc"}));
}

TEST(Lines, OfWhatIsNoDescriptorAreAnError) {
  Graph g("lines", threads(1));
  g.sink(
      "taken", [](const std::string&) {}, g.source("lines", Lines(1 << 20)));
  try {
    g.run();
    FAIL();
  } catch (const StageError& e) {
    EXPECT_TRUE(e.cause_as<std::system_error>()) << e.what();
  }
}

TEST(Lines, HaveEndedBehindAnErrorOfTheSystemAlsoWhereItIsSkipped) {
  int errors = 0;
  Graph g("lines", threads(1));
  g.sink(
      "taken", [](const std::string&) {},
      g.source("lines", Lines(1 << 20), on_error(skip, [&](const StageError&) { ++errors; })));
  g.run();
  EXPECT_EQ(errors, 1);
}

TEST(Blocks, AreTheBytesInOrder) {
  Pipe pipe;
  std::string text, taken;
  for (int n = 0; n < 100'000; ++n) text += std::to_string(n);
  Graph g("blocks", threads(2));
  std::size_t longest = 0;
  g.sink(
      "taken",
      [&](const std::string& block) {
        longest = std::max(longest, block.size());
        taken += block;
      },
      g.source("blocks", Blocks(pipe.out(), 1000), capacity(4)));
  std::jthread writer([&] {
    pipe.put(text);
    pipe.end();
  });
  g.run();
  writer.join();
  EXPECT_EQ(taken, text);
  EXPECT_LE(longest, 1000u);
}

}  // namespace
}  // namespace sluice::test
