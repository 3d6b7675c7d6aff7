#include <sluice/stages/sgd.hpp>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {

void Sgd::operator()(const BatchGradient& gradient, Weights& out) const {
  const Model& from = *gradient.weights;
  Model& to = out.renew();
  to.pixels = from.pixels;
  to.classes = from.classes;
  to.divisor = from.divisor;
  to.weights.resize(from.weights.size());
  to.bias.resize(from.bias.size());
  const kernels::Table& kernel = kernels::active();
  const float rows = static_cast<float>(gradient.rows), *values = gradient.values.data();
  kernel.update(to.weights.data(), from.weights.data(), values, rate / (from.divisor * rows), from.weights.size());
  kernel.update(to.bias.data(), from.bias.data(), values + from.weights.size(), rate / rows, from.bias.size());
}

std::optional<std::size_t> Sgd::payload_bytes() const {
  if (!limits.known()) return std::nullopt;
  return sizeof(Model) + (kernels::weights_size(limits.pixels, limits.classes) + limits.classes) * sizeof(float);
}

}  // namespace sluice::stages
