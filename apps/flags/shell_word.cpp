#include "apps/flags/shell_word.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include <sluice/pipeline/printable.hpp>

namespace sluice::apps {
namespace {

bool is_control(unsigned char c) {
  return c < ' ' || c == 0x7f;
}

// For printf in a shell. Commands to a terminal are spelt, where they would be obeyed as soon as they are shown.
std::string spelt(const std::string& word) {
  std::string out = "\"$(printf '";
  for (const char c : word) {
    const auto code = static_cast<unsigned char>(c);
    if (is_control(code) || c == '\'' || code == 0xc2)  // c2 begins U+0080 to U+009F
      out += fmt::format("\\{:03o}", code);
    else
      out += c == '%' || c == '\\' ? std::string(2, c) : std::string(1, c);
  }
  return out + "')\"";
}

}  // namespace

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string("%+,-./:=@_").find(static_cast<char>(c)) != std::string::npos;
  });
  if (plain) return word;
  // What $(...) gives has no line ends at its end.
  if (printable(word) != word && !word.ends_with('\n')) return spelt(word);
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace sluice::apps
