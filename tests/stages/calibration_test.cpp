#include <sluice/stages/calibration.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <vector>

#include <sluice/stages/accuracy.hpp>
#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

// Rows with these very logits: row r has a pixel of its own, whose weights they are.
struct Rows {
  Rows(const std::vector<std::vector<float>>& logits, const std::vector<std::uint16_t>& labels)
      : Rows(logits, labels, logits.front().size()) {}
  Rows(const std::vector<std::vector<float>>& logits, const std::vector<std::uint16_t>& labels, std::size_t classes)
      : memory(logits.size() * logits.size()) {
    batch.pixels = logits.size();
    batch.labels = labels;
    Model& model = weights.renew();
    model.pixels = logits.size(), model.classes = classes, model.divisor = 1;
    model.weights.assign(kernels::weights_size(model.pixels, classes), 0.f);
    model.bias.assign(classes, 0.f);
    for (std::size_t r = 0; r < logits.size(); ++r) {
      memory[r * logits.size() + r] = 1;
      batch.rows.push_back(memory.data() + r * logits.size());
      for (std::size_t c = 0; c < classes; ++c)
        model.weights[kernels::packed_index(r, c, classes)] = c < logits[r].size() ? logits[r][c] : -50;
    }
  }

  std::vector<std::uint8_t> memory;
  Batch batch;
  Weights weights;
};

Calibration counted(const Batch& batch, const Weights& weights, std::size_t parts = 1) {
  Calibration calibration{.classes = weights->classes};
  for (const Scored& scored : Step(batch, weights, parts).scored) calibration(scored);
  return calibration;
}
Calibration counted(const Rows& rows) {
  return counted(rows.batch, rows.weights);
}

// All that is told of it.
std::vector<double> numbers_of(const Calibration& calibration) {
  std::vector<double> all(calibration.ranks.begin(), calibration.ranks.end());
  for (const Reliability::Bin& bin : calibration.reliability.bins)
    all.insert(all.end(), {static_cast<double>(bin.rows), static_cast<double>(bin.hits), bin.confidence});
  for (std::size_t c = 0; c < calibration.classes; ++c)
    if (const auto area = calibration.roc.area(c)) all.insert(all.end(), {area->value, area->error});
  return all;
}

TEST(Reliability, ErrorsAreThoseThatWereWorkedOutByHand) {
  Reliability r;
  // Bin 14: one of two is right, said with 0.95 and 0.97. Bin 7: right, 0.5. Bin 6: wrong, 0.41.
  r.add(0.95f, true), r.add(0.97f, false), r.add(0.5f, true), r.add(0.41f, false);
  EXPECT_EQ(r.bins[14].rows, 2u);
  EXPECT_EQ(r.bins[14].accuracy(), 0.5);
  EXPECT_NEAR(*r.bins[14].mean_confidence(), 0.96, 1e-7);
  EXPECT_EQ(r.bins[7].rows, 1u);
  EXPECT_EQ(r.bins[6].rows, 1u);
  EXPECT_NEAR(*r.expected_error(), 2 / 4.0 * 0.46 + 1 / 4.0 * 0.5 + 1 / 4.0 * 0.41, 1e-7);
  EXPECT_NEAR(*r.largest_error(), 0.5, 1e-7);
  EXPECT_EQ(r.all().rows, 4u);
  EXPECT_EQ(r.all().accuracy(), 0.5);
  EXPECT_NEAR(*r.all().mean_confidence(), 0.7075, 1e-7);
}

TEST(Reliability, OneIsInTheLastBinAndEachEdgeInTheBinAboveIt) {
  Reliability r;
  r.add(1, true), r.add(0, false);
  EXPECT_EQ(r.bins[14].rows, 1u);
  EXPECT_EQ(r.bins[0].rows, 1u);
  // The float32 numbers next to b / 15, which is none itself.
  for (std::size_t b = 1; b < Reliability::count; ++b) {
    const double edge = static_cast<double>(b) / 15;
    auto above = static_cast<float>(edge);
    if (static_cast<double>(above) < edge) above = std::nextafter(above, 1.f);
    Reliability two;
    two.add(above, true), two.add(std::nextafter(above, 0.f), true);
    EXPECT_EQ(two.bins[b].rows, 1u) << b;
    EXPECT_EQ(two.bins[b - 1].rows, 1u) << b;
  }
}

TEST(Reliability, WithoutRowsThereIsNoError) {
  const Reliability none;
  EXPECT_FALSE(none.expected_error() || none.largest_error());
  EXPECT_FALSE(none.all().accuracy() || none.bins[3].mean_confidence());
}

