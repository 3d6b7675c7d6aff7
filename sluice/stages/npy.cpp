#include <sluice/stages/npy.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/one_line.hpp>
#include <sluice/stages/stored_number.hpp>

namespace sluice::stages {
namespace {

constexpr std::array<std::uint8_t, 6> magic{0x93, 'N', 'U', 'M', 'P', 'Y'};

struct Type {
  std::string_view name;  // as `descr` has it, behind the order of bytes
  ElementType type;
};
constexpr Type types[] = {{"u1", ElementType::uint8},   {"u2", ElementType::uint16},  {"u4", ElementType::uint32},
                          {"u8", ElementType::uint64},  {"i1", ElementType::int8},    {"i2", ElementType::int16},
                          {"i4", ElementType::int32},   {"i8", ElementType::int64},   {"f2", ElementType::float16},
                          {"f4", ElementType::float32}, {"f8", ElementType::float64}, {"b1", ElementType::boolean}};

// What is not read here, by the letter of its kind, and what to do about it.
std::string_view other_kind(char kind) {
  switch (kind) {
    case 'O':
      return "Python objects, a pickle, which is never read: save an array of numbers, say x.astype('float32')";
    case 'S':
    case 'a':
    case 'U':
      return "text, expected numbers: save the numbers of the classes, say numpy.unique(x, return_inverse=True)[1]";
    case 'M':
    case 'm':
      return "times, expected numbers: save x.astype('int64')";
    case 'c':
      return "complex numbers, expected real ones: save x.real, or x.imag beside it";
    case 'V':
      return "raw bytes (a structure, or bfloat16?), expected numbers: save x.astype('float32')";
    default:
      return "numbers that are not known here, expected a type like '<f4' or '|u1': save x.astype('float32')";
  }
}

// Where in a file the length stands, and how long it is.
struct Prefix {
  std::size_t length_bytes;
  std::size_t bytes() const { return magic.size() + 2 + length_bytes; }
};

class Text {
 public:
  Text(std::string_view text, std::size_t offset, const std::string& path)
      : text_(text), offset_(offset), path_(path) {}

  ArrayHeader dictionary() {
    std::optional<std::pair<ElementType, std::endian>> type;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::uint64_t>> sizes;
    expect('{');
    while (!take('}')) {
      const std::size_t begin = at_;
      const std::string_view key = quoted("a key, as 'descr'");
      expect(':');
      if (key == "descr" && !type)
        type = descr();
      else if (key == "fortran_order" && !fortran_order)
        fortran_order = boolean();
      else if (key == "shape" && !sizes)
        sizes = tuple();
      else
        fail(begin, "'descr', 'fortran_order' and 'shape', each once");
      if (!take(',') && !next_is('}')) fail(at_, "',' or '}'");
    }
    end();
    if (!type || !fortran_order || !sizes) fail(at_, "'descr', 'fortran_order' and 'shape', each once");
    return {.type = type->first,
            .order = type->second,
            .fortran_order = *fortran_order,
            .sizes = std::move(*sizes),
            .bytes = offset_ + text_.size()};
  }

 private:
  [[noreturn]] void fail(std::size_t at, std::string_view expected) const {
    const std::string found(text_.substr(std::min(at, text_.size()), 40));
    throw DataError(fmt::format("{}: its NumPy header has {} at byte {}, expected {}: is it damaged?", path_,
                                found.empty() ? "its end" : "\"" + one_line(found, 30) + "\"", offset_ + at, expected));
  }

  void blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool next_is(char c) {
    blanks();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool take(char c) {
    const bool there = next_is(c);
    at_ += there;
    return there;
  }
  void expect(char c) {
    if (!take(c)) fail(at_, fmt::format("'{}'", c));
  }
  bool take(std::string_view word) {
    blanks();
    const bool there = text_.substr(at_).starts_with(word);
    if (there) at_ += word.size();
    return there;
  }

  // Without the quotes; no word that is taken here has a backslash.
  std::string_view quoted(std::string_view expected) {
    blanks();
    const std::size_t begin = at_ + 1;
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
      const std::size_t end = text_.find(text_[at_], begin);
      if (end != std::string_view::npos) {
        at_ = end + 1;
        return text_.substr(begin, end - begin);
      }
    }
    fail(at_, expected);
  }

  [[noreturn]] void refuse(std::string_view descr, std::string_view holds) const {
    throw DataError(fmt::format("{}: has values of type {}: {}", path_, one_line(std::string(descr), 30), holds));
  }

