// Stages that take their message out of its slot, and messages that are gone when their last reader is done.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

using Box = std::unique_ptr<int>;

auto boxes(Graph& g, int count) {
  return g.map(
      "boxes", [](const int& n) { return std::make_unique<int>(n); }, g.source("numbers", Count(count)), unlimited);
}

TEST(Taking, AMapMayTakeItsMessageByValueOrByRvalue) {
  for_each_thread_count([](std::size_t count) {
    Collect<> taken;
    Graph g("take", threads(count));
    auto more = g.map(
        "more",
        [](Box box) {
          ++*box;
          return box;
        },
        boxes(g, 500), unlimited);
    auto out = g.map(
        "out", [](Box&& box) { return *std::move(box); }, more);
    g.sink("taken", std::ref(taken), out);
    g.run();
    EXPECT_EQ(taken.taken, iota(500, 1));
  });
}

TEST(Taking, SoMayAnExpandAndASink) {
  struct Twice {
    Box held;
    int left = 0;
    void push(Box&& box) { held = std::move(box), left = 2; }
    std::optional<int> pull() { return left-- > 0 ? std::optional(*held) : std::nullopt; }
  };
  std::vector<Box> kept;
  int sum = 0;
  Graph g("take", threads(2));
  g.sink(
      "sum", [&](const int& n) { sum += n; }, g.expand("twice", Twice{}, boxes(g, 100)));
  auto more = g.map(
      "boxed", [](const int& n) { return std::make_unique<int>(n); }, g.source("others", Count(50)));
  g.sink(
      "kept", [&](Box box) { kept.push_back(std::move(box)); }, more);
  g.run();
  EXPECT_EQ(sum, 9900);
  ASSERT_EQ(kept.size(), 50u);
  EXPECT_EQ(*kept[49], 49);
}

TEST(Taking, HasARecyclingFormToo) {
  Collect<int> taken;
  Graph g("take", threads(2));
  auto out = g.map<std::vector<int>>(
      "out", [](Box&& box, std::vector<int>& v) { v.assign(3, *box); }, boxes(g, 100));
  g.sink("taken", std::ref(taken),
         g.map(
             "last", [](const std::vector<int>& v) { return v[2]; }, out));
  g.run();
  EXPECT_EQ(taken.taken, iota(100));
}

TEST(Taking, WhatOthersReadTooIsCopiedForAValueAndRefusedForAnRvalue) {
  Graph g("take", threads(2));
  auto words = g.map(
      "words", [](const int& n) { return std::string(100, static_cast<char>('a' + n % 26)); },
      g.source("numbers", Count(100)));
  int wrong = 0;
  auto changed = g.map(
      "changed",
      [](std::string word) {
        word[0] = '!';
        return word;
      },
      words, unlimited);
  g.sink(
      "both", [&](const std::string& word, const std::string& other) { wrong += word[0] == '!' || other[0] != '!'; },
      words, changed);
  g.run();
  EXPECT_EQ(wrong, 0);

  Graph h("take", threads(1));
  auto read = boxes(h, 10);
  h.sink(
      "a", [](Box&&) {},
      h.map(
          "rvalue", [](Box&& box) { return std::move(box); }, read));
  h.sink(
      "b", [](const Box&) {}, read);
  EXPECT_EQ(
      mistakes(h),
      Mistakes{
          "map 'rvalue': it takes the messages of 'boxes' out of their slots, and 'b' needs them too: let it look at "
          "them, const In&"});
}

// A message that only one stage reads, and by value, is moved: no copy of it is made.
TEST(Taking, AValueOfTheOnlyReaderIsMoved) {
  static std::atomic<int> copies;
  copies = 0;
  struct Copied {
    Copied() = default;
    Copied(const Copied& other) : words(other.words) { ++copies; }
    Copied(Copied&&) = default;
    Copied& operator=(const Copied&) = default;
    Copied& operator=(Copied&&) = default;
    std::string words;
  };
  Graph g("take", threads(2));
  auto made = g.map(
      "made", [](const int&) { return Copied(); }, g.source("numbers", Count(50)));
  auto out = g.map(
      "out", [](Copied c) { return c; }, made);
  struct Qualified {
    Copied operator()(Copied c) const& noexcept { return c; }
  };
  g.sink(
      "end", [](Copied) {}, g.map("qualified", Qualified{}, out));
  g.run();
  EXPECT_EQ(copies, 0);
}

