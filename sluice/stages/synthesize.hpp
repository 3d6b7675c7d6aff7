// Made-up images that a softmax regression can learn, to have an input of any size.
//
// (rows, columns, classes, seed, split, index) -> an image (rows x columns, uint8, row-major) and its label
// (0 .. classes - 1). Every class has a template: a smooth random pattern, zero in about half of its pixels. An image
// is its class's template with some of another class's in it, at a random brightness, with noise where it is not zero:
// compressible as pictures are, and not quite separable. Whole-number arithmetic on Philox words: the same bytes on
// every machine, in whatever order images are asked for.
// Order and thread-safety: a Synthesize is read-only once made; image() and label() run on any number of threads.
// Errors: std::invalid_argument for a size of 0, fewer than 2 or more than 256 classes.
//
//   const Synthesize synthesize({.rows = 28, .columns = 28, .classes = 10, .seed = 0});
//   synthesize.image(Split::train, 17, pixels), label = synthesize.label(Split::train, 17);
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::stages {

enum class Split : std::uint32_t { train = 0, test = 1 };

struct SynthesisOptions {
  std::size_t rows = 28, columns = 28;  // of an image, in pixels, >= 1
  std::size_t classes = 10;             // 2 .. 256
  std::uint64_t seed = 0;
};

class Synthesize {
 public:
  explicit Synthesize(const SynthesisOptions& options);

  std::uint8_t label(Split split, std::uint64_t index) const;
  void image(Split split, std::uint64_t index, std::uint8_t* out) const;  // writes rows x columns bytes

  std::size_t pixels() const { return options_.rows * options_.columns; }

 private:
  SynthesisOptions options_;
  std::vector<std::uint8_t> templates_;  // (classes x pixels)
};

}  // namespace sluice::stages
