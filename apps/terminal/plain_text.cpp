#include "apps/terminal/plain_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include <sluice/pipeline/printable.hpp>

namespace sluice::apps {
namespace {

using nlohmann::json;

unsigned char byte(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}
bool continues(unsigned char c) {
  return (c & 0xc0) == 0x80;
}

}  // namespace

std::string utf8(std::string_view text) {
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

std::string percent(double share, int decimals) {
  return fmt::format("{:.{}f} %", 100 * share, decimals);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::size_t columns(std::string_view utf8) {
  // fmt does not tell how wide it takes a text to be, but pads it to any width.
  const std::size_t wide = 2 * utf8.size() + 1;
  return wide - (fmt::formatted_size("{:<{}}", utf8, wide) - utf8.size());
}

std::string fitted(std::string_view text, std::size_t most) {
  // A character has at most 4 bytes and at least one column: of a long text the beginning decides.
  std::string all = printable(text.substr(0, 4 * (most + 1)));
  if (columns(all) <= most) return all;
  while (!all.empty() && columns(all) + 1 > most) {
    while (continues(byte(all, all.size() - 1))) all.pop_back();
    all.pop_back();
  }
  return all + "\u2026";
}

}  // namespace sluice::apps
