// The help of the program and its document, both from the table of flags (apps/flags/flags.hpp).
//
// Pure functions. width: columns of the terminal; no line is longer, but for what has no blanks. Errors: none.
//
//   print(help(train, 80));
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apps/flags/flags.hpp"

namespace sluice::apps {

std::string help(const Flags& command, std::size_t width);
std::string help(const Flags& program, const std::vector<const Flags*>& commands, std::size_t width);
// docs/cli.md
std::string markdown(const Flags& program, const std::vector<const Flags*>& commands);

// "-h, --help", "--epochs N"; "FILE...", "[COMMAND]"
std::string written(const CLI::Option* flag);
std::string written_argument(const CLI::Option* argument);

}  // namespace sluice::apps