TEST(Calibration, OfOneRowIsThatRow) {
  const Calibration right = counted(Rows({{2, 0, 0}}, {0}));
  const double p = std::exp(2) / (std::exp(2) + 2);  // 0.787
  EXPECT_NEAR(*right.reliability.expected_error(), 1 - p, 1e-6);
  EXPECT_EQ(right.reliability.bins[11].hits, 1u);
  EXPECT_EQ(right.top(1), 1);
  EXPECT_FALSE(right.roc.area(0)) << "there is no other row";
  const Calibration wrong = counted(Rows({{2, 0, 0}}, {2}));
  EXPECT_NEAR(*wrong.reliability.expected_error(), p, 1e-6);
  EXPECT_EQ(wrong.top(1), 0);
  EXPECT_EQ(wrong.top(2), 0) << "of equal classes the lower one is first";
  EXPECT_EQ(wrong.top(3), 1);
}

TEST(Calibration, CountsHowManyClassesAreAboveTheRightOne) {
  // From the most likely on: 3 0 2 1; 0 1 2 3; 2 3 0 1.
  const Calibration c = counted(Rows({{3, -1, 2, 4}, {1, 1, 1, 1}, {0, -5, 7, 1}}, {2, 1, 2}));
  EXPECT_EQ(c.ranks[0], 1u);
  EXPECT_EQ(c.ranks[1], 1u);
  EXPECT_EQ(c.ranks[2], 1u);
  EXPECT_DOUBLE_EQ(*c.top(1), 1 / 3.0);
  EXPECT_DOUBLE_EQ(*c.top(2), 2 / 3.0);
  EXPECT_EQ(c.top(3), 1);
  EXPECT_EQ(c.top(10), 1);
}

TEST(Calibration, OfTheFirstClassIsTheAccuracyAlsoWhereProbabilitiesOfDifferentLogitsAreEqual) {
  const float less = -1e-9f;  // e to that is 1
  const Rows rows({{less, 0, -3}, {less, 0, -3}, {0, 0, -3}, {-200, -100, 0}}, {0, 1, 1, 0});
  const Calibration c = counted(rows);
  EXPECT_EQ(c.ranks[0], 1u);
  EXPECT_EQ(c.ranks[1], 3u) << "in the last, probabilities that came to 0 are in the order of the classes";
  EXPECT_EQ(c.top(1), 0.25);

  for (const std::size_t classes : Sizes{2, 10, 300}) {
    const Example example(700, 30, classes);
    const Weights weights = example_weights(30, classes, 0.4f);
    const BatchHits hits = Accuracy{}(Step(example.batch, weights, 1).scored[0]);
    const Calibration of = counted(example.batch, weights);
    EXPECT_EQ(of.ranks[0], hits.hits);
    EXPECT_EQ(of.top(1), static_cast<double>(hits.hits) / 700);
    EXPECT_EQ(of.reliability.all().hits, hits.hits);
  }
}

double log_odds(const std::vector<float>& logits, std::size_t c) {
  double others = 0;
  for (std::size_t k = 0; k < logits.size(); ++k)
    if (k != c) others += std::exp(static_cast<double>(logits[k]) - static_cast<double>(logits[c]));
  return -std::log(others);
}

TEST(Calibration, AgreesWithTheDefinitionsOnRandomLogits) {
  for (const std::uint32_t classes : {2u, 3u, 10u, 64u})
    for (const float spread : {1.f, 10.f}) {
      Numbers numbers(classes);
      std::vector<std::vector<float>> logits;
      std::vector<std::uint16_t> labels;
      for (int i = 0; i < 300; ++i) {
        labels.push_back(static_cast<std::uint16_t>(numbers.whole(classes - (classes > 3))));  // the last has no row
        auto& row = logits.emplace_back();
        for (std::uint32_t c = 0; c < classes; ++c)
          row.push_back(std::round(numbers.between(-spread, spread) * 4) / 4 + (c == labels.back() ? 1.f : 0.f));
      }
      const Calibration counts = counted(Rows(logits, labels));

      std::vector<std::uint64_t> ranks(Calibration::most_ranks);
      for (std::size_t i = 0; i < labels.size(); ++i) {
        std::size_t above = 0;
        for (std::size_t c = 0; c < classes; ++c)
          above += logits[i][c] > logits[i][labels[i]] || (logits[i][c] == logits[i][labels[i]] && c < labels[i]);
        if (above < ranks.size()) ++ranks[above];
      }
      EXPECT_TRUE(std::equal(ranks.begin(), ranks.end(), counts.ranks.begin())) << classes;

      for (std::size_t c = 0; c < classes; ++c) {
        double above = 0, pairs = 0;
        for (std::size_t i = 0; i < labels.size(); ++i)
          for (std::size_t j = 0; j < labels.size(); ++j) {
            if (labels[i] != c || labels[j] == c) continue;
            const double a = log_odds(logits[i], c), b = log_odds(logits[j], c);
            ++pairs, above += std::abs(a - b) < 1e-9 ? 0.5 : a > b ? 1 : 0;
          }
        const auto area = counts.roc.area(c);
        ASSERT_EQ(area.has_value(), pairs > 0) << c;
        if (area) {
          EXPECT_NEAR(area->value, above / pairs, area->error + 1e-12) << classes << ", " << c;
          EXPECT_LT(area->error, classes == 2 ? 0.05 : 0.02);
        }
      }
    }
}

