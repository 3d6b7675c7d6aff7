#include "apps/job/predictions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "apps/job/evaluation.hpp"
#include "tests/apps/report/report_sample.hpp"

namespace sluice::apps {
namespace {

// By hand, in double precision.
std::vector<double> softmax(const stages::Model& m, const std::uint8_t* image) {
  const std::vector<float> weights = stages::unpacked_weights(m);
  std::vector<double> p(m.classes);
  for (std::size_t c = 0; c < m.classes; ++c) {
    p[c] = static_cast<double>(m.bias[c]);
    for (std::size_t i = 0; i < m.pixels; ++i)
      p[c] += image[i] / 255.0 * static_cast<double>(weights[c * m.pixels + i]);
  }
  double sum = 0;
  for (double& v : p) sum += v = std::exp(v);
  for (double& v : p) v /= sum;
  return p;
}

TEST(Predictions, AreTheLikeliestClassAndItsProbabilityInTheOrderOfTheData) {
  const testing::Sample sample(7, 1203);  // more than two batches, the last one no whole lanes
  stages::Weights weights;
  weights.renew() = stages::random_model(sample.test.pixels(), 7, 3, 0.3);
  for (const std::size_t threads : {1U, 3U}) {
    const Predictions p = predictions_of(weights, sample.test, Threads(threads));
    ASSERT_EQ(p.predicted.size(), sample.test.size());
    ASSERT_EQ(p.probability.size(), sample.test.size());
    std::size_t hits = 0;
    for (std::size_t i = 0; i < sample.test.size(); ++i) {
      const std::vector<double> expected = softmax(*weights, sample.test.images[i]);
      const auto best = static_cast<std::size_t>(std::max_element(expected.begin(), expected.end()) - expected.begin());
      ASSERT_EQ(p.predicted[i], best) << i;
      ASSERT_NEAR(static_cast<double>(p.probability[i]), expected[best], 1e-5) << i;
      hits += best == sample.test.labels[i];
    }
    EXPECT_DOUBLE_EQ(evaluate_accuracy(weights, sample.test, Threads(threads)).accuracy,
                     static_cast<double>(hits) / static_cast<double>(sample.test.size()));
  }
}

}  // namespace
}  // namespace sluice::apps
