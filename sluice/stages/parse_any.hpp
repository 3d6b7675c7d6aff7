// Decoded bytes of images in whatever format, told by their first bytes when they come -> the images: for what can be
// read only once (a pipe), where nobody can look before.
//
// chunks, in order, of one input -> Elements, in order: of arrays as ParseImages has them (sluice/stages/parse.hpp), of
// a table its rows, without labels, as soon as they are whole (sluice/stages/cut_table.hpp, parse_table.hpp). Order and
// thread-safety: an expand; one thread at a time. Errors: those of the two, and DataError for what is neither
// (sluice/stages/foreign_content.hpp).
//
//   auto images = g.expand("parse", ParseAny{.name = "standard input"}, chunks);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/cut_table.hpp>
#include <sluice/stages/number_table.hpp>
#include <sluice/stages/parse.hpp>
#include <sluice/stages/parse_table.hpp>

namespace sluice::stages {

struct ParseAny {
  std::string name;      // of the input, for error messages
  TableWanted wanted{};  // of a table
  ParseTable table{};

  using Output = Elements;
  void push(const Chunk& chunk);
  bool pull(Elements& out);
  void finish();
  void reset();

  // State of its own, no options.
  enum class Told : std::uint8_t { nothing, arrays, table };
  struct State {
    Told told = Told::nothing;
    bool over = false;  // nothing more comes
    Chunk start{};      // what came until it is told
    ParseImages arrays{};
    CutTable cut{};
    NumberTable number{};
    TableText text{};
    TableRows rows{};
    LabelledElements elements{};
  };
  void tell();
  void give(const Chunk& chunk);
  State state_{};
};

static_assert(verbs::Expand<ParseAny, Chunk, Elements>);

}  // namespace sluice::stages
