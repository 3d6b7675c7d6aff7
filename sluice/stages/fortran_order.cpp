#include <sluice/stages/fortran_order.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/npy.hpp>
#include <sluice/stages/readable_file.hpp>

namespace sluice::stages {
namespace {

using Sizes = std::span<const std::uint64_t>;

std::size_t product(Sizes sizes) {
  std::size_t all = 1;
  for (const std::uint64_t size : sizes) all *= static_cast<std::size_t>(size);
  return all;
}

// The places of a row's values, as its last index changes fastest: where they stand when the first does.
class Places {
 public:
  explicit Places(Sizes sizes) : sizes_(sizes), index_(sizes.size()), steps_(sizes.size(), 1) {
    for (std::size_t i = 1; i < sizes.size(); ++i) steps_[i] = steps_[i - 1] * static_cast<std::size_t>(sizes[i - 1]);
  }
  std::size_t place() const { return place_; }
  void next() {
    for (std::size_t i = sizes_.size(); i-- > 0;) {
      place_ += steps_[i];
      if (++index_[i] < sizes_[i]) return;
      place_ -= steps_[i] * static_cast<std::size_t>(sizes_[i]);
      index_[i] = 0;
    }
  }

 private:
  Sizes sizes_;
  std::vector<std::uint64_t> index_;
  std::vector<std::size_t> steps_;
  std::size_t place_ = 0;
};

// As many rows at a time as a cache line has bytes: their lines stay in the cache while their values are written.
constexpr std::size_t tile = 64;

template <std::size_t bytes>
void rows_in_c_order(const std::uint8_t* from, std::size_t count, Sizes sizes, std::uint8_t* to) {
  const std::size_t values = product(sizes);
  for (std::size_t row = 0; row < count; row += tile) {
    const std::size_t rows = std::min(tile, count - row);
    Places places(sizes);
    for (std::size_t i = 0; i < values; ++i, places.next()) {
      const std::uint8_t* const source = from + (places.place() * count + row) * bytes;
      std::uint8_t* const target = to + (row * values + i) * bytes;
      for (std::size_t k = 0; k < rows; ++k) std::memcpy(target + k * values * bytes, source + k * bytes, bytes);
    }
  }
}

// Of arrays of that type and size that are in C order.
std::vector<std::uint8_t> header_in_c_order(ArrayHeader header) {
  header.fortran_order = false;
  return npy_header(header);
}

Sizes row_sizes(const ArrayHeader& header) {
  return Sizes(header.sizes).subspan(1);
}

std::size_t row_bytes(const ArrayHeader& header) {
  return product(row_sizes(header)) * element_type_bytes(header.type);
}

// Memory that nobody else writes, with these bytes.
Chunk chunk_of(std::span<const std::uint8_t> bytes, std::size_t file) {
  Chunk chunk;
  std::uint8_t* const memory = chunk.owner.renew().reserve(bytes.size());
  std::copy(bytes.begin(), bytes.end(), memory);
  chunk.data = memory;
  chunk.size = bytes.size();
  chunk.file = file;
  return chunk;
}

[[noreturn]] void refuse_size(const std::string& path, const ArrayHeader& header, std::uint64_t promised,
                              const std::string& found, const char* question) {
  throw DataError(fmt::format("{}: the header promises {}, {} bytes, and {}: {}", path, array_text(header), promised,
                              found, question));
}

// Of its numbers.
std::uint64_t checked_bytes(const ArrayHeader& header, const std::string& path) {
  const std::optional<std::uint64_t> bytes = header.element_bytes();
  if (bytes && *bytes > 0) return *bytes;
  throw DataError(
      fmt::format("{}: the header promises {}, expected a number at least and less than 2^64 bytes: is it damaged?",
                  path, array_text(header)));
}

}  // namespace

void rows_in_c_order(const std::uint8_t* from, std::size_t count, Sizes sizes, std::size_t bytes, std::uint8_t* to) {
  switch (bytes) {
    case 1:
      return rows_in_c_order<1>(from, count, sizes, to);
    case 2:
      return rows_in_c_order<2>(from, count, sizes, to);
    case 4:
      return rows_in_c_order<4>(from, count, sizes, to);
    default:
      return rows_in_c_order<8>(from, count, sizes, to);
  }
}

// --- FortranFile

class FortranFile::State {
 public:
  State(const std::string& path, std::size_t block_bytes) : file_(path) {
    read_header();
    row_bytes_ = row_bytes(header_);
    rows_of_block_ = static_cast<std::size_t>(
        std::min<std::uint64_t>(header_.sizes[0], std::max<std::size_t>(1, block_bytes / row_bytes_)));
  }

  std::size_t block_bytes() const { return rows_of_block_ * row_bytes_; }

  bool next(Chunk& out) {
    if (offset_ == 0) {
      out = chunk_of(header_in_c_order(header_), 0);
      offset_ = out.size;
      return true;
    }
    const auto rows = static_cast<std::size_t>(std::min<std::uint64_t>(rows_of_block_, header_.sizes[0] - row_));
    if (rows == 0) return false;
    read_block(rows);
    std::uint8_t* const target = pool_.take(out.owner).reserve(rows * row_bytes_);
    rows_in_c_order(block_.data.get(), rows, row_sizes(header_), element_type_bytes(header_.type), target);
    out.data = target;
    out.size = rows * row_bytes_;
    out.offset = offset_;
    row_ += rows, offset_ += out.size;
    return true;
  }

