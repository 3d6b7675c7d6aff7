#include "apps/ranks/sharing.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "tests/support/thread_peers.hpp"

namespace sluice::apps::testing {
namespace {

using sluice::testing::ThreadRanks;
using stages::Incoming;
using stages::Outgoing;
using stages::Peers;
using stages::SharedMemory;

void meet(Peers& peers) {
  peers.swap(std::vector<Outgoing>(peers.ranks()), std::vector<Incoming>(peers.ranks()), "nothing");
}

TEST(Sharing, RanksOfAHostReadWhatEachHasWritten) {
  const std::vector<std::string> hosts = {"a", "b", "a", "a"};
  ThreadRanks ranks(hosts.size());
  ranks.run([&](Peers& engine) {
    const std::size_t mine = engine.rank();
    Sharing peers(engine, hosts[mine]);
    SharedMemory first;
    for (const std::size_t bytes : {std::size_t{4096}, std::size_t{100000}}) {
      const SharedMemory shared = peers.share(bytes, "a test");
      ASSERT_EQ(shared.own != nullptr, hosts[mine] == "a");
      if (shared.own) std::memset(shared.own, static_cast<int>(mine + 1), bytes);
      meet(peers);
      for (std::size_t r = 0; r < hosts.size(); ++r) {
        const bool together = r != mine && hosts[r] == hosts[mine];
        ASSERT_EQ(shared.of[r] != nullptr, together) << mine << " of " << r;
        ASSERT_EQ(shared.seen_by[r] != 0, together) << mine << " by " << r;
        if (!together) continue;
        const std::vector<std::byte> its(shared.of[r], shared.of[r] + bytes);
        EXPECT_EQ(std::set<std::byte>(its.begin(), its.end()), std::set<std::byte>{std::byte(r + 1)});
        if (bytes == 4096)
          first = shared;
        else
          EXPECT_EQ(first.of[r][4095], std::byte(r + 1));  // what an earlier call gave stays
      }
      meet(peers);
    }
  });
}

// Peers whose first message says something else than was given: as one in another container would, whose numbers of
// processes and files are those of somebody else.
class Elsewhere final : public Peers {
 public:
  explicit Elsewhere(Peers& engine) : engine_(engine) {}
  std::size_t rank() const override { return engine_.rank(); }
  std::size_t ranks() const override { return engine_.ranks(); }
  void swap(std::span<const Outgoing> to, std::span<const Incoming> from, const char* what) override {
    engine_.swap(to, from, what);
    if (swaps_++ > 0) return;
    for (const Incoming& one : from) {
      std::string text(static_cast<const char*>(one.data), one.bytes);
      const std::size_t at = text.find("\"secret\":[");
      if (at == std::string::npos) continue;  // its own
      char& digit = static_cast<char*>(one.data)[at + std::strlen("\"secret\":[")];
      digit = digit == '1' ? '2' : '1';
    }
  }

 private:
  Peers& engine_;
  int swaps_ = 0;
};

TEST(Sharing, WhatIsNotProvedToBeTheSameMemoryIsNotShared) {
  ThreadRanks ranks(2);
  ranks.run([&](Peers& engine) {
    Elsewhere elsewhere(engine);
    Sharing peers(elsewhere, "a");
    const SharedMemory shared = peers.share(100, "a test");
    EXPECT_EQ(shared.own, nullptr);
    for (std::size_t r = 0; r < 2; ++r) {
      EXPECT_EQ(shared.of[r], nullptr);
      EXPECT_FALSE(shared.seen_by[r]);
    }
  });
}

}  // namespace
}  // namespace sluice::apps::testing
