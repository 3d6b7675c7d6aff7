#include <sluice/stages/held_out.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <vector>

#include "tests/support/files.hpp"

namespace sluice::stages::testing {
namespace {

using test::expect_error;

// Rows that are known by where they lie; of class c as many as counts[c], mixed.
struct Sample {
  explicit Sample(const std::vector<std::size_t>& counts) {
    set.rows = 1, set.columns = 1;
    set.classes = counts.size();
    std::vector<std::size_t> left = counts;
    for (std::size_t c = 0; std::any_of(left.begin(), left.end(), [](std::size_t n) { return n > 0; });
         c = (c + 1) % counts.size())
      if (left[c] > 0) set.labels.push_back(static_cast<std::uint16_t>(c)), --left[c];
    pixels.resize(set.labels.size());
    for (const std::uint8_t& pixel : pixels) set.images.push_back(&pixel);
  }
  std::vector<std::uint8_t> pixels;
  DataSet set;
};

std::vector<std::size_t> of_classes(const DataSet& set) {
  std::vector<std::size_t> counts(set.classes);
  for (const std::uint16_t label : set.labels) ++counts[label];
  return counts;
}

TEST(HeldOut, IsTheSameShareOfEveryClassAndTheRestIsLeft) {
  const Sample sample({100, 45, 10});
  const HeldOut parts = hold_out(sample.set, HeldOutPart::of("0.1"), 7);
  EXPECT_EQ(of_classes(parts.held), (std::vector<std::size_t>{10, 4, 1}));
  EXPECT_EQ(of_classes(parts.left), (std::vector<std::size_t>{90, 41, 9}));
  EXPECT_EQ(parts.held.size() + parts.left.size(), sample.set.size());
  EXPECT_TRUE(std::is_sorted(parts.held.images.begin(), parts.held.images.end()));
  EXPECT_TRUE(std::is_sorted(parts.left.images.begin(), parts.left.images.end()));
  std::set<const std::uint8_t*> all(parts.held.images.begin(), parts.held.images.end());
  all.insert(parts.left.images.begin(), parts.left.images.end());
  EXPECT_EQ(all.size(), sample.set.size());
  for (const DataSet* part : {&parts.held, &parts.left})
    for (std::size_t i = 0; i < part->size(); ++i)
      EXPECT_EQ(part->labels[i], sample.set.labels[static_cast<std::size_t>(part->images[i] - sample.pixels.data())]);
}

TEST(HeldOut, DependsOnTheSeedAlone) {
  const Sample sample({50, 50});
  const auto held = [&](std::uint64_t seed) { return hold_out(sample.set, HeldOutPart::of("0.2"), seed).held.images; };
  EXPECT_EQ(held(1), held(1));
  EXPECT_NE(held(1), held(2));
}

TEST(HeldOut, FoldsShareNoRowAndLeaveNoneOut) {
  const Sample sample({23, 40, 11});
  for (const char* folds : {"2", "3", "7", "11"}) {
    std::multiset<const std::uint8_t*> all;
    std::size_t count = 0;
    for (int k = 1; k <= std::stoi(folds); ++k) {
      const HeldOut parts = hold_out(sample.set, HeldOutPart::of(std::to_string(k) + "/" + folds), 3);
      all.insert(parts.held.images.begin(), parts.held.images.end());
      count += parts.held.size();
    }
    EXPECT_EQ(count, sample.set.size()) << folds;
    EXPECT_EQ(std::set(all.begin(), all.end()).size(), count) << folds;
  }
}

TEST(HeldOut, OfAClassNeitherAllNorNone) {
  expect_error<std::invalid_argument>(
      [] {
        hold_out(Sample({100, 3}).set, HeldOutPart::of("0.1"), 0);
      },
      {"of class 1, which has 3 rows, none would be held out"});
  expect_error<std::invalid_argument>(
      [] {
        hold_out(Sample({100, 1}).set, HeldOutPart::of("0.9"), 0);
      },
      {"of class 1, which has 1 row, all would be held out"});
  EXPECT_EQ(of_classes(hold_out(Sample({10, 0, 10}).set, HeldOutPart::of("0.5"), 0).held),
            (std::vector<std::size_t>{5, 0, 5}));
}

TEST(HeldOutPart, IsAShareOrOneOfSeveral) {
  for (const char* text : {"", "0", "1", "-0.1", "1.5", "x", "0.1x", "nan", "inf", "0/2", "3/2", "1/1", "1/", "/2",
                           "1/1001", "1/2/3", "-1/2", "1.0/2", " 1/2"})
    expect_error<std::invalid_argument>([&] { HeldOutPart::of(text); }, {std::string("'") + text + "' is neither"});
  EXPECT_EQ(HeldOutPart::of("0.25").to, 0.25);
  EXPECT_EQ(HeldOutPart::of("2/5").from, 0.2);
  EXPECT_EQ(HeldOutPart::of("2/5").to, 0.4);
}

}  // namespace
}  // namespace sluice::stages::testing
