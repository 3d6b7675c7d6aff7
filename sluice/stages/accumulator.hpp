// Running sums of n quantities, with or without names: the chapter's Accumulator.
//
// Order and thread-safety: a plain value, one thread at a time; sums are in the order of the calls.
// Errors: std::invalid_argument where the number of values or the names differ, std::out_of_range for an unknown name
// or index.
//
//   Accumulator metric{"loss", "hits", "rows"};
//   metric.add({590.5, 201, 256});
//   double accuracy = metric["hits"] / metric["rows"];
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::stages {

class Accumulator {
 public:
  explicit Accumulator(std::size_t n);
  Accumulator(std::initializer_list<std::string_view> names);

  void add(std::initializer_list<double> values);  // one for each quantity
  void merge(const Accumulator& other);            // adds the other's sums
  void reset();                                    // all sums to 0

  std::size_t size() const { return sums_.size(); }
  double operator[](std::size_t i) const;
  double operator[](std::string_view name) const;

 private:
  std::vector<std::string> names_;
  std::vector<double> sums_;
};

}  // namespace sluice::stages
