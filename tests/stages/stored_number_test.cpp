#include <sluice/stages/stored_number.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <typeinfo>
#include <vector>

namespace sluice::stages {
namespace {

// By the definition: IEEE 754-2019, 3.4.
double half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 31) return fraction ? NAN : sign * INFINITY;
  return exponent == 0 ? sign * std::ldexp(fraction, -24) : sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST(StoredNumber, EveryFloat16IsTheFloatOfTheSameValue) {
  for (unsigned bits = 0; bits < 1u << 16; ++bits) {
    const auto value = static_cast<float>(Float16{static_cast<std::uint16_t>(bits)});
    const double expected = half(static_cast<std::uint16_t>(bits));
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value)) << bits;
    } else {
      EXPECT_EQ(static_cast<double>(value), expected) << bits;
      EXPECT_EQ(std::signbit(value), bits >> 15 != 0) << bits;
    }
  }
}

TEST(StoredNumber, IsReadInEitherOrder) {
  const std::uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 0x88, 9};
  EXPECT_EQ((stored<std::uint16_t, std::endian::little>(bytes)), 0x0201);
  EXPECT_EQ((stored<std::uint16_t, std::endian::big>(bytes)), 0x0102);
  EXPECT_EQ((stored<std::uint32_t, std::endian::little>(bytes + 1)), 0x05040302u);
  EXPECT_EQ((stored<std::int64_t, std::endian::little>(bytes)), static_cast<std::int64_t>(0x8807060504030201));
  EXPECT_EQ((stored<std::uint64_t, std::endian::big>(bytes)), 0x0102030405060788u);
  EXPECT_EQ((stored<std::int8_t, std::endian::big>(bytes + 7)), -120);
  EXPECT_EQ((stored<Float16, std::endian::big>(bytes).bits), 0x0102);
}

TEST(StoredNumber, EveryTypeAndOrderIsDispatched) {
  for (const ElementType type : {ElementType::uint8, ElementType::int8, ElementType::int16, ElementType::int32,
                                 ElementType::float32, ElementType::float64, ElementType::boolean, ElementType::uint16,
                                 ElementType::uint32, ElementType::uint64, ElementType::int64, ElementType::float16})
    for (const std::endian order : {std::endian::little, std::endian::big}) {
      int calls = 0;
      with_stored(type, order, [&]<class T, std::endian its>() {
        ++calls;
        EXPECT_EQ(its, order);
        EXPECT_EQ(sizeof(T), element_type_bytes(type));
        EXPECT_EQ((std::is_floating_point_v<T> || std::is_same_v<T, Float16>), is_floating(type));
        EXPECT_EQ((std::is_integral_v<T> && std::is_signed_v<T>),
                  std::string(element_type_name(type)).starts_with("int"));
      });
      EXPECT_EQ(calls, 1);
    }
}

}  // namespace
}  // namespace sluice::stages
