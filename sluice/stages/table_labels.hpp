// The labels of a table: whole numbers, which are the classes themselves, or words, which are numbered.
//
// A label 0 to 65535, also written 3.0, is a number. If all labels of a table are, they are the classes. If one is not,
// all are words, numbers too: exact texts, without blanks and quotes around, numbered in the order of their bytes.
// Which it is, only who has seen all labels knows. Until then a label is a code: a number as it is usually written is
// itself, any other text is most_classes + its place in a list of texts (LabelTexts).
// Order and thread-safety: plain values; TableClasses are read-only once made. Errors: DataError naming file and line:
// more than most_classes classes; a label that is none of the classes.
//
//   const TableClasses classes = labels.classes();          // of a LabelsSeen
//   classes.words                                           // "bag", "boot", ...; none where labels are numbers
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stages/input_files.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/table_layout.hpp>

namespace sluice::stages {

inline constexpr std::size_t most_label_bytes = 256;  // of a word

// 7, 07 and 7.0, without blanks around; nothing: no whole number 0 to most_classes - 1.
std::optional<std::uint16_t> whole_label(std::string_view text);

struct TableClasses {
  std::vector<std::string> words;  // in the order of their bytes; none: labels are numbers
  std::size_t count = 0;           // of classes; 0: of numbers, up to most_classes

  std::optional<std::uint16_t> number_of(std::string_view text) const;
  // What is expected of a label, for an error message: "one of 'bag', 'boot'", "a whole number from 0 to 9".
  std::string expected() const;
  friend bool operator==(const TableClasses&, const TableClasses&) = default;
};

// What an error says, behind the line, of a label that is none of the classes.
std::string unknown_label(std::string_view text, const TableClasses& classes, const TableLayout& layout);

// Different texts, each with a number: 0, 1, 2, ... in the order in which they came.
class LabelTexts {
 public:
  std::uint32_t number_of(std::string_view text);  // a new one, where it is new
  const std::string& operator[](std::size_t number) const { return texts_[number]; }
  std::size_t size() const { return texts_.size(); }
  void clear() { texts_.clear(), sorted_.clear(); }

 private:
  std::vector<std::string> texts_;
  std::vector<std::uint32_t> sorted_;  // their numbers, in the order of their bytes
};

// The code of a label; texts: of those that are no number as it is usually written.
std::uint32_t label_code(std::string_view text, LabelTexts& texts);

// The class of each code.
struct ClassOfCode {
  std::vector<std::uint16_t> numbers, texts;
  std::uint16_t operator()(std::uint32_t code) const {
    return code < most_classes ? numbers[code] : texts[code - most_classes];
  }
};

// All labels that were seen of a table, and where each was first.
class LabelsSeen {
 public:
  struct Place {
    std::size_t file = 0;
    std::uint64_t line = 0;  // from 1 on; 0: nowhere
  };
  // A number, or a text of a piece: its code here. Each of a piece once, or more often; in the order of the files.
  void add_number(std::uint32_t number, Place place);
  std::uint32_t add_text(std::string_view text, Place place);

  // Throws DataError where there are too many already.
  void check_count(const TableLayout& layout) const;
  // What they say the classes are; of numbers as many as the highest says, at least 2. Throws DataError for too many,
  // and for one word.
  TableClasses classes(const TableLayout& layout) const;
  // Throws DataError naming the first label, in the order of the files, that is none of the classes.
  ClassOfCode class_of_code(const TableClasses& classes, const InputFiles& files, const TableLayout& layout) const;

 private:
  std::vector<Place> numbers_;  // by the number
  LabelTexts texts_;
  std::vector<Place> places_;  // of the texts
};

}  // namespace sluice::stages
