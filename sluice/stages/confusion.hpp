// How often images of each class were taken for each class: the confusion matrix.
//
// scored shards with labels -> a count for each pair of label and prediction. Memory: classes x classes counts up to
// 256 classes, beyond that a count for each pair that occurs.
// Order and thread-safety: a sink, one scored shard at a time; the counts do not depend on the order. Read it when the
// run is over. Errors: std::invalid_argument for a batch without labels, std::out_of_range for a class beyond
// `classes`.
//
//   Confusion confusion{.classes = 10};
//   g.sink("confusion", std::ref(confusion), scored);
//   g.run();
//   confusion.at(6, 4)   // shirts that were taken for coats
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/forward.hpp>

namespace sluice::stages {

struct Confusion {
  std::size_t classes = 0;  // of labels and predictions, 2 .. 65536

  struct Pair {
    std::uint16_t label = 0, predicted = 0;
    std::uint64_t count = 0;  // at least 1
    bool operator==(const Pair&) const = default;
  };

  void operator()(const Scored& scored);
  void add(std::size_t label, std::size_t predicted);  // one image more
  void reset();                                        // no image

  std::uint64_t at(std::size_t label, std::size_t predicted) const;
  std::vector<Pair> pairs() const;  // all that occur, by label, then by prediction

  // State of its own, no options.
  static constexpr std::size_t most_dense = 256;  // classes
  std::vector<std::uint64_t> dense_{};            // (classes x classes), or empty
  std::unordered_map<std::uint32_t, std::uint64_t> sparse_{};
};

static_assert(verbs::Sink<Confusion, Scored>);

}  // namespace sluice::stages
