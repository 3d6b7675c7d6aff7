#include <sluice/pipeline/printable.hpp>

#include <cstddef>
#include <cstdint>

namespace sluice {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;  // otherwise `bytes` begin like a character that does not go on
};

// The one that begins at `at`; RFC 3629: no longer form than needed, no surrogates, none above U+10FFFF.
Character character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return {first, 1, true};
  const std::size_t bytes = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4) return {};
  std::uint32_t code = first & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if (at + i == text.size()) return {0, i, false};
    const unsigned char next = byte(at + i);
    const unsigned char least = i > 1 ? 0x80 : first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned char most = i > 1 ? 0xbf : first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (next < least || next > most) return {0, i, false};
    code = code << 6 | (next & 0x3fu);
  }
  return {code, bytes, true};
}

bool shown(std::uint32_t code) {
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  return !control && code != 0xfffe && code != 0xffff;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character(text, at);
    if (c.valid && shown(c.code))
      out += text.substr(at, c.bytes);
    else
      out += "\xEF\xBF\xBD";
    at += c.bytes;
  }
  return out;
}

}  // namespace sluice
