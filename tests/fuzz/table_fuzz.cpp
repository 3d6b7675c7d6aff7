// Tables as text: a byte with how the table is wanted, another with what becomes of what is missing and whether there
// is a label, and the file. Whatever chunks and pieces it comes in: the same rows, the same labels, the same verdict;
// and rows and places of errors as the most obvious way finds them.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/collect_table.hpp>
#include <sluice/stages/cut_table.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/parse_table.hpp>
#include <sluice/stages/table_layout.hpp>
#include "tests/fuzz/support.hpp"
#include "tests/support/obvious_table.hpp"

namespace sluice::fuzz {
namespace {

using namespace stages;

struct Wish {
  TableWanted wanted;
  Missing missing;
};

Wish wish(std::uint8_t how, std::uint8_t what) {
  constexpr char separators[] = {0, 0, ',', ';', '\t', '|', ':', '/'};
  constexpr const char* labels[] = {"", "1", "-1", "2"};
  return {{.separator = separators[how & 7],
           .header = static_cast<TableHeader>((how >> 3 & 3) % 3),
           .label = static_cast<TableLabel>((how >> 5 & 3) % 3),
           .label_column = labels[what >> 2 & 3],
           .ignored = what & 16 ? std::vector<std::string>{"3"} : std::vector<std::string>{}},
          static_cast<Missing>(what & 3)};
}

struct Outcome {
  std::string error;
  std::vector<std::vector<float>> rows;
  std::vector<std::string> labels;
  std::uint64_t missing = 0, skipped = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// In chunks and pieces of the sizes that are given, each chunk in memory of just its size.
Outcome parsed(std::string_view text, const Wish& how, const std::function<std::size_t()>& next_size, std::size_t piece,
               bool kept) {
  Outcome all;
  CutTable cut{.paths = {"table"}, .wanted = how.wanted, .first_rows = 5, .piece_bytes = piece};
  const ParseTable parse{.missing = how.missing, .kept = kept};
  CollectTable table;
  table.totals.files = "table";
  std::size_t given = 0;
  try {
    TableText rows_text;
    TableRows rows;
    const auto pull_all = [&] {
      while (cut.pull(rows_text)) {
        given += rows_text.text.size();
        expect(given <= text.size(), "nothing is handed on twice");
        parse(rows_text, rows);
        table(rows);
      }
      expect(cut.state_.partial.size() <= text.size(), "memory follows the bytes that came");
    };
    for (std::size_t at = 0; at < text.size();) {
      Chunk chunk;
      chunk.size = std::min(next_size(), text.size() - at);
      chunk.offset = at;
      std::uint8_t* const target = chunk.owner.renew().reserve(chunk.size);
      if (chunk.size > 0) std::memcpy(target, text.data() + at, chunk.size);
      chunk.data = target;
      at += chunk.size;
      cut.push(chunk);
      pull_all();
    }
    cut.finish();
    pull_all();
    table.finish();
    const TableLayout& layout = *table.totals.layout;
    if (layout.label) {
      const TableClasses classes = table.totals.labels.classes(layout);
      for (const std::uint16_t label : table.labels(classes)) {
        expect(label < classes.count, "a label is below the number of classes");
        all.labels.push_back(classes.words.empty() ? std::to_string(label) : classes.words[label]);
      }
    }
    for (const std::uint8_t* row : table.rows()) {
      auto& values = all.rows.emplace_back();
      for (std::size_t i = 0; i < table.features(); ++i)
        values.push_back(table.type() == Pixel::uint8 ? static_cast<float>(row[i])
                                                      : reinterpret_cast<const float*>(row)[i]);
      for (float& value : values)
        if (std::isnan(value)) value = -1e38f;  // to be compared
    }
    all.missing = table.totals.all_missing(), all.skipped = table.totals.skipped;
  } catch (const DataError& error) {
    all.error = error.what();
    check_error(all.error, "table");
  }
  return all;
}

std::size_t number_behind(const std::string& text, const std::string& word) {
  const std::size_t at = text.find(word);
  return at == std::string::npos ? 0 : std::stoul(text.substr(at + word.size()));
}

void compare(const Outcome& found, std::string_view text, const Wish& how) {
  std::optional<TableLayout> layout;
  try {
    layout = find_layout(text, true, how.wanted, "table", 5);
  } catch (const DataError& error) {
    expect(found.error == error.what(), "what is wrong with the columns is the error",
           found.error + "\n" + error.what());
    return;
  }
  const bool zero = how.missing == Missing::zero;
  const test::ObviousTable expected =
      test::obvious_table(std::string(text), {.separator = layout->separator,
                                              .header = layout->has_header(),
                                              .columns = layout->columns,
                                              .features = layout->features,
                                              .label = layout->label,
                                              .missing_is_wrong = how.missing == Missing::error,
                                              .missing_is_skipped = how.missing == Missing::skip});
  if (found.error.find(": label '") != std::string::npos) return;  // no word that can be one
  const std::size_t line = number_behind(found.error, "table: line ");
  if (line == 0 && !found.error.empty()) {
    expect(expected.wrong_line == 0, "what is wrong with a row is the error", found.error);
    return;  // no rows, or one class
  }
  const std::string place = found.error.substr(0, found.error.find(':', 7));
  expect(line == expected.wrong_line && number_behind(place, ", column ") == expected.wrong_column,
         "an error is where the obvious way has it",
         found.error + "\nline " + std::to_string(expected.wrong_line) + ", column " +
             std::to_string(expected.wrong_column));
  if (line > 0) return;
  expect(found.missing == expected.missing && found.skipped == expected.skipped, "so much is missing");
  expect(found.rows.size() == expected.rows.size(), "as many rows");
  for (std::size_t row = 0; row < expected.rows.size(); ++row)
    for (std::size_t i = 0; i < expected.rows[row].size(); ++i) {
      const float its = expected.rows[row][i], value = std::isnan(its) ? (zero ? 0 : -1e38f) : its;
      expect(found.rows[row][i] == value && std::signbit(found.rows[row][i]) == std::signbit(value),
             "with these values", std::to_string(found.rows[row][i]) + ", expected " + std::to_string(value));
    }
  const bool numbers = std::all_of(expected.labels.begin(), expected.labels.end(),
                                   [](const std::string& label) { return whole_label(label).has_value(); });
  for (std::size_t row = 0; row < expected.labels.size(); ++row)
    expect(found.labels[row] == (numbers ? std::to_string(*whole_label(expected.labels[row])) : expected.labels[row]),
           "and these labels");
}

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  if (size < 2) return 0;
  Derived derived(data, size);
  const Wish how = wish(data[0], data[1]);
  const std::string_view text = text_of(data + 2, size - 2);
  const Outcome whole = parsed(
      text, how, [&] { return text.size(); }, 1000, false);
  const std::size_t most = derived.size_up_to(300);
  for (const auto& next_size : {std::function<std::size_t()>([] { return 1; }),
                                std::function<std::size_t()>([&] { return derived.up_to(most) + 1; })}) {
    const Outcome cut = parsed(text, how, next_size, derived.size_up_to(300), derived.up_to(1) == 1);
    expect(cut == whole, "neither rows nor the verdict depend on chunks and pieces", cut.error + "\n" + whole.error);
  }
  compare(whole, text, how);
  return 0;
}
