#include "apps/pictures/image.hpp"

#include <fmt/core.h>
#include <openssl/evp.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace sluice::apps {

namespace {

std::string encoded(std::size_t width, std::size_t height, png_uint_32 format, const std::vector<std::uint8_t>& pixels,
                    const std::vector<Rgba>& palette) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = format;
  image.colormap_entries = static_cast<png_uint_32>(palette.size());
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string file(size, '\0');
  if (!png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, palette.data()))
    throw std::runtime_error(fmt::format("a PNG of {} x {} pixels: {}", width, height, image.message));
  file.resize(size);
  return file;
}

}  // namespace

namespace {

Image weighted(const float* values, const stages::PictureShape& shape, const std::vector<float>& weights) {
  const std::size_t size = shape.rows * shape.columns;
  Image image{shape.columns, shape.rows, std::vector<float>(size)};
  for (std::size_t plane = 0; plane < shape.planes; ++plane)
    for (std::size_t i = 0; i < size; ++i) image.values[i] += weights[plane] * values[plane * size + i];
  return image;
}

std::vector<float> means(std::size_t planes) {
  return std::vector<float>(planes, 1 / static_cast<float>(planes));
}

}  // namespace

Image flattened(const float* values, const stages::PictureShape& shape) {
  return weighted(values, shape, means(shape.planes));
}

Image image_of(const std::uint8_t* row, stages::Pixel type, const stages::PictureShape& shape, float divisor,
               const stages::FeatureTransform* transform) {
  std::vector<float> values(shape.planes * shape.rows * shape.columns);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = type == stages::Pixel::uint8 ? row[i] : reinterpret_cast<const float*>(row)[i];
    if (transform && !transform->mean.empty())
      values[i] = values[i] * (transform->deviation[i] > 0 ? transform->deviation[i] : 1) + transform->mean[i];
  }
  float zero = 0, factor = 255 / divisor;
  if (const auto [least, most] = std::minmax_element(values.begin(), values.end()); transform) {
    zero = *least;
    factor = *most > *least ? 255 / (*most - *least) : 0;
  }
  for (float& value : values) value = std::clamp((value - zero) * factor, 0.f, 255.f);
  return weighted(values.data(), shape, shape.planes == 3 ? std::vector{0.299f, 0.587f, 0.114f} : means(shape.planes));
}

Image shrunk(const Image& image, std::size_t most) {
  if (std::max(image.width, image.height) <= most) return image;
  // The same factor for both sides, but a line stays a line.
  const double factor = static_cast<double>(most) / static_cast<double>(std::max(image.width, image.height));
  const auto side = [&](std::size_t length) {
    return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(static_cast<double>(length) * factor)));
  };
  return averaged(image, side(image.width), side(image.height));
}

Image averaged(const Image& image, std::size_t width, std::size_t height) {
  Image out{width, height, {}};
  out.values.reserve(out.width * out.height);
  for (std::size_t y = 0; y < out.height; ++y)
    for (std::size_t x = 0; x < out.width; ++x) {
      const std::size_t top = y * image.height / out.height, bottom = (y + 1) * image.height / out.height;
      const std::size_t left = x * image.width / out.width, right = (x + 1) * image.width / out.width;
      double sum = 0;
      for (std::size_t v = top; v < bottom; ++v)
        for (std::size_t u = left; u < right; ++u) sum += static_cast<double>(image.values[v * image.width + u]);
      out.values.push_back(static_cast<float>(sum / static_cast<double>((bottom - top) * (right - left))));
    }
  return out;
}

bool is_band(const Image& image) {
  return std::max(image.width, image.height) > 8 * std::min(image.width, image.height);
}

std::vector<std::uint8_t> greys(const Image& image) {
  std::vector<std::uint8_t> all;
  all.reserve(image.values.size());
  for (const float value : image.values) all.push_back(static_cast<std::uint8_t>(std::lround(value)));
  return all;
}

std::string png(std::size_t width, std::size_t height, const std::vector<std::uint8_t>& pixels,
                const std::vector<Rgba>& palette) {
  return encoded(width, height, palette.empty() ? PNG_FORMAT_GRAY : PNG_FORMAT_RGBA_COLORMAP, pixels, palette);
}

std::string png_of_colours(std::size_t width, std::size_t height, const std::vector<std::uint8_t>& pixels) {
  return encoded(width, height, PNG_FORMAT_RGB, pixels, {});
}

std::string data_uri(std::string_view png) {
  std::vector<unsigned char> text(4 * ((png.size() + 2) / 3) + 1);
  const int length =
      EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(png.data()), static_cast<int>(png.size()));
  return "data:image/png;base64," + std::string(text.begin(), text.begin() + length);
}

}  // namespace sluice::apps
