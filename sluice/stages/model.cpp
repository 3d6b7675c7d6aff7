#include <sluice/stages/model.hpp>

#include <bit>
#include <stdexcept>

#include <sluice/stages/digest.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/philox.hpp>

namespace sluice::stages {
namespace {

// Where the weight of a pixel for a class lies in the packed layout.
std::size_t place(const Model& m, std::size_t c, std::size_t pixel) {
  return kernels::packed_index(pixel, c, m.classes);
}

void add_little_endian(Sha256& digest, const std::vector<float>& values) {
  std::vector<unsigned char> bytes(4 * values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto word = std::bit_cast<std::uint32_t>(values[i]);
    for (unsigned b = 0; b < 4; ++b) bytes[4 * i + b] = static_cast<unsigned char>(word >> 8 * b);
  }
  digest.add(bytes.data(), bytes.size());
}

}  // namespace

const Inputs& Model::known_inputs() const {
  static const Inputs nothing;
  return inputs ? *inputs : nothing;
}

Model zero_model(std::size_t pixels, std::size_t classes) {
  Model m;
  m.pixels = pixels;
  m.classes = classes;
  m.weights.assign(kernels::weights_size(pixels, classes), 0);
  m.bias.assign(classes, 0);
  return m;
}

Model random_model(std::size_t pixels, std::size_t classes, std::uint64_t seed, double deviation) {
  Model m = zero_model(pixels, classes);
  const RandomStream stream{seed, Purpose::initial_weights, 0};
  for (std::size_t c = 0; c < classes; ++c)
    for (std::size_t pixel = 0; pixel < pixels; ++pixel)
      m.weights[place(m, c, pixel)] = static_cast<float>(deviation * normal(stream, c * pixels + pixel));
  return m;
}

std::vector<float> unpacked_weights(const Model& m) {
  std::vector<float> weights(m.classes * m.pixels);
  for (std::size_t c = 0; c < m.classes; ++c)
    for (std::size_t pixel = 0; pixel < m.pixels; ++pixel)
      weights[c * m.pixels + pixel] = m.weights[place(m, c, pixel)];
  return weights;
}

Model packed_model(std::size_t pixels, std::size_t classes, const std::vector<float>& weights,
                   const std::vector<float>& bias) {
  if (weights.size() != pixels * classes || bias.size() != classes)
    throw std::invalid_argument("weights and bias do not have the sizes of the model");
  Model m = zero_model(pixels, classes);
  for (std::size_t c = 0; c < classes; ++c)
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) m.weights[place(m, c, pixel)] = weights[c * pixels + pixel];
  m.bias = bias;
  return m;
}

std::string weights_sha256(const Model& m) {
  Sha256 digest;
  add_little_endian(digest, unpacked_weights(m));
  add_little_endian(digest, m.bias);
  return digest.hex();
}

}  // namespace sluice::stages