 private:
  void read_header() {
    std::vector<std::uint8_t> start(most_npy_header + 64), header;
    std::span<const std::uint8_t> data(start.data(), file_.read_at(start.data(), start.size(), 0));
    if (take_array_header(header, data, file_.path()) && is_array(header))
      header_ = parse_array_header(header, file_.path());
    if (!header_.is_reordered())
      throw DataError(file_.path() + ": is no array in Fortran order, as it was when it was looked at: did it change?");
    const std::uint64_t promised = checked_bytes(header_, file_.path());
    const std::uint64_t there = file_.size() - std::min<std::uint64_t>(file_.size(), header_.bytes);
    if (there != promised)
      refuse_size(file_.path(), header_, promised, fmt::format("the file has {}", there),
                  there < promised ? "was it cut short?" : "was something appended?");
  }

  // A piece of each column.
  void read_block(std::size_t rows) {
    const std::size_t piece = rows * element_type_bytes(header_.type),
                      columns = row_bytes_ / element_type_bytes(header_.type);
    std::uint8_t* const block = block_.reserve(columns * piece);
    const std::uint64_t column_bytes = header_.sizes[0] * element_type_bytes(header_.type);
    for (std::size_t i = 0; i < columns; ++i) {
      const std::uint64_t from = header_.bytes + i * column_bytes + row_ * element_type_bytes(header_.type);
      if (file_.read_at(block + i * piece, piece, from) < piece)
        throw DataError(
            fmt::format("{}: ends before byte {}, and was longer: did it change?", file_.path(), from + piece));
    }
  }

  ReadableFile file_;
  ArrayHeader header_;
  std::size_t row_bytes_ = 0, rows_of_block_ = 0;
  std::uint64_t row_ = 0, offset_ = 0;
  Bytes block_;
  Pool<Bytes> pool_;
};

void FortranFile::Closer::operator()(State* state) const {
  delete state;
}

bool FortranFile::operator()(Chunk& out) {
  if (block_bytes == 0) throw std::invalid_argument("block_bytes must be at least 1");
  if (!state_) state_.reset(new State(path, block_bytes));
  return state_->next(out);
}

std::optional<std::size_t> FortranFile::payload_bytes() const {
  try {
    return State(path, block_bytes).block_bytes();
  } catch (const DataError&) {
    return std::nullopt;
  }
}

// --- InCOrder

void InCOrder::push(const Chunk& chunk) {
  State& s = state_;
  while (s.file != chunk.file) end_of_file(), ++s.file;
  if (s.passed_on) return s.ready.push_back(chunk);
  if (s.array) return collect(chunk);
  const bool begins = s.start.empty();
  std::span<const std::uint8_t> data(chunk.data, chunk.size);
  if (!take_array_header(s.start, data, path())) return;
  Chunk rest = chunk;
  rest.offset += static_cast<std::uint64_t>(data.data() - chunk.data);
  rest.data = data.data(), rest.size = data.size();
  if (is_array(s.start)) s.array = parse_array_header(s.start, path());
  if (s.array && s.array->is_reordered()) {
    s.promised = checked_bytes(*s.array, path());
    return collect(rest);
  }
  s.array.reset();
  s.passed_on = true;
  if (begins) return s.ready.push_back(chunk);
  s.ready.push_back(chunk_of(s.start, s.file));
  if (rest.size > 0) s.ready.push_back(rest);
}

void InCOrder::collect(const Chunk& chunk) {
  State& s = state_;
  if (chunk.size == 0) return;
  s.collected += chunk.size;
  if (s.collected > s.promised)
    refuse_size(path(), *s.array, s.promised, "the file goes on behind them", "was something appended?");
  s.parts.push_back(chunk);
  if (s.collected == s.promised) put_in_order();
}

void InCOrder::put_in_order() {
  State& s = state_;
  Bytes together;
  const std::uint8_t* from = s.parts.front().data;
  if (s.parts.size() > 1) {
    std::uint8_t* to = together.reserve(static_cast<std::size_t>(s.promised));
    from = to;
    for (Chunk& part : s.parts) {
      to = std::copy_n(part.data, part.size, to);
      part = {};  // so that no more than the array is held
    }
  }
  Chunk array;
  std::uint8_t* const to = array.owner.renew().reserve(static_cast<std::size_t>(s.promised));
  rows_in_c_order(from, static_cast<std::size_t>(s.array->sizes[0]), row_sizes(*s.array),
                  element_type_bytes(s.array->type), to);
  s.parts.clear();
  s.ready.push_back(chunk_of(header_in_c_order(*s.array), s.file));
  array.data = to;
  array.size = static_cast<std::size_t>(s.promised);
  array.offset = s.ready.back().size;
  array.file = s.file;
  s.ready.push_back(std::move(array));
}

bool InCOrder::pull(Chunk& out) {
  State& s = state_;
  if (s.ready.empty()) return false;
  out = std::move(s.ready.front());
  s.ready.pop_front();
  return true;
}

void InCOrder::end_of_file() {
  State& s = state_;
  if (s.array && s.collected < s.promised)
    refuse_size(path(), *s.array, s.promised, fmt::format("{} have come", s.collected), "was it cut short?");
  if (!s.array && !s.passed_on && !s.start.empty())
    s.ready.push_back(chunk_of(s.start, s.file));  // which is said later
  s = {.file = s.file, .ready = std::move(s.ready)};
}

}  // namespace sluice::stages
