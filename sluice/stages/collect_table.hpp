// A table in memory: its rows where they lie, and the class of each.
//
// TableRows, in order -> a pointer to each row and its label; all rows are of one type: if some pieces were no bytes,
// those that were are widened to float32 at the end. Then classes are given to it, its own or another's, and it is a
// data set. Order and thread-safety: a sink, one thread at a time. Errors: those of TableTotals (number_table.hpp);
// DataError for a label that is none of the classes, of make_data_set (dataset.hpp).
//
//   CollectTable train, test;   // sinks of the loading graph, behind ParseTable{.kept = true}
//   const TableClasses classes = train.totals.labels.classes(*train.totals.layout);
//   DataSet set = make_data_set(std::move(train), classes);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/huge_pages.hpp>
#include <sluice/stages/number_table.hpp>

namespace sluice::stages {

struct CollectTable {
  TableTotals totals{};

  void operator()(const TableRows& rows);
  void finish();
  void reset();

  Pixel type() const { return type_; }
  std::size_t size() const { return rows_.size(); }
  const Column<const std::uint8_t*>& rows() const { return rows_; }  // (size), each of `features` values of type()
  std::vector<Shared<Bytes>> owners() const;                         // what the rows lie in
  // Their classes. Throws DataError for a label that is none of them.
  Column<std::uint16_t> labels(const TableClasses& classes) const;

  // State of its own, no options.
  struct Run {  // of rows that lie side by side
    std::size_t first = 0, count = 0;
    Pixel type = Pixel::uint8;
    Shared<Bytes> owner;
  };
  std::size_t features() const { return totals.layout->features.size(); }
  void widen();  // to float32, of whatever is none
  Pixel type_ = Pixel::uint8;
  Column<const std::uint8_t*> rows_{};
  Column<std::uint32_t> codes_{};
  std::vector<Run> runs_{};
  std::unique_ptr<RowMemory> memory_ = std::make_unique<RowMemory>();  // of rows that were widened
};

DataSet make_data_set(CollectTable table, const TableClasses& classes);

static_assert(verbs::Sink<CollectTable, TableRows>);

}  // namespace sluice::stages
