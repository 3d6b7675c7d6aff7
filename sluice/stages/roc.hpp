// How well a score tells the rows of a class from all others: the area under the ROC curve, each class against the
// rest.
//
// (class, whether the row is of it, score) -> for each class the share of pairs, one row of the class and one of the
// rest, of which the former has the higher score; ties count a half. 1: they are told apart, 0.5: chance. The score is
// the log odds of the class, log(p / (1 - p)). Scores are counted in 65536 steps of 1/1024 from -32 to 32, and those
// beyond in the first and the last; scores of one step are ties. So the area differs from that of scores which are not
// rounded by at most half of the share of pairs in one step, which is `error`. (Rows that have the very same score are
// ties anyway; where there are many, it is too large.) Of two classes the area is the same, and only class 1 is
// counted. Memory: 16 KiB for each unit of the log odds that occurs, at most 1 MiB a class, whatever the number of
// rows; so nothing is counted beyond 64 classes. Order and thread-safety: a plain value; the counts do not depend on
// the order. Errors: none; a score that is no number counts as the lowest. After: Hanley and McNeil, The meaning and
// use of the area under a ROC curve, 1982 (the share of pairs).
//
//   RocCounts roc{.classes = 10};
//   roc.add(6, true, 1.25f);
//   roc.area(6)   // no value unless there are rows of class 6 and others
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sluice::stages {

struct RocArea {
  double value = 0;  // 0 to 1
  double error = 0;  // at most, by counting in steps
};

struct RocCounts {
  static constexpr std::size_t most_classes = 64;
  static constexpr std::size_t steps = 1024;  // of a unit
  static constexpr std::size_t units = 64;    // -32 .. 32

  std::size_t classes = 0;

  bool counted() const { return classes <= most_classes; }
  // One row more, for a class that is counted.
  void add(std::size_t c, bool of_class, float log_odds);
  std::optional<RocArea> area(std::size_t c) const;

  // State of its own, no options.
  struct Step {
    std::uint64_t of_class = 0, of_rest = 0;  // rows
  };
  std::vector<std::vector<Step>> blocks_{};  // (classes x units), each (steps), or empty
};

}  // namespace sluice::stages
