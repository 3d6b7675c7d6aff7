#include "stages/parse.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "stages/errors.hpp"

namespace sluice::stages {
namespace {
constexpr const char* items(IdxKind kind) {
  return kind == IdxKind::images ? "images" : "labels";
}
}  // namespace

template <IdxKind kind>
void ParseIdx<kind>::push(const Chunk& chunk) {
  state_.owner = chunk.owner;
  state_.data = chunk.data;
  state_.size = chunk.size;
  if (!state_.shape) read_header();
}

template <IdxKind kind>
void ParseIdx<kind>::read_header() {
  State& s = state_;
  const std::size_t taken = std::min(s.size, idx_header_bytes(kind) - s.partial.size());
  s.partial.insert(s.partial.end(), s.data, s.data + taken);
  s.data += taken, s.size -= taken;
  // A wrong file is told by its first bytes, also where it is too short for a header.
  if (s.partial.size() >= 4) check_idx_magic(s.partial.data(), kind, path);
  if (s.partial.size() < idx_header_bytes(kind)) return;
  s.shape = parse_idx_header(s.partial.data(), kind, path);
  s.partial.clear();
}

template <IdxKind kind>
bool ParseIdx<kind>::pull(Elements& out) {
  State& s = state_;
  if (!s.shape || s.size == 0) {
    s.owner = {};  // the chunk is used up: nothing here keeps its memory
    return false;
  }
  if (s.next == s.shape->count)
    throw DataError(fmt::format(
        "{}: goes on after {} {}, expected its end there as the header promises: is the header damaged, or was "
        "something appended?",
        path, s.shape->count, items(kind)));
  const std::uint64_t item = s.shape->item_bytes();
  out.shape = *s.shape;
  out.first = s.next;
  if (!s.partial.empty() || s.size < item) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(s.size, item - s.partial.size()));
    s.partial.insert(s.partial.end(), s.data, s.data + taken);
    s.data += taken, s.size -= taken;
    if (s.partial.size() < item) {
      s.owner = {};
      return false;
    }
    Bytes& bytes = out.owner.renew();
    std::memcpy(bytes.reserve(s.partial.size()), s.partial.data(), s.partial.size());
    out.data = bytes.data.get();
    out.count = 1;
    s.partial.clear();
  } else {
    out.count = static_cast<std::size_t>(std::min<std::uint64_t>(s.size / item, s.shape->count - s.next));
    out.data = s.data;
    out.owner = s.owner;
    const std::size_t taken = out.count * static_cast<std::size_t>(item);
    s.data += taken, s.size -= taken;
  }
  s.next += out.count;
  return true;
}

template <IdxKind kind>
void ParseIdx<kind>::finish() {
  const State& s = state_;
  if (!s.shape)
    throw DataError(fmt::format("{}: ends after {} bytes, expected an IDX header of {} bytes: is it an IDX file of {}?",
                                path, s.partial.size(), idx_header_bytes(kind), items(kind)));
  if (s.next < s.shape->count)
    throw DataError(fmt::format("{}: the header promises {} {}, the file ends after {}: was it cut short?", path,
                                s.shape->count, items(kind), s.next));
}

template struct ParseIdx<IdxKind::images>;
template struct ParseIdx<IdxKind::labels>;

}  // namespace sluice::stages
