#include <sluice/stages/synthesize.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include <sluice/stages/philox.hpp>

namespace sluice::stages {
namespace {

// Streams of one seed: the templates, and for each split what is drawn once an image and its noise.
enum Stream : std::uint32_t { pattern = 0, draws = 1, noise = 3 };

RandomStream stream(const SynthesisOptions& o, std::uint32_t which) {
  return {o.seed, Purpose::synthesis, which};
}
RandomStream stream(const SynthesisOptions& o, Stream which, Split split) {
  return stream(o, which + static_cast<std::uint32_t>(split));
}

// A class's template: random heights at the corners of cells of 7 x 7 pixels, bilinear between them, and what lies
// below the middle is zero.
void make_template(const SynthesisOptions& o, std::size_t label, std::uint8_t* out) {
  constexpr std::size_t cell = 7;
  const std::size_t across = o.columns / cell + 2, down = o.rows / cell + 2;
  const auto height = [&](std::size_t y, std::size_t x) {
    const std::uint64_t index = (label * down + y) * across + x;
    return static_cast<int>(philox(stream(o, pattern), index)[0] >> 24);
  };
  for (std::size_t y = 0; y < o.rows; ++y)
    for (std::size_t x = 0; x < o.columns; ++x) {
      const std::size_t top = y / cell, left = x / cell;
      const int fy = static_cast<int>(y % cell), fx = static_cast<int>(x % cell), whole = cell;
      const int upper = height(top, left) * (whole - fx) + height(top, left + 1) * fx;
      const int lower = height(top + 1, left) * (whole - fx) + height(top + 1, left + 1) * fx;
      const int value = (upper * (whole - fy) + lower * fy) / (whole * whole);
      *out++ = static_cast<std::uint8_t>(std::clamp(2 * (value - 128), 0, 255));
    }
}

}  // namespace

Synthesize::Synthesize(const SynthesisOptions& options) : options_(options) {
  if (options.rows == 0 || options.columns == 0)
    throw std::invalid_argument(
        fmt::format("images of {} x {} pixels, expected at least 1 x 1", options.rows, options.columns));
  if (options.classes < 2 || options.classes > 256)
    throw std::invalid_argument(fmt::format("{} classes, expected 2 to 256", options.classes));
  templates_.resize(options.classes * pixels());
  for (std::size_t c = 0; c < options.classes; ++c) make_template(options_, c, templates_.data() + c * pixels());
}

std::uint8_t Synthesize::label(Split split, std::uint64_t index) const {
  return static_cast<std::uint8_t>(
      below(philox(stream(options_, draws, split), index)[0], static_cast<std::uint32_t>(options_.classes)));
}

void Synthesize::image(Split split, std::uint64_t index, std::uint8_t* out) const {
  const Words drawn = philox(stream(options_, draws, split), index);
  const std::size_t own = label(split, index);
  // Another class, with up to 9 / 16 of the whole: a few images are more of that than of their own.
  const std::size_t other =
      (own + 1 + below(drawn[1], static_cast<std::uint32_t>(options_.classes - 1))) % options_.classes;
  const int share = static_cast<int>(below(drawn[2], 145));            // of 256
  const int brightness = 160 + static_cast<int>(below(drawn[3], 97));  // of 256
  const std::uint8_t* const a = templates_.data() + own * pixels();
  const std::uint8_t* const b = templates_.data() + other * pixels();

  constexpr std::size_t block = 128;  // words at a time, four pixels each
  std::uint32_t words[block];
  const std::uint64_t blocks_of_image = (pixels() + 15) / 16;  // of four words
  for (std::size_t first = 0; first < pixels(); first += 4 * block) {
    const std::size_t count = std::min(pixels() - first, 4 * block);
    philox(stream(options_, noise, split), index * blocks_of_image + first / 16, (count + 15) / 16, words);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t p = first + i;
      const int mixed = (a[p] * (256 - share) + b[p] * share) / 256 * brightness / 256;
      const int deviation = static_cast<int>(words[i / 4] >> 8 * (i % 4) & 7) - 4;
      out[p] = static_cast<std::uint8_t>(mixed == 0 ? 0 : std::clamp(mixed + deviation, 0, 255));
    }
  }
}

}  // namespace sluice::stages
