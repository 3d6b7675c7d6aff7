#include <sluice/stages/scale.hpp>

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace sluice::stages {
namespace {

// Beyond these a step of the training is no float32.
constexpr float least = 1e-30f, most = 1e30f;

std::optional<float> number(const std::string& text) {
  float value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  return error == std::errc() && end == last && value >= least && value <= most ? std::optional(value) : std::nullopt;
}

}  // namespace

float divisor_of(const std::string& scale) {
  if (scale.starts_with("1/")) {
    if (const auto divisor = number(scale.substr(2))) return *divisor;
  } else if (const auto factor = number(scale)) {
    return 1 / *factor;
  }
  throw std::invalid_argument(
      fmt::format("'{}' is not a number from {} to {}, or 1 through one, as 1/255", scale, least, most));
}

std::string scale_text(float divisor) {
  const float factor = 1 / divisor;
  const bool readable = divisor <= 1 || divisor != std::floor(divisor);
  return readable && 1 / factor == divisor ? fmt::format("{}", factor) : fmt::format("1/{}", divisor);
}

float usual_divisor(ElementType type) {
  return type == ElementType::uint8 ? 255 : 1;
}

}  // namespace sluice::stages
