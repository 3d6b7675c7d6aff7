// "did you mean": the known name that is nearest to one that is not known.
//
// unknown, known -> ": did you mean 'forward'?" where a name is near enough to be a typing mistake, otherwise
// ": expected one of a, b, c"; empty where nothing is known. Ready to stand behind an error message.
//
//   suggestion("fowrard", {"forward", "reduce"})   // ": did you mean 'forward'?"
#pragma once

#include <string>
#include <vector>

namespace sluice {

std::string suggestion(const std::string& unknown, const std::vector<std::string>& known);

}  // namespace sluice