// What a message holds is given back when its last reader is done, not when its slot is used again.
class Permits {
 public:
  explicit Permits(int count) : left_(count) {}
  struct Permit {
    Permits* of = nullptr;
    Permit() = default;
    explicit Permit(Permits* permits) : of(permits) {}
    Permit(Permit&& other) noexcept : of(std::exchange(other.of, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(of, other.of);
      return *this;
    }
    ~Permit() {
      if (of) of->give_back();
    }
  };
  std::optional<Permit> get(const std::stop_token& token) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, token, [this] { return left_ > 0; })) return std::nullopt;
    --left_;
    return Permit(this);
  }
  int left() {
    const std::lock_guard lock(mutex_);
    return left_;
  }

 private:
  void give_back() {
    const std::lock_guard lock(mutex_);
    ++left_;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int left_;
};

TEST(Release, AMessageThatHoldsAPermitGivesItBackWhenItIsConsumed) {
  for_each_thread_count([](std::size_t count) {
    for (const int kind : {0, 1, 2, 3}) {
      Permits permits(4);
      int made = 0, seen = 0;
      Graph g("permits", threads(count));
      auto in = g.source(
          "permits", [&](const std::stop_token& token) { return made++ < 1000 ? permits.get(token) : std::nullopt; },
          capacity(16));
      const auto end = [&](const auto&) { ++seen; };
      if (kind == 0) g.sink("end", end, in);
      if (kind == 1)
        g.sink("end", end,
               g.filter(
                   "all", [](const Permits::Permit&) { return true; }, in));
      if (kind == 2) {
        auto numbers = g.source("numbers", Count(1000));
        g.sink("end", end, g.zip("pair", in, numbers));
      }
      if (kind == 3) {
        g.sink("end", end, in);
        g.sink(
            "other", [](const Permits::Permit&) {}, in);
      }
      g.run();
      EXPECT_EQ(seen, 1000) << kind;
      EXPECT_EQ(permits.left(), 4) << kind << ": nothing of it lives on behind the run";
    }
  });
}

// Also where many are there at once: a body that takes its time is given one at a time.
TEST(Release, EachMessageIsGoneBeforeTheNextIsTaken) {
  static std::atomic<int> living;
  living = 0;
  struct Counted {
    Counted() { ++living; }
    Counted(Counted&&) noexcept { ++living; }
    Counted& operator=(Counted&&) = default;
    ~Counted() { --living; }
  };
  Graph g("release", threads(1));
  int made = 0, taken = 0, most = 0;
  auto messages = g.source(
      "messages",
      [&]() -> std::optional<Counted> { return made++ < 12 ? std::optional<Counted>(Counted()) : std::nullopt; },
      capacity(16));
  g.sink(
      "slow",
      [&](const Counted&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (taken++ > 2) most = std::max(most, living - (12 - taken + 1));
      },
      messages);
  g.run();
  EXPECT_EQ(most, 0) << "those before it are gone";
}

TEST(Release, WhatTheRecyclingFormWroteStays) {
  std::vector<const int*> seen;
  Graph g("recycled", threads(1));
  auto blocks = g.map<std::vector<int>>(
      "blocks", [](const int& n, std::vector<int>& out) { out.assign(64, n); }, g.source("numbers", Count(100)));
  g.sink(
      "end", [&](const std::vector<int>& b) { seen.push_back(b.data()); }, blocks);
  g.run();
  EXPECT_EQ(seen[80], seen[80 - default_capacity]) << "the memory of an earlier message";
}

}  // namespace
}  // namespace sluice::test
