#include <sluice/stages/transform_rows.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace sluice::stages {
namespace {

TEST(TransformRows, MakesRunsOfFloatsThatNeedNobodyElse) {
  const FeatureTransform transform{.mean = {1, 2}, .deviation = {2, 1}};
  const TransformRows stage{.transform = &transform};
  Rows in, out;
  Bytes& memory = in.owners.emplace_back().renew();
  std::uint8_t* const bytes = memory.reserve(4);
  for (std::uint8_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(2 * i);
  in.shape.columns = 2, in.shape.count = 2;
  in.at = {bytes, bytes + 2};
  in.first = 10;
  in.begins = {10};
  for (int turn = 0; turn < 2; ++turn) {  // the second time into what the first left
    stage(in, out);
    EXPECT_EQ(out.count(), 2u);
    EXPECT_EQ(out.type, Pixel::float32);
    EXPECT_EQ(out.first, 10u);
    EXPECT_EQ(out.begins, in.begins);
    EXPECT_EQ(out.shape, in.shape);
    const auto* const second = reinterpret_cast<const float*>(out.at[1]);
    EXPECT_EQ(second[0], 1.5f);
    EXPECT_EQ(second[1], 4.f);
  }
  EXPECT_EQ((TransformRows{.pixels = 2, .rows = 3}.payload_bytes()), 3 * (2 * 4 + 8) + sizeof(Shared<Bytes>));
  EXPECT_EQ(TransformRows{}.payload_bytes(), std::nullopt);
}

}  // namespace
}  // namespace sluice::stages
