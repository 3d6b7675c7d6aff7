#include <sluice/stages/softmax.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace sluice::stages {
namespace {

void check(const Matrix& y_hat, Labels y) {
  if (static_cast<std::size_t>(y_hat.rows()) != y.size())
    throw std::invalid_argument(fmt::format("{} labels, expected {}: one a row", y.size(), y_hat.rows()));
  for (const std::uint16_t label : y)
    if (label >= y_hat.cols())
      throw std::invalid_argument(fmt::format("label {}, expected less than {} classes", label, y_hat.cols()));
}

}  // namespace

Matrix sum(const Matrix& x, int axis) {
  if (axis == 0) return x.colwise().sum();
  if (axis == 1) return x.rowwise().sum();
  throw std::invalid_argument(fmt::format("axis {}, expected 0 or 1", axis));
}

Matrix softmax(const Matrix& x) {
  const Matrix e = (x.colwise() - x.rowwise().maxCoeff()).array().exp();
  const Vector total = sum(e, 1);
  return e.array().colwise() / total.array();
}

Vector picked(const Matrix& y_hat, Labels y) {
  check(y_hat, y);
  Vector out(y_hat.rows());
  for (Eigen::Index row = 0; row < y_hat.rows(); row++) out[row] = y_hat(row, y[static_cast<std::size_t>(row)]);
  return out;
}

Vector cross_entropy(const Matrix& y_hat, Labels y) {
  return -picked(y_hat, y).array().log();
}

std::size_t accuracy(const Matrix& y_hat, Labels y) {
  check(y_hat, y);
  std::size_t hits = 0;
  for (Eigen::Index row = 0; row < y_hat.rows(); row++) {
    Eigen::Index best = 0;
    y_hat.row(row).maxCoeff(&best);
    hits += best == y[static_cast<std::size_t>(row)];
  }
  return hits;
}

}  // namespace sluice::stages
