// A part of a labelled set that training does not see, to choose a model by.
//
// data set in memory, part, seed -> the rows of the part and those that are left, both in the order of the set, whose
// pixels they share (hold_out). Of every class the same share is held out, to the nearest row: its rows, n of them, are
// put in an order that depends on the seed and on their places in the set alone, and held are those whose place p in
// that order has from n <= p + 1/2 < to n. Parts that meet, as the folds of a cross-validation do, share no row and
// leave none out.
// Order and thread-safety: pure functions. Errors: std::invalid_argument for a text that is no part, naming it, and for
// a class of which all rows or none would be held out, naming it and its rows.
//
//   const HeldOut parts = hold_out(all, HeldOutPart::of("0.1"), seed);    // a tenth
//   const HeldOut second = hold_out(all, HeldOutPart::of("2/5"), seed);   // the second of five folds
#pragma once

#include <cstdint>
#include <string>

#include <sluice/stages/dataset.hpp>

namespace sluice::stages {

struct HeldOutPart {
  double from = 0, to = 0;  // of the rows of a class: 0 <= from < to <= 1

  // A share above 0 and below 1, "0.1"; or the K-th of N equal parts, "2/5", N from 2 to 1000.
  static HeldOutPart of(const std::string& text);
};

struct HeldOut {
  DataSet left, held;
};
HeldOut hold_out(const DataSet& all, const HeldOutPart& part, std::uint64_t seed);
// Throws what hold_out() would, whatever the seed.
void check_held_out(const DataSet& all, const HeldOutPart& part);

}  // namespace sluice::stages