  std::pair<ElementType, std::endian> descr() {
    if (next_is('[') || next_is('('))
      refuse(text_.substr(at_, 40), "records of several fields, expected numbers: save one field, say x['name']");
    const std::string_view name = quoted("a type, as '<f4'");
    const char order = name.empty() ? ' ' : name[0];
    const std::string_view type = name.substr(std::min<std::size_t>(name.size(), 1));
    const std::string shown = fmt::format("'{}'", name);
    for (const Type& one : types) {
      if (one.name != type) continue;
      if (order == '<') return {one.type, std::endian::little};
      if (order == '>') return {one.type, std::endian::big};
      if (order == '=' || (order == '|' && element_type_bytes(one.type) == 1)) return {one.type, std::endian::native};
      refuse(shown,
             "it does not say in which order its bytes are, expected < or > before it: was it written by NumPy?");
    }
    if (type == "f12" || type == "f16")
      refuse(shown, "numbers of more than 8 bytes, expected at most 8: save x.astype('float32')");
    refuse(shown, other_kind(type.empty() ? ' ' : type[0]));
  }

  bool boolean() {
    if (take(std::string_view("True"))) return true;
    if (take(std::string_view("False"))) return false;
    fail(at_, "True or False");
  }

  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> sizes;
    expect('(');
    while (!take(')')) {
      sizes.push_back(number());
      const bool comma = take(',');
      if (comma) continue;
      if (!next_is(')')) fail(at_, "',' or ')'");
      if (sizes.size() == 1) fail(at_, "',': of one size is a tuple with a comma");
    }
    return sizes;
  }

  std::uint64_t number() {
    blanks();
    std::uint64_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    const bool leading_zero = end - begin > 1 && *begin == '0';
    if (error == std::errc::result_out_of_range) fail(at_, "a size below 2^64");
    if (error != std::errc() || leading_zero) fail(at_, "a size");
    at_ += static_cast<std::size_t>(end - begin);
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;
    return value;
  }

  // Spaces and a newline, and nothing behind.
  void end() {
    blanks();
    if (at_ + 1 != text_.size() || text_[at_] != '\n') fail(at_, "spaces and a newline, and then the numbers");
  }

  std::string_view text_;
  std::size_t offset_;  // of the text in the file
  const std::string& path_;
  std::size_t at_ = 0;
};

std::string descr_of(const ArrayHeader& header) {
  const auto is = [&](const Type& one) { return one.type == header.type; };
  const char order = element_type_bytes(header.type) == 1 ? '|' : header.order == std::endian::little ? '<' : '>';
  return order + std::string(std::find_if(std::begin(types), std::end(types), is)->name);
}

}  // namespace

bool is_npy(std::span<const std::uint8_t> start) {
  return start.size() >= array_start_bytes &&
         std::equal(magic.begin(), magic.begin() + array_start_bytes, start.begin());
}

std::size_t npy_header_bytes(std::span<const std::uint8_t> start, const std::string& path) {
  if (start.size() < magic.size() + 2) return magic.size() + 2;
  const unsigned major = start[magic.size()], minor = start[magic.size() + 1];
  if (!std::equal(magic.begin(), magic.end(), start.begin()))
    throw DataError(path + ": begins like a NumPy file, but not with 93 \"NUMPY\": is it damaged?");
  if (major < 1 || major > 3 || minor != 0)
    throw DataError(
        fmt::format("{}: of NumPy's format {}.{}, expected 1.0, 2.0 or 3.0: is it damaged?", path, major, minor));
  const Prefix prefix{major == 1 ? sizeof(std::uint16_t) : sizeof(std::uint32_t)};
  if (start.size() < prefix.bytes()) return prefix.bytes();
  const std::uint8_t* const length = start.data() + magic.size() + 2;
  const std::uint32_t bytes = major == 1 ? stored<std::uint16_t, std::endian::little>(length)
                                         : stored<std::uint32_t, std::endian::little>(length);
  if (bytes > most_npy_header)
    throw DataError(fmt::format("{}: its NumPy header promises {} bytes of text, expected at most {}: is it damaged?",
                                path, bytes, most_npy_header));
  return prefix.bytes() + bytes;
}

ArrayHeader parse_npy_header(std::span<const std::uint8_t> header, const std::string& path) {
  const std::size_t begin = Prefix{header[magic.size()] == 1 ? sizeof(std::uint16_t) : sizeof(std::uint32_t)}.bytes();
  const auto text = header.subspan(begin);
  return Text({reinterpret_cast<const char*>(text.data()), text.size()}, begin, path).dictionary();
}

std::vector<std::uint8_t> npy_header(const ArrayHeader& header) {
  std::string sizes;
  for (const std::uint64_t size : header.sizes) sizes += fmt::format("{}{}", sizes.empty() ? "" : ", ", size);
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}{}), }}", descr_of(header),
                                 header.fortran_order ? "True" : "False", sizes, header.sizes.size() == 1 ? "," : "");
  constexpr std::size_t alignment = 64;
  const std::size_t begin = Prefix{sizeof(std::uint16_t)}.bytes();
  text.append((alignment - (begin + text.size() + 1) % alignment) % alignment, ' ');
  text += '\n';
  std::vector<std::uint8_t> bytes(magic.begin(), magic.end());
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, text.size() & 0xff, text.size() >> 8})
    bytes.push_back(static_cast<std::uint8_t>(byte));
  bytes.insert(bytes.end(), text.begin(), text.end());
  return bytes;
}

}  // namespace sluice::stages
