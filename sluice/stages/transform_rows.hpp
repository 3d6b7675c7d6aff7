// Rows of a file -> rows of float32 as they meet the weights (sluice/stages/feature_transform.hpp).
//
// a run of rows of uint8 or float32 -> the same run, of float32, in memory of its own.
// Order and thread-safety: a map. Errors: std::invalid_argument for rows of another length than the transform's.
//
//   auto ready = g.map("standardize", TransformRows{.transform = &transform}, rows, unlimited);
#pragma once

#include <cstddef>
#include <optional>
#include <tuple>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/feature_transform.hpp>
#include <sluice/stages/join.hpp>
#include <sluice/stages/rows.hpp>

namespace sluice::stages {

struct TransformRows {
  const FeatureTransform* transform = nullptr;  // read while the graph runs
  std::size_t pixels = 0, rows = 0;             // of a row; of a run, at most: where they are known, to state the bound

  using Output = Rows;
  void operator()(const Rows& in, Rows& out) const;
  std::optional<std::size_t> payload_bytes() const {
    if (!pixels || !rows) return std::nullopt;
    return rows * (pixels * sizeof(float) + sizeof(const std::uint8_t*)) + sizeof(Shared<Bytes>);
  }
};

// The same with the labels, which stay as they are.
struct TransformLabelled {
  TransformRows rows{};

  using Output = LabelledRows;
  void operator()(const LabelledRows& in, LabelledRows& out) const {
    rows(std::get<0>(in), std::get<0>(out));
    std::get<1>(out) = std::get<1>(in);
  }
  std::optional<std::size_t> payload_bytes() const { return rows.payload_bytes(); }
};

static_assert(verbs::Map<TransformRows, Rows, Rows> && verbs::Map<TransformLabelled, LabelledRows, LabelledRows>);

}  // namespace sluice::stages
