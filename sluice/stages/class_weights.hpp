// What the rows of each class count for in training, so that classes with few rows are not given up for those with
// many.
//
// labels (rows), classes -> a weight for each class, float32: rows / (classes that have rows x rows of the class), 0 of
// a class without rows (balanced_class_weights). The mean over the rows is 1, so that a learning rate stays what it
// was. The gradient of a row's logits is multiplied by the weight of its label (SoftmaxForward::class_weights); loss
// and accuracy are told of rows as they are. Order and thread-safety: a pure function. Errors: none; a label outside
// the classes is undefined.
//
//   const std::vector<float> weights = balanced_class_weights(train.labels, train.classes);
//   auto scored = g.map("forward", SoftmaxForward{.class_weights = &weights}, shards, unlimited);
//
// Source: scikit-learn's class_weight="balanced", after King, Zeng: Logistic regression in rare events data (2001).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <sluice/stages/huge_pages.hpp>

namespace sluice::stages {

std::vector<float> balanced_class_weights(const Column<std::uint16_t>& labels, std::size_t classes);

}  // namespace sluice::stages
