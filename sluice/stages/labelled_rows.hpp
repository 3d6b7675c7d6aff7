// Rows that have their labels with them (of a table), as runs of as many each.
//
// LabelledElements, in order -> LabelledRows, in order: `count` rows and their labels, the last run maybe fewer; as
// Regroup (sluice/stages/rows.hpp) makes runs of images and of labels, and zip pairs them. With `at_once` a run ends
// with its elements. Nothing is copied. Order and thread-safety: an expand; one thread at a time. Errors: Regroup's.
//
//   auto pairs = g.expand("rows", RegroupLabelled{256}, numbered, capacity(2));
#pragma once

#include <cstddef>
#include <optional>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/join.hpp>
#include <sluice/stages/number_table.hpp>
#include <sluice/stages/rows.hpp>

namespace sluice::stages {

struct RegroupLabelled {
  Regroup images{}, labels{};  // of the same count

  explicit RegroupLabelled(std::size_t count, bool at_once = false)
      : images{.count = count, .at_once = at_once}, labels{.count = count, .at_once = at_once} {}

  using Output = LabelledRows;
  void push(const LabelledElements& elements);
  bool pull(LabelledRows& out);
  void finish() { images.finish(), labels.finish(); }
  void reset() { images.reset(), labels.reset(); }
  std::optional<std::size_t> payload_bytes() const;
  std::size_t state_bytes() const { return images.state_bytes() + labels.state_bytes(); }
};

// The rows alone.
struct ImagesOf {
  Rows operator()(const LabelledRows& in) const { return std::get<0>(in); }
};

static_assert(verbs::Expand<RegroupLabelled, LabelledElements, LabelledRows> &&
              verbs::Map<ImagesOf, LabelledRows, Rows>);

}  // namespace sluice::stages
