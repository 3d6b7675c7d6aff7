#include <sluice/stages/one_line.hpp>

#include <algorithm>

namespace sluice::stages {
namespace {

unsigned byte(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

}  // namespace

// RFC 3629, 4: the second byte's range keeps out what is longer than it need be, surrogates, and beyond U+10FFFF.
std::size_t utf8_bytes(std::string_view text) {
  const unsigned first = byte(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < size) return 0;
  const unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(text, 1) < least || byte(text, 1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i)
    if ((byte(text, i) & 0xc0) != 0x80) return 0;
  return size;
}

bool is_control(std::string_view character) {
  const unsigned first = byte(character, 0);
  return first < ' ' || first == 127 || (first == 0xc2 && byte(character, 1) < 0xa0);
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t size = utf8_bytes(text), taken = std::max<std::size_t>(size, 1);
    if (shown.size() + taken > most) return shown + "...";
    if (size == 0 || is_control(text.substr(0, size)))
      shown += '?';
    else
      shown += text.substr(0, size);
    text.remove_prefix(taken);
  }
  return shown;
}

}  // namespace sluice::stages
