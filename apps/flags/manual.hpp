// The pages of the manual, from the table of flags (apps/flags/flags.hpp): sluice(1) and one for each command.
//
// -> a page in mdoc(7), which man of every system shows; mandoc finds nothing to warn of. version: "sluice 0.2.0".
// Pure functions. Errors: none.
//
//   print(manual(program, train, commands, "sluice 0.2.0"));   // sluice-train.1
#pragma once

#include <string>
#include <vector>

#include "apps/flags/flags.hpp"

namespace sluice::apps {

// Of the program, which names the page of each command.
std::string manual(const Flags& program, const std::vector<const Flags*>& commands, const std::string& version);
// Of a command; what is said of all of them, the program has.
std::string manual(const Flags& program, const Flags& command, const std::vector<const Flags*>& commands,
                   const std::string& version);

}  // namespace sluice::apps
