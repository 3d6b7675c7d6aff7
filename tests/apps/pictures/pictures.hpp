// PNG files as their pixels again.
#pragma once

#include <gtest/gtest.h>
#include <png.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::apps::testing {

inline std::vector<std::uint8_t> decoded(const std::string& file, png_uint_32 format, std::size_t& width,
                                         std::size_t& height) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_memory(&image, file.data(), file.size())) << image.message;
  image.format = format;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(image));
  EXPECT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr)) << image.message;
  width = image.width, height = image.height;
  return pixels;
}

}  // namespace sluice::apps::testing
