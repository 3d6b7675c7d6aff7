// That what was decoded behind invented windows becomes what the real one would have made of it.
#include <sluice/stages/unknown_window.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <sluice/stages/deflate_piece.hpp>
#include "tests/support/gzip.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::noise;

TEST(UnknownWindow, TheInventedOnesDifferInEveryPlaceAndNoTwoPlacesAreAlike) {
  const auto a = invented_window(0), b = invented_window(1);
  ASSERT_EQ(a.size(), deflate_window);
  ASSERT_EQ(b.size(), deflate_window);
  std::set<std::pair<int, int>> pairs;
  for (std::size_t i = 0; i < deflate_window; ++i) {
    EXPECT_NE(a[i], b[i]) << i;
    pairs.emplace(a[i], b[i]);
  }
  EXPECT_EQ(pairs.size(), deflate_window);
}

// Bytes that are their own, and copies of places in a window.
struct Copies {
  std::vector<std::uint8_t> a, b, expected;
};
Copies copies(std::size_t size, const std::vector<std::uint8_t>& window, std::size_t every) {
  Copies made;
  const std::string random = noise(3 * size, size + every);
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = [&](std::size_t k) { return static_cast<std::uint8_t>(random[3 * i + k]); };
    const std::size_t back = (std::size_t{byte(0)} << 8 | byte(1)) % std::max<std::size_t>(1, window.size());
    const bool copied = byte(2) % every == 0 && !window.empty();
    const std::size_t place = deflate_window - 1 - back;
    made.a.push_back(copied ? invented_window(0)[place] : byte(2));
    made.b.push_back(copied ? invented_window(1)[place] : byte(2));
    made.expected.push_back(copied ? window[window.size() - 1 - back] : byte(2));
  }
  return made;
}

TEST(UnknownWindow, CopiesOfItBecomeItsBytes) {
  UnknownBytes unknown;
  WindowTable table;
  for (const std::size_t size : {deflate_window, deflate_window - 1, std::size_t{300}, std::size_t{1}, std::size_t{0}})
    for (const std::size_t count : {0u, 1u, 7u, 8u, 63u, 64u, 65u, 5000u})
      for (const std::size_t every : {1u, 2u, 50u}) {
        const std::string bytes = noise(size, count + 3);
        const std::vector<std::uint8_t> window(bytes.begin(), bytes.end());
        Copies c = copies(count, window, every);
        unknown.find(c.a.data(), c.b.data(), count);
        table.set(window);
        ASSERT_TRUE(table.fill(c.a.data(), unknown));
        ASSERT_EQ(c.a, c.expected) << "window of " << size << ", " << count << " bytes, every " << every;
      }
}

TEST(UnknownWindow, EveryPlaceIsFound) {
  const std::string bytes = noise(deflate_window);
  const std::vector<std::uint8_t> window(bytes.begin(), bytes.end());
  std::vector<std::uint8_t> a(invented_window(0).begin(), invented_window(0).end());
  UnknownBytes unknown;
  unknown.find(a.data(), invented_window(1).data(), a.size());
  WindowTable table;
  table.set(window);
  ASSERT_TRUE(table.fill(a.data(), unknown));
  EXPECT_EQ(a, window);
}

TEST(UnknownWindow, WhatIsTakenFromBeforeItIsRefusedAndNothingChanged) {
  WindowTable table;
  const std::vector<std::uint8_t> window(1000, 7);
  table.set(std::vector<std::uint8_t>(deflate_window, 9));
  table.set(window);
  for (const std::size_t back : {1000u, 1001u, 32768u}) {
    const std::size_t place = deflate_window - back;
    std::vector<std::uint8_t> a{1, invented_window(0)[deflate_window - 1], invented_window(0)[place]};
    const std::vector<std::uint8_t> b{1, invented_window(1)[deflate_window - 1], invented_window(1)[place]}, before = a;
    UnknownBytes unknown;
    unknown.find(a.data(), b.data(), a.size());
    EXPECT_EQ(table.fill(a.data(), unknown), back == 1000) << back;
    EXPECT_EQ(a, back == 1000 ? (std::vector<std::uint8_t>{1, 7, 7}) : before) << back;
  }
}

}  // namespace
}  // namespace sluice::stages::testing
