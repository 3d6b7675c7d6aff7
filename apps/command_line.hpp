// What the words of a command line ask for.
//
// Nothing is run, printed or looked up here: the same words give the same result.
// Errors: UsageError, in words that name the flag and the way out.
//
//   CommandLine line = parse_command_line(argc, argv, version);
//   if (line.command == CommandLine::Command::train) train(line.options);
#pragma once

#include <functional>
#include <string>

#include "apps/options.hpp"

namespace sluice::apps {

struct CommandLine {
  enum class Command { none, train, graph, synth, inspect };
  Command command = Command::none;
  Options options;     // of train and graph
  SynthOptions synth;  // of synth
  InspectOptions inspect;
  std::string text;    // of none: the help or the version
  bool wrong = false;  // of none: the text is not what was asked for
};

// version: makes the text of --version.
CommandLine parse_command_line(int argc, const char* const* argv, const std::function<std::string()>& version);

}  // namespace sluice::apps
