#include <sluice/stages/parse_any.hpp>

#include <cstring>
#include <span>
#include <utility>

#include <sluice/stages/array_header.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/foreign_content.hpp>

namespace sluice::stages {
namespace {

// `first`, and behind it `second`, in memory of their own.
Chunk joined(const Chunk& first, const Chunk& second) {
  Chunk both = second;
  std::uint8_t* const bytes = both.owner.renew().reserve(first.size + second.size);
  std::memcpy(bytes, first.data, first.size);
  std::memcpy(bytes + first.size, second.data, second.size);
  both.data = bytes;
  both.size = first.size + second.size;
  both.offset = first.offset;
  return both;
}

}  // namespace

void ParseAny::push(const Chunk& chunk) {
  State& s = state_;
  if (s.told != Told::nothing) return give(chunk);
  Chunk second = chunk;
  second.owner = {};
  s.start = s.start.size == 0 ? chunk : joined(s.start, second);
  if (is_array(std::span(s.start.data, s.start.size)) || s.start.size >= foreign_content_bytes) tell();
}

void ParseAny::tell() {
  State& s = state_;
  if (is_array(std::span(s.start.data, s.start.size))) {
    s.told = Told::arrays;
    s.arrays.paths = {name};
  } else {
    if (const auto foreign = foreign_content(s.start.data, s.start.size)) throw DataError(foreign->text(name));
    s.told = Told::table;
    s.cut.paths = {name};
    s.cut.wanted = wanted;
    s.cut.first_rows = 2;
    s.number.totals.files = InputFiles(name);
  }
  give(std::exchange(s.start, {}));
}

void ParseAny::give(const Chunk& chunk) {
  if (state_.told == Told::arrays)
    state_.arrays.push(chunk);
  else
    state_.cut.push(chunk);
}

bool ParseAny::pull(Elements& out) {
  State& s = state_;
  if (s.told == Told::arrays) return s.arrays.pull(out);
  if (s.told == Told::nothing) return false;
  while (!s.number.pull(s.elements)) {
    if (!s.cut.pull(s.text)) {
      if (s.over) s.number.finish();
      return false;
    }
    table(s.text, s.rows);
    s.number.push(s.rows);
  }
  out = s.elements.images;
  return true;
}

void ParseAny::finish() {
  State& s = state_;
  if (s.told == Told::nothing) tell();
  if (s.told == Told::arrays) return s.arrays.finish();
  s.over = true;
  s.cut.finish();
}

void ParseAny::reset() {
  state_ = {};
  table.reset();
}

}  // namespace sluice::stages
