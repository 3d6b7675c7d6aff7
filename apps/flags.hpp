// The flags of a command: CLI11's objects are the one table of them, and help, docs/cli.md, the environment and
// --dump-flags are read from it. What CLI11 has no place for is here.
//
// A flag is declared once, with CLI11's own words:
//
//   CLI::Option* trace = command.add_option("--trace", o.trace, "Write what ran
//   where")->type_name("FILE")->group("..."); CLI::Option* steps = command.add_option("--trace-steps", o.steps,
//   "Messages that are traced")->capture_default_str(); command.only_where(steps, [&o] { return !o.trace.empty(); },
//   "without --trace FILE");
//
// A value comes from the command line, else from the environment, else it is the default. Each flag with a value has a
// variable, by environment_name(); none without a value has one. An empty variable counts as unset. Its value passes
// the validators of the flag. Where a flag has no effect, given by hand it is an error, and its variable is passed
// over: that is a default for all commands. A type name FILE or DIR says that the value is a path.
//
// Order and thread-safety: plain values. Errors: UsageError, which names the flag or the variable.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "apps/options.hpp"
#include "apps/usage_error.hpp"

namespace sluice::apps {

// The value of a variable of the environment; empty: it is not set.
using Environment = std::function<std::string(const std::string& name)>;

// --batch-size -> SLUICE_BATCH_SIZE
std::string environment_name(const std::string& flag);

inline constexpr const char* help_group = "Help";  // the last one; no flag of it belongs to what a run is

class Flags : public CLI::App {
 public:
  Flags(const std::string& does, const std::string& name) : CLI::App(does, name) {}

  // The default in words, where no value that could be given is it.
  void by_default(const CLI::Option* flag, const std::string& words) { words_[flag] = words; }
  // has: asked when all values are known. Otherwise: "--trace-steps: has no effect " + otherwise.
  void only_where(const CLI::Option* flag, std::function<bool()> has, const std::string& otherwise) {
    rules_.push_back({flag, std::move(has), otherwise});
  }
  // Given by hand, a flag says more than the variables of these others, which are then passed over.
  void beats(const CLI::Option* flag, const std::vector<const CLI::Option*>& others) {
    for (const CLI::Option* other : others) beaten_[other] = flag;
  }
  // A flag that other commands have, and why this one has not: "--lr: " + reason.
  void without(const std::string& flag, const std::string& reason) { absent_[flag] = reason; }
  // Shown at the end of the help. command: a line for a shell; a test runs all of them.
  void example(const std::string& command, const std::string& what) { examples_.push_back({command, what}); }
  // A paragraph of the help, and a list of it.
  void note(const std::string& text) { notes_.push_back(text); }
  void list(const std::string& title, const std::vector<std::pair<std::string, std::string>>& lines) {
    lists_.push_back({title, lines});
  }
  // --no-env, if there is a flag that it could concern: when all others are declared.
  void finish();

  // After the parser: what is not given is taken from the environment, then what has no effect is an error.
  void complete(const Environment& environment);
  // What may have an effect, in the order of the table: every flag with a value, and those without one that are given.
  std::vector<SpeltFlag> spelt() const;
  // The flags whose value is a variable's.
  const std::map<std::string, std::string>& from_environment() const { return from_environment_; }

  bool takes_no_value(const std::string& flag) const;  // false: it has one, or there is no such flag

  // For help and documents.
  struct Example {
    std::string command, what;
  };
  std::vector<const CLI::Option*> flags_of(const std::string& group) const;  // shown ones
  std::vector<std::string> groups() const;
  std::string default_of(const CLI::Option* flag) const;   // empty: there is none
  std::string variable_of(const CLI::Option* flag) const;  // empty: there is none
  const std::vector<Example>& examples() const { return examples_; }
  struct List {
    std::string title;
    std::vector<std::pair<std::string, std::string>> lines;
  };
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<List>& lists() const { return lists_; }
  const std::map<std::string, std::string>& absent() const { return absent_; }

 private:
  struct Rule {
    const CLI::Option* flag;
    std::function<bool()> has;
    std::string otherwise;
  };
  void take_all(const Environment& environment);
  void take(CLI::Option& flag, const std::string& variable, const std::string& value);
  const Rule* broken(const CLI::Option* flag) const;

  std::map<const CLI::Option*, std::string> words_;
  std::vector<Rule> rules_;
  std::map<const CLI::Option*, const CLI::Option*> beaten_;  // by
  std::map<std::string, std::string> absent_;
  std::vector<Example> examples_;
  std::vector<std::string> notes_;
  std::vector<List> lists_;
  bool no_environment_ = false;
  std::map<const CLI::Option*, std::vector<std::string>> taken_;  // from the environment
  std::map<std::string, std::string> from_environment_;           // flag: value
};

}  // namespace sluice::apps
