// Text of anybody (the name of a stage or a file, a class) as a terminal, a page or a picture may be given it.
//
// text -> UTF-8 on one line: control characters, which a terminal may take for commands, what is no UTF-8, and what is
// no character of XML become U+FFFD; printable(printable(text)) is printable(text). A pure function. Errors: none.
//
//   fmt::format("stage '{}'", printable(name))
#pragma once

#include <string>
#include <string_view>

namespace sluice {

std::string printable(std::string_view text);

}  // namespace sluice
