#include <sluice/stages/synthesize.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <vector>

#include <sluice/stages/digest.hpp>
#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using sluice::test::expect_error;
using Image = std::vector<std::uint8_t>;

Image image(const Synthesize& s, std::uint64_t index, Split split = Split::train) {
  Image out(s.pixels());
  s.image(split, index, out.data());
  return out;
}

std::string digest_of(const Synthesize& s, Split split, std::uint64_t count) {
  Sha256 digest;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Image one = image(s, i, split);
    const std::uint8_t label = s.label(split, i);
    digest.add(one.data(), one.size());
    digest.add(&label, 1);
  }
  return digest.hex();
}

TEST(Synthesize, TheBytesAreTheSameOnEveryMachine) {
  EXPECT_EQ(digest_of(Synthesize({}), Split::train, 100),
            "93d89bbc0a83dba6895c64ebf8a1ed73c4bb3a185efa97f8ec73c5cfc092664a");
  EXPECT_EQ(digest_of(Synthesize({.rows = 5, .columns = 31, .classes = 256, .seed = 7}), Split::test, 100),
            "518cf93df634f2adcd4216eea2445c6f90f6c3150b2f91e240eca1a5786b7a2e");
}

TEST(Synthesize, AnImageIsTheSameInWhateverOrderItIsAskedFor) {
  const Synthesize s({.rows = 33, .columns = 40});  // more pixels than are made at a time
  const Image later = image(s, 1'000'000'007), sooner = image(s, 3);
  EXPECT_EQ(image(s, 3), sooner);
  EXPECT_EQ(image(s, 1'000'000'007), later);
  EXPECT_NE(sooner, later);
}

TEST(Synthesize, ADifferentSeedOrSplitIsADifferentSet) {
  EXPECT_NE(digest_of(Synthesize({.seed = 1}), Split::train, 3), digest_of(Synthesize({.seed = 2}), Split::train, 3));
  EXPECT_NE(digest_of(Synthesize({}), Split::train, 3), digest_of(Synthesize({}), Split::test, 3));
}

TEST(Synthesize, EveryClassOccursAboutAsOften) {
  const Synthesize s({.classes = 10});
  std::vector<int> count(10);
  for (std::uint64_t i = 0; i < 10'000; ++i) ++count.at(s.label(Split::train, i));
  for (const int n : count) EXPECT_NEAR(n, 1000, 150);
}

TEST(Synthesize, AnImageIsNearestToTheMeanOfItsClassMostOfTheTime) {
  const Synthesize s({.classes = 10});
  std::vector<std::vector<double>> mean(10, std::vector<double>(s.pixels()));
  std::vector<double> count(10);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::size_t label = s.label(Split::train, i);
    const Image one = image(s, i);
    for (std::size_t p = 0; p < one.size(); ++p) mean[label][p] += one[p];
    ++count[label];
  }
  int right = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const Image one = image(s, i, Split::test);
    std::vector<double> distance(10);
    for (std::size_t c = 0; c < 10; ++c)
      for (std::size_t p = 0; p < one.size(); ++p) {
        const double d = one[p] - mean[c][p] / count[c];
        distance[c] += d * d;
      }
    right += std::min_element(distance.begin(), distance.end()) - distance.begin() == s.label(Split::test, i);
  }
  EXPECT_GT(right, 400);
  EXPECT_LT(right, 500) << "not quite separable";
}

TEST(Synthesize, HasZerosAsPicturesHave) {
  const Synthesize s({});
  std::size_t zeros = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Image one = image(s, i);
    zeros += static_cast<std::size_t>(std::count(one.begin(), one.end(), 0));
  }
  EXPECT_GT(zeros, 100 * s.pixels() / 5);
  EXPECT_LT(zeros, 100 * s.pixels() * 4 / 5);
}

TEST(Synthesize, ImagesOfOnePixelAndOfTwoClasses) {
  const Synthesize s({.rows = 1, .columns = 1, .classes = 2});
  std::set<int> labels;
  for (std::uint64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(image(s, i).size(), 1u);
    labels.insert(s.label(Split::train, i));
  }
  EXPECT_EQ(labels, (std::set<int>{0, 1}));
}

TEST(Synthesize, SizesThatCannotBeAreRefused) {
  expect_error<std::invalid_argument>([] { Synthesize({.rows = 0}); }, {"0 x 28", "expected at least 1 x 1"});
  expect_error<std::invalid_argument>([] { Synthesize({.columns = 0}); }, {"28 x 0"});
  for (const std::size_t classes : {0u, 1u, 257u})
    expect_error<std::invalid_argument>([&] { Synthesize({.classes = classes}); },
                                        {std::to_string(classes) + " classes", "expected 2 to 256"});
}

}  // namespace
}  // namespace sluice::stages
