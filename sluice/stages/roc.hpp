// How well a score tells the rows of a class from all others: the area under the ROC curve, each class against the
// rest.
//
// (class, whether the row is of it, score) -> for each class the share of pairs, one row of the class and one of the
// rest, of which the former has the higher score; ties count a half. 1: they are told apart, 0.5: chance. The score is
// the log odds of the class, log(p / (1 - p)). Scores are counted in 65536 steps of 1/1024 from -32 to 32, and those
// beyond in the first and the last; scores of one step are ties. So the area differs from that of scores which are not
// rounded by at most half of the share of pairs in one step, which is `error`. (Rows that have the very same score are
// ties anyway; where there are many, it is too large.) Of two classes the area is the same, and only class 1 is
// counted. Memory: 256 KiB a class, at least 4 MiB, and 512 KiB more for a class of which more than 65,535 rows lie in
// one step: no more, whatever the number of rows. So nothing is counted beyond 64 classes. Order and thread-safety: a
// plain value; the counts do not depend on the order. Errors: none; a score that is no number counts as the lowest.
// After: Hanley and McNeil, The meaning and use of the area under a ROC curve, 1982 (the share of pairs).
//
//   RocCounts roc{.classes = 10};
//   roc.add(6, true, 1.25f);
//   roc.area(6)   // no value unless there are rows of class 6 and others
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/stages/huge_pages.hpp>

namespace sluice::stages {

struct RocArea {
  double value = 0;  // 0 to 1
  double error = 0;  // at most, by counting in steps
};

struct RocCounts {
  static constexpr std::size_t most_classes = 64;
  static constexpr std::size_t steps = 65536, steps_of_unit = 1024;

  std::size_t classes = 0;

  bool counted() const { return classes <= most_classes; }
  // One row more, for a class that is counted.
  void add(std::size_t c, bool of_class, float log_odds);
  std::optional<RocArea> area(std::size_t c) const;

  void reset();  // no rows

  // State of its own, no options: rows of the rest and of the class in each step, in two parts.
  Column<std::uint16_t> rows_{};               // (classes x steps x 2), or empty: what is over of 65,536
  std::vector<Column<std::uint32_t>> more_{};  // (classes), each (steps x 2) or empty: how often 65,536
};

}  // namespace sluice::stages
