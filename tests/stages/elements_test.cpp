#include <sluice/stages/elements.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/scale.hpp>

namespace sluice::stages {
namespace {

TEST(Elements, EveryTypeHasANameASizeAndAPlaceInMemory) {
  std::set<std::string> names;
  const auto check = [&](ElementType type, std::size_t bytes, bool floating, Pixel pixel) {
    EXPECT_TRUE(names.insert(element_type_name(type)).second) << element_type_name(type);
    EXPECT_EQ(element_type_bytes(type), bytes) << element_type_name(type);
    EXPECT_EQ(is_floating(type), floating) << element_type_name(type);
    EXPECT_EQ(pixel_type(type), pixel) << element_type_name(type);
    EXPECT_EQ(usual_divisor(type), type == ElementType::uint8 ? 255 : 1) << element_type_name(type);
  };
  check(ElementType::uint8, 1, false, Pixel::uint8);
  check(ElementType::boolean, 1, false, Pixel::uint8);
  check(ElementType::int8, 1, false, Pixel::float32);
  check(ElementType::int16, 2, false, Pixel::float32);
  check(ElementType::uint16, 2, false, Pixel::float32);
  check(ElementType::float16, 2, true, Pixel::float32);
  check(ElementType::int32, 4, false, Pixel::float32);
  check(ElementType::uint32, 4, false, Pixel::float32);
  check(ElementType::float32, 4, true, Pixel::float32);
  check(ElementType::int64, 8, false, Pixel::float32);
  check(ElementType::uint64, 8, false, Pixel::float32);
  check(ElementType::float64, 8, true, Pixel::float32);
  EXPECT_TRUE(names.contains("bool"));
}

TEST(Elements, TheSizeOfAnImageInWords) {
  ItemShape shape{.count = 5, .rows = 28, .columns = 30};
  EXPECT_EQ(size_text(shape), "28 x 30");
  EXPECT_EQ(pixels_text(shape), "28 x 30 pixels");
  shape.planes = 3;
  EXPECT_EQ(shape.pixels(), 2520u);
  EXPECT_EQ(size_text(shape), "3 x 28 x 30");
  EXPECT_EQ(pixels_text(shape), "3 x 28 x 30 pixels");
  const ItemShape flat{.count = 5, .columns = 784, .flat = true};
  EXPECT_EQ(size_text(flat), "784 values");
  EXPECT_EQ(pixels_text(flat), "784 values");
  DataShape set;
  set_images(set, flat);
  EXPECT_EQ(size_text(set), "784 values");
  EXPECT_EQ(set.pixels(), 784u);
  EXPECT_EQ(set.image_bytes(), 784u);
  set_images(set, shape);
  EXPECT_EQ(size_text(set), "3 x 28 x 30");
  EXPECT_EQ(set.pixels(), 2520u);
}

}  // namespace
}  // namespace sluice::stages
