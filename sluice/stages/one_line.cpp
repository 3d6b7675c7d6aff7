#include <sluice/stages/one_line.hpp>

namespace sluice::stages {

std::string one_line(std::string_view text, std::size_t most_bytes) {
  const bool cut = text.size() > most_bytes;
  std::string out(text.substr(0, most_bytes));
  // A character of UTF-8 is not cut in two.
  if (cut)
    while (!out.empty() && (static_cast<unsigned char>(text[out.size()]) & 0xc0) == 0x80) out.pop_back();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    // U+0080 to U+009F are commands, too.
    const bool of_second_set = c == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0;
    if (of_second_set) out.erase(i + 1, 1);
    if (c < ' ' || c == 0x7f || of_second_set) out[i] = '?';
  }
  return cut ? out + "..." : out;
}

}  // namespace sluice::stages
