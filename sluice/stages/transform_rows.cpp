#include <sluice/stages/transform_rows.hpp>

namespace sluice::stages {

void TransformRows::operator()(const Rows& in, Rows& out) const {
  const auto features = static_cast<std::size_t>(in.shape.pixels());
  if (out.owners.size() != 1) out.owners.resize(1);
  auto* const values =
      reinterpret_cast<float*>(out.owners.front().renew().reserve(in.count() * features * sizeof(float)));
  out.at.clear();
  for (std::size_t i = 0; i < in.count(); ++i) {
    float* const row = values + i * features;
    (*transform)(in.at[i], in.type, features, row);
    out.at.push_back(reinterpret_cast<const std::uint8_t*>(row));
  }
  out.shape = in.shape;
  out.type = Pixel::float32;
  out.first = in.first;
  out.begins = in.begins;
}

}  // namespace sluice::stages
