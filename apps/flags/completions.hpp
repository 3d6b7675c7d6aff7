// What a shell needs to complete a command line of sluice, from the table of flags (apps/flags/flags.hpp): commands,
// flags with a line about each, words that a value may be, stages, files by the ends of their names.
//
// shell: bash, zsh or fish -> a script for it. All is in it, and nothing is asked of the program at a TAB: that would
// take it a start each time, and what the table says does not change between. Pure functions. Errors: none.
//
//   print(completions("bash", program, commands));
#pragma once

#include <string>
#include <vector>

#include "apps/flags/flags.hpp"

namespace sluice::apps {

std::string completions(const std::string& shell, const Flags& program, const std::vector<const Flags*>& commands);

}  // namespace sluice::apps
