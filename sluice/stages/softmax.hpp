// Softmax regression on Eigen matrices, with the names of the chapter "Softmax Regression Implementation from Scratch"
// of Dive into Deep Learning (d2l.ai): to read, to try things out, and as the reference that the kernels are tested
// against. Nothing computed here reaches a weight: how Eigen orders a sum depends on the machine.
//
// All matrices float32, a row an example. Labels uint16, each < classes.
// Order and thread-safety: pure functions.
// Errors: std::invalid_argument where the shapes do not fit.
//
//   Matrix y_hat = softmax(X * W);          // (rows x classes)
//   Vector loss = cross_entropy(y_hat, y);  // (rows)
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::stages {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXf;
using Labels = std::span<const std::uint16_t>;

// Sums over an axis, which is kept with length 1: axis 0 -> (1 x columns), axis 1 -> (rows x 1).
Matrix sum(const Matrix& x, int axis);

// exp(x - the row's maximum) / the row's sum of these: rows of probabilities (rows x classes).
Matrix softmax(const Matrix& x);

// y_hat[[0, 1, ...], y]: each row's probability of its label (rows).
Vector picked(const Matrix& y_hat, Labels y);

// -log of the probability of the label, for each row (rows).
Vector cross_entropy(const Matrix& y_hat, Labels y);

// How many rows have their largest value, the first one on ties, at their label.
std::size_t accuracy(const Matrix& y_hat, Labels y);

}  // namespace sluice::stages
