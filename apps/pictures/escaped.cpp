#include "apps/pictures/escaped.hpp"

#include "apps/terminal/plain_text.hpp"

namespace sluice::apps {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : utf8(text)) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\t':
      case '\n':
        out += c;
        break;
      default:
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
          out += "\xEF\xBF\xBD";
        else
          out += c;
    }
  return out;
}

}  // namespace sluice::apps
