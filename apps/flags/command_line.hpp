// What the words of a command line, and the environment behind them, ask for.
//
// Nothing is run or printed here, and nothing is looked up but whether a text with a comma in it is the name of a file.
// Errors: UsageError, in words that name the flag or the variable, and the way out.
//
//   CommandLine line = parse_command_line(argc, argv, {.version = version, .environment = variable});
//   if (line.command == CommandLine::Command::train) train(line.options);
//
// The flags that there are: apps/flags/declarations.hpp.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "apps/flags/environment.hpp"
#include "apps/job/options.hpp"

namespace sluice::apps {

struct HelpOptions {
  std::string command;  // empty: the program
  bool manual = false;  // as a page of the manual
};

struct CommandLine {
  enum class Command { none, train, eval, predict, graph, sweep, fetch, synth, index, inspect };
  Command command = Command::none;
  Options options;  // of train and graph; of eval and predict, too
  EvalOptions eval;
  PredictOptions predict;
  SweepOptions sweep;
  FetchOptions fetch;
  SynthOptions synth;  // of synth
  InspectOptions inspect;
  IndexOptions index;
  HelpOptions help;
  std::string shell;                                    // whose completion is asked for
  std::string text;                                     // of none: the help, the version, a page or a script
  bool wrong = false;                                   // of none: the text is not what was asked for
  std::map<std::string, std::string> from_environment;  // flag: value
};

// What a command line means besides its words.
struct Surroundings {
  std::function<std::string()> version{};  // makes the text of --version
  Environment environment{};               // none: no variable is set
  std::size_t columns = 80;                // of the terminal, for the help
};

CommandLine parse_command_line(int argc, const char* const* argv, const Surroundings& surroundings);

// What `sluice train` would be asked for by these words, with nothing of the environment.
Options train_options(const std::vector<std::string>& words);
// The words of the flags that took effect in a sweep and belong to train, too, but for those that it sweeps.
std::vector<std::string> shared_words(const Options& options, const SweepOptions& sweep);

// An error of the command, with the variables behind it that name a flag of it, or a value.
std::string explained(const std::string& error, const CommandLine& line);

}  // namespace sluice::apps
