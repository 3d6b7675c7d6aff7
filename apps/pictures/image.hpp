// Small pictures of numbers, as PNG within a page or a file of their own.
//
// Image -> shrunk(): a smaller one, by the means of boxes -> greys() or places in a palette -> png() -> data_uri().
// Pure functions. Errors: std::runtime_error if a PNG cannot be encoded.
//
//   fmt::format("<img src=\"{}\">", data_uri(png(28, 28, pixels)))
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stages/batch.hpp>
#include <sluice/stages/elements.hpp>
#include <sluice/stages/feature_transform.hpp>

namespace sluice::apps {

struct Image {
  std::size_t width = 0, height = 0;
  std::vector<float> values;  // (height x width)
};

// The image of a row of pixels: what pixels / divisor make 0 to 1 is 0 to 255, and what is beyond is cut off. Of three
// planes, the luminance. transform: that was done to the pixels, and is undone; the image then goes from its least
// value to its largest. Source: ITU-R BT.601 (luminance).
Image image_of(const std::uint8_t* row, stages::Pixel type, const stages::PictureShape& shape, float divisor,
               const stages::FeatureTransform* transform = nullptr);
// The mean of its planes.
Image flattened(const float* values, const stages::PictureShape& shape);
// Neither side longer than `most`; unchanged if that is so.
Image shrunk(const Image& image, std::size_t most);
// In this size, neither side longer than it was.
Image averaged(const Image& image, std::size_t width, std::size_t height);
// So long that it is to be drawn stretched: with square pixels it would be a line.
bool is_band(const Image& image);
// Values 0 to 255, rounded.
std::vector<std::uint8_t> greys(const Image& image);

using Rgba = std::array<std::uint8_t, 4>;  // red, green, blue, opacity

// pixels: (height x width) greys, or places in a palette of 1 .. 256 colours. The file's bytes.
std::string png(std::size_t width, std::size_t height, const std::vector<std::uint8_t>& pixels,
                const std::vector<Rgba>& palette = {});

// pixels: (height x width) of opaque colours, three bytes each.
std::string png_of_colours(std::size_t width, std::size_t height, const std::vector<std::uint8_t>& pixels);

std::string data_uri(std::string_view png);

}  // namespace sluice::apps
