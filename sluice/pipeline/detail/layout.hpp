// Where the stages and arrows of a graph stand in a picture.
//
// Left to right, a stage in the column after the last that it reads. The places are cut into chains, the longest first:
// a chain is straight, and stands where the arrows between it and those that stand already are shortest and cross
// least. Arrows run straight past the boxes of a column and bend between the columns; those that close a cycle run
// below. Components stand one below the other. Polynomial, and the same for the same graph.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include <sluice/pipeline/stage_info.hpp>

namespace sluice::detail {

// A stage's box, or where an arrow passes between the boxes of a column.
struct Place {
  std::size_t column = 0, component = 0;
  double height = 4, y = -1;        // y: of the middle; below zero: does not stand yet
  std::vector<std::size_t> next{};  // in the next column
};

struct Arrow {
  std::size_t from, to;
  bool back;                         // closes a cycle
  std::vector<std::size_t> through;  // places
  double arrival = 0;                // how far below the middle of `to`; of one that goes back: its lowest y
};

class Layout {
 public:
  Layout(const std::vector<StageInfo>& stages, double box_height);

  std::vector<Place> places;  // the stages first
  std::vector<Arrow> arrows;
  std::size_t columns = 0;
  double height = 0;

 private:
  using Chain = std::vector<std::size_t>;

  void connect(const std::vector<StageInfo>& stages);
  void set_columns();
  void pass(Arrow& arrow);
  void cut_chains(const std::vector<StageInfo>& stages);
  void stand(const std::vector<const Chain*>& order);
  double fault(const std::vector<const Chain*>& order);
  void arrange(std::size_t component);
  void spread_arrivals(std::size_t stages);

  std::map<std::size_t, std::vector<std::size_t>> trunks_;  // of each stage: where its stream passes
  std::vector<Chain> chains_;
  double top_ = 0;  // of the component
};

}  // namespace sluice::detail
