// A word as a POSIX shell takes it back, and as a terminal may show it.
//
// any bytes -> the same, quoted where that is needed; control characters are spelt, for printf. A pure function.
// Errors: none.
//
//   quoted("my data");   // 'my data'
#pragma once

#include <string>

namespace sluice::apps {

std::string quoted(const std::string& word);

}  // namespace sluice::apps
