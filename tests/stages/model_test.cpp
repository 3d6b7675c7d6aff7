#include <sluice/stages/model.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include <sluice/stages/digest.hpp>
#include <sluice/stages/philox.hpp>

namespace sluice::stages {
namespace {

using Sizes = std::vector<std::size_t>;

TEST(Model, ZeroModelIsZeroInTheRightSizes) {
  const Model model = zero_model(17, 3);
  EXPECT_EQ(model.pixels, 17u);
  EXPECT_EQ(model.classes, 3u);
  EXPECT_EQ(model.weights, decltype(model.weights)(2 * 3 * 16, 0.f));
  EXPECT_EQ(model.bias, std::vector<float>(3, 0.f));
}

TEST(Model, RandomModelIsNormalWithTheDeviationAskedForAndZeroBias) {
  const Model model = random_model(784, 10, 1, 0.01);
  EXPECT_EQ(model.bias, std::vector<float>(10, 0.f));
  double sum = 0, squares = 0;
  for (const double w : unpacked_weights(model)) sum += w, squares += w * w;
  EXPECT_NEAR(sum / 7840, 0, 5e-4);
  EXPECT_NEAR(std::sqrt(squares / 7840), 0.01, 4e-4);
}

TEST(Model, AWeightDependsOnItsClassAndPixelAndNotOnTheLayout) {
  const Model model = random_model(20, 3, 7, 1);
  const auto weights = unpacked_weights(model);
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t p = 0; p < 20; ++p)
      EXPECT_EQ(weights[c * 20 + p],
                static_cast<float>(normal({.seed = 7, .purpose = Purpose::initial_weights}, c * 20 + p)));
}

TEST(Model, SeedsGiveDifferentWeightsAndTheSameOneTheSame) {
  EXPECT_EQ(random_model(20, 3, 7).weights, random_model(20, 3, 7).weights);
  EXPECT_NE(random_model(20, 3, 7).weights, random_model(20, 3, 8).weights);
}

TEST(Model, PlacesPastTheLastPixelAreZero) {
  const Model model = random_model(17, 3, 7, 1);
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t lane = 1; lane < 16; ++lane) EXPECT_EQ(model.weights[(3 + c) * 16 + lane], 0);
}

TEST(Model, PackingAndUnpackingGivesTheWeightsBack) {
  for (const std::size_t pixels : Sizes{1, 15, 16, 17, 784}) {
    std::vector<float> weights(pixels * 3), bias{1, 2, 3};
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i + 1);
    const Model model = packed_model(pixels, 3, weights, bias);
    EXPECT_EQ(unpacked_weights(model), weights);
    EXPECT_EQ(model.bias, bias);
    EXPECT_EQ(model.weights[0], 1);
    EXPECT_EQ(model.weights[16], static_cast<float>(pixels + 1));  // class 1, pixel 0
  }
}

TEST(Model, WeightsOfTheWrongSizeAreRefused) {
  EXPECT_THROW(packed_model(4, 2, std::vector<float>(7), std::vector<float>(2)), std::invalid_argument);
  EXPECT_THROW(packed_model(4, 2, std::vector<float>(8), std::vector<float>(3)), std::invalid_argument);
}

TEST(Model, TheDigestIsOverWeightsThenBiasAsLittleEndianNumbers) {
  const Model model = packed_model(2, 2, {1.f, 2.f, -1.f, 0.5f}, {0.f, -2.f});
  const unsigned char bytes[] = {0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x80, 0xbf,
                                 0, 0, 0,    0x3f, 0, 0, 0, 0,    0, 0, 0,    0xc0};
  Sha256 digest;
  digest.add(bytes, sizeof bytes);
  EXPECT_EQ(weights_sha256(model), digest.hex());
}

TEST(Model, InitialWeightsAreTheSameOnEveryMachine) {
  EXPECT_EQ(weights_sha256(random_model(784, 10, 0)),
            "cdda3d1eb726f0f411d1c8e62bb8d2ef15b6048c317271be77714b8945d9f97f");
}

}  // namespace
}  // namespace sluice::stages
