// The parameters of softmax regression: logits = transform(pixels) / divisor x weights + bias.
//
// Layout: `weights` is packed for the kernels as [ceil(pixels / 16)][classes][16], float32: 16 neighbouring pixels of
// one class lie together; places past the last pixel are zero and stay zero. `bias` has `classes` values.
// What an optimiser keeps beside the parameters (sluice/stages/optimizer.hpp) is in runs of weights and then bias, or
// empty. Order and thread-safety: a plain value; it travels as Weights, a handle to a model that nobody writes any
// more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sluice/stages/feature_transform.hpp>
#include <sluice/stages/huge_pages.hpp>
#include <sluice/stages/shared.hpp>

namespace sluice::stages {

inline constexpr std::size_t most_classes = 65'536;

// What pixels are divided by: it makes the bytes 0 .. 255 the numbers 0 .. 1.
inline constexpr float byte_divisor = 255;

// What a model is for.
struct Inputs {
  std::size_t planes = 0, rows = 0, columns = 0;  // of an image; 0: rows of values whose shape nobody has said
  FeatureTransform transform{};                   // of the pixels, before the divisor
};

struct Model {
  std::size_t pixels = 0;        // inputs
  std::size_t classes = 0;       // outputs, 2 .. most_classes
  Column<float> weights;         // packed, see above; kernels load a cache line of them at a time
  std::vector<float> bias;       // (classes)
  float divisor = byte_divisor;  // finite, above 0
  Shared<Inputs> inputs{};       // empty: nothing is known of them
  std::uint64_t steps = 0;       // that made it, since training began
  // Of the optimiser, see above:
  std::array<Column<float>, 2> moments{};
  Column<float> average{};  // of the parameters after some steps

  const Inputs& known_inputs() const;
};

using Weights = Shared<Model>;

// All zero, in the right sizes.
Model zero_model(std::size_t pixels, std::size_t classes);

// W ~ N(0, deviation^2) from the counter-based generator keyed by seed (purpose: initial weights), b = 0.
Model random_model(std::size_t pixels, std::size_t classes, std::uint64_t seed, double deviation = 0.01);

// The weights in the layout of PyTorch's Linear and of the model file: (classes x pixels), row-major; and back.
std::vector<float> unpacked_weights(const Model& model);
Model packed_model(std::size_t pixels, std::size_t classes, const std::vector<float>& weights,
                   const std::vector<float>& bias);

// SHA-256, in hexadecimal, over W (classes x pixels) then b as little-endian float32.
std::string weights_sha256(const Model& model);

}  // namespace sluice::stages
