// How the tables of a job are read, and what is known of them when they have been gone through once: what their columns
// are, how many rows and classes there are, what is missing.
//
// Plain values and pure functions. Errors: UsageError where --classes is not what the words of the labels say.
//
//   const stages::TableClasses classes = classes_of(totals, options.classes);
//   say(describe(totals, stages::Missing::error));
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/batch.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/number_table.hpp>
#include <sluice/stages/parse_table.hpp>
#include <sluice/stages/shared.hpp>
#include <sluice/stages/table_labels.hpp>
#include <sluice/stages/table_layout.hpp>

namespace sluice::apps {

// How a table is read: what was asked for, and of one that is read again what the first pass has found.
struct ReadTable {
  stages::TableWanted wanted{};
  stages::Missing missing = stages::Missing::error;
  stages::Shared<stages::TableLayout> layout{};
  std::shared_ptr<const stages::TableClasses> classes{};
  std::optional<stages::Pixel> type{};
  bool kept = false;                      // rows stay in memory
  stages::NumberTable* number = nullptr;  // of who asks it afterwards what was found; nullptr: nobody does
  std::size_t row_bytes = 0;              // of text, at most, where it is known: then the graph can state its bound
};

// What a model keeps of the table that it was trained on, and what is said of tables.
struct TableFacts {
  std::vector<std::string> words{};     // of the classes; none: they are numbers, or there was no table
  std::vector<std::string> features{};  // names; none: no header
  bool bytes = false;                   // its values count as those of bytes
  std::vector<std::string> notes{};     // for people: what was found out of each table
};

// Whether values of text count as bytes, whose scale is 1/255: under names of pixels, where all of them are.
inline bool counts_as_bytes(const stages::TableLayout& layout, stages::Pixel type) {
  return layout.pixel_names && type == stages::Pixel::uint8;
}

// wanted: --classes; 0: as many as there are.
stages::TableClasses classes_of(const stages::TableTotals& totals, std::size_t wanted);

// Throws a DataError where columns have names, and those that are tested on are others or in another order.
void check_same_features(const stages::TableTotals& train, const stages::TableTotals& test);

// Its rows, as images; without the classes.
stages::DataShape shape_of(const stages::TableTotals& totals, stages::Pixel type);
TableFacts facts_of(const stages::TableTotals& totals, const stages::TableClasses& classes, stages::Pixel type);

// One line: rows, separator, header, label and classes, features; what is missing and what became of it.
std::string describe(const stages::TableTotals& totals, const stages::TableClasses& classes, stages::Missing missing);

}  // namespace sluice::apps