// 1 - p is 0 in float32 from log odds of 17 on, and p of the label is, less 1, -1 below -17.
TEST(Calibration, LogOddsAreToldApartNextToOneAndNextToZero) {
  for (const float sign : {1.f, -1.f})
    for (float z = 12; z < 31; z += 1)
      for (const std::uint16_t label : {std::uint16_t{0}, std::uint16_t{1}}) {
        const Rows rows({{0, sign * z}, {0, sign * (z + 0.002f)}}, {label, static_cast<std::uint16_t>(1 - label)});
        EXPECT_EQ(counted(rows).roc.area(1)->value, (sign > 0) == (label == 0) ? 1 : 0) << sign * z << ", " << label;
      }
}

TEST(Calibration, BeyondSixtyFourClassesThereIsNoRoc) {
  for (const std::size_t classes : Sizes{64, 65, 1000}) {
    const Rows rows({{1, 0}, {0, 1}, {1, 0}}, {0, 1, 1}, classes);
    const Calibration c = counted(rows);
    EXPECT_EQ(c.roc.area(0).has_value(), classes == 64);
    EXPECT_TRUE(classes == 64 || c.roc.rows_.empty());
    EXPECT_EQ(c.ranks[0], 2u);
    EXPECT_EQ(c.ranks[1], 1u);
  }
}

TEST(Calibration, IsTheSameHoweverTheRowsAreCutAndAtEveryLevel) {
  const Example example(500, 40, 10);
  const Weights weights = example_weights(40, 10, 0.5f);
  const std::vector<double> whole = numbers_of(counted(example.batch, weights));
  EXPECT_GT(whole.size(), 60u);
  for (const std::size_t parts : Sizes{2, 3, 8}) EXPECT_EQ(numbers_of(counted(example.batch, weights, parts)), whole);
  for (const kernels::Table* level : kernels::available()) {
    const ForcedLevel forced(level->name);
    EXPECT_EQ(numbers_of(counted(example.batch, weights)), whole) << level->name;
  }
}

TEST(Calibration, ConfidenceIsTheProbabilityThatIsPredicted) {
  const Example example(100, 40, 3);
  const Weights weights = example_weights(40, 3, 0.5f);
  const Step step(example.batch, weights, 1);
  Calibration calibration{.classes = 3};
  Reliability expected;
  for (const Scored& scored : step.scored) {
    calibration(scored);
    for (std::size_t row = 0; row < scored.shard.rows; ++row)
      expected.add(probability(scored, row, scored.predicted[row]),
                   scored.predicted[row] == example.batch.labels[scored.shard.first_row + row]);
  }
  EXPECT_EQ(calibration.reliability.expected_error(), expected.expected_error());
  EXPECT_GT(*expected.expected_error(), 0);
}

TEST(Calibration, ResetForgetsWhatWasCounted) {
  const Rows rows({{1, 0}, {0, 1}}, {0, 1});
  Calibration c = counted(rows);
  ASSERT_TRUE(c.top(1) && c.roc.area(1));
  c.reset();
  EXPECT_FALSE(c.top(1) || c.roc.area(1) || c.reliability.expected_error());
  for (const Scored& scored : Step(rows.batch, rows.weights, 1).scored) c(scored);
  EXPECT_EQ(numbers_of(c), numbers_of(counted(rows)));
}

TEST(Calibration, WhatDoesNotFitIsRefused) {
  Rows rows({{1, 0, 0}, {0, 1, 0}}, {0, 2});
  const Step step(rows.batch, rows.weights, 1);
  EXPECT_THROW(Calibration{.classes = 4}(step.scored[0]), std::invalid_argument);
  Scored scored;
  SoftmaxForward{}({.batch = &rows.batch, .model = rows.weights.get(), .weights = &rows.weights, .rows = 2}, scored);
  rows.batch.labels[1] = 3;
  EXPECT_THROW(Calibration{.classes = 3}(scored), std::out_of_range);
  rows.batch.labels.clear();
  EXPECT_THROW(Calibration{.classes = 3}(scored), std::invalid_argument);
}

// The loss says so, and ends the run; until then nothing may go wrong here.
TEST(Calibration, CountsRowsWhoseProbabilitiesAreNoNumbers) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  const Calibration c = counted(Rows({{nan, 0, 1}, {infinity, 0, 1}, {-infinity, 0, 1}}, {0, 1, 2}));
  EXPECT_EQ(c.reliability.all().rows, 3u);
}

}  // namespace
}  // namespace sluice::stages::testing
