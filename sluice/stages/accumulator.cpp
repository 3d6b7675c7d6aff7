#include <sluice/stages/accumulator.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

namespace sluice::stages {

Accumulator::Accumulator(std::size_t n) : names_(n), sums_(n) {}

Accumulator::Accumulator(std::initializer_list<std::string_view> names)
    : names_(names.begin(), names.end()), sums_(names.size()) {}

void Accumulator::add(std::initializer_list<double> values) {
  if (values.size() != size())
    throw std::invalid_argument(fmt::format("accumulator: {} values to add, expected {}", values.size(), size()));
  std::transform(values.begin(), values.end(), sums_.begin(), sums_.begin(),
                 [](double v, double sum) { return sum + v; });
}

void Accumulator::merge(const Accumulator& other) {
  if (other.names_ != names_)
    throw std::invalid_argument(fmt::format("accumulator: sums of ({}) to merge, expected ({})",
                                            fmt::join(other.names_, ", "), fmt::join(names_, ", ")));
  std::transform(sums_.begin(), sums_.end(), other.sums_.begin(), sums_.begin(),
                 [](double a, double b) { return a + b; });
}

void Accumulator::reset() {
  std::fill(sums_.begin(), sums_.end(), 0.0);
}

double Accumulator::operator[](std::size_t i) const {
  if (i >= size()) throw std::out_of_range(fmt::format("accumulator: index {}, expected less than {}", i, size()));
  return sums_[i];
}

double Accumulator::operator[](std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end())
    throw std::out_of_range(fmt::format("accumulator: no sum '{}', it has ({})", name, fmt::join(names_, ", ")));
  return sums_[static_cast<std::size_t>(found - names_.begin())];
}

}  // namespace sluice::stages
