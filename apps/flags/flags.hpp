// The flags of a command. CLI11's objects are the one table of them: help, docs/cli.md, manual pages, completions, the
// environment and --dump-flags are read from it. What CLI11 has no place for is here.
//
// A flag is declared once, in a line of its group: its name and what its value is called, where the value goes, what it
// may be, and what it is for. The value that is there already is the default.
//
//   const FlagGroup inside = flags.group("See inside");
//   inside.file("--trace FILE", o.trace, "Write what ran where and when");
//   inside.value("--trace-steps N", o.trace_steps, whole(1, 1000), "Messages of each stream that are traced")
//       .only_where([&o] { return !o.trace.empty(); }, "without --trace FILE");
//
// A value comes from the command line, else from the environment, else it is the default. Each flag with a value has a
// variable, by environment_name(); none without a value has one. An empty variable counts as unset. Its value passes
// the checks of the flag. Where a flag has no effect, given by hand it is an error, and its variable is passed over:
// that is a default for all commands. A value that is called FILE or DIR is a path.
//
// Order and thread-safety: plain values. Errors: UsageError, which names the flag or the variable.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/input_files.hpp>
#include "apps/flags/checks.hpp"
#include "apps/flags/environment.hpp"
#include "apps/job/options.hpp"

namespace sluice::apps {

inline constexpr const char* help_group = "Help";  // the last one; no flag of it belongs to what a run is

// Whether it stands in the text as a word of its own: "--data" not in "--data-set".
bool has_word(const std::string& text, const std::string& word);

class Flag;
class FlagGroup;

class Flags : public CLI::App {
 public:
  Flags(const std::string& does, const std::string& name) : CLI::App(does, name) {}

  // Flags under a title of the help.
  FlagGroup group(const std::string& title);
  // What stands without a flag; one value or several, and at least one unless it is optional().
  template <class Target>
  Flag argument(const std::string& name, Target& target, const std::string& what);
  // A flag that other commands have, and why this one has not: "--lr: " + reason.
  void without(const std::string& flag, const std::string& reason) { absent_[flag] = reason; }
  // Shown at the end of the help. command: a line for a shell; a test runs all of them.
  void example(const std::string& command, const std::string& what) { examples_.push_back({command, what}); }
  // A paragraph of the help, and one with a title, or a list, or both: "Environment", "Files", "Exit codes".
  void note(const std::string& text) { notes_.push_back(text); }
  void section(const std::string& title, const std::string& text,
               const std::vector<std::pair<std::string, std::string>>& lines) {
    sections_.push_back({title, text, lines});
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
  struct Section {
    std::string title, text;
    std::vector<std::pair<std::string, std::string>> lines;
  };
  // What a value may be, as far as it is known beforehand.
  struct Values {
    std::vector<std::string> words{};                   // that may be one
    std::string behind{};                               // what follows each word: "=", or nothing
    std::vector<std::string> endings{};                 // of the names of the files that it may be; none: any
    bool files = false, folders = false, list = false;  // list: several with commas between
  };
  std::vector<const CLI::Option*> arguments() const;
  std::vector<const CLI::Option*> flags_of(const std::string& group) const;  // shown ones
  std::vector<std::string> groups() const;
  std::string description_of(const CLI::Option* flag) const;  // with the choices, where they are not named in it
  std::string default_of(const CLI::Option* flag) const;      // empty: there is none
  std::string variable_of(const CLI::Option* flag) const;     // empty: there is none
  Values values_of(const CLI::Option* flag) const;
  static bool has_value(const CLI::Option* flag);
  static bool repeatable(const CLI::Option* flag);
  const std::vector<Example>& examples() const { return examples_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<Section>& sections() const { return sections_; }
  const std::map<std::string, std::string>& absent() const { return absent_; }

 private:
  friend class Flag;
  friend class FlagGroup;
  struct Rule {
    const CLI::Option* flag;
    std::function<bool()> has_effect;
    std::function<std::string()> otherwise;
    std::function<bool(const std::string&)> by_value;
  };
  static void check(CLI::Option* flag, Check check);
  void take_all(const Environment& environment);
  void take(CLI::Option& flag, const std::string& variable, const std::string& value);
  void set_default(CLI::Option& flag, const std::string& value);
  void apply_preset(const Environment& environment);
  const Rule* broken(const CLI::Option* flag) const;

  std::map<const CLI::Option*, std::string> defaults_in_words_;
  std::map<const CLI::Option*, std::vector<std::string>> choices_;
  std::map<const CLI::Option*, Values> values_;
  std::vector<Rule> rules_;
  std::map<const CLI::Option*, std::vector<const CLI::Option*>> yields_to_;
  CLI::Option* preset_ = nullptr;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> presets_;  // by its value
  std::map<std::string, std::string> absent_;
  std::vector<Example> examples_;
  std::vector<std::string> notes_;
  std::vector<Section> sections_;
  bool no_environment_ = false;
  std::map<const CLI::Option*, std::vector<std::string>> taken_;  // from the environment
  std::map<std::string, std::string> from_environment_;           // flag: value
};

// What is to be said of a flag besides its line.
class Flag {
 public:
  // The default in words, where what the target holds is no value that could be given.
  Flag by_default(const std::string& words) const;
  // The value is one of these.
  Flag choices(const std::vector<std::string>& words) const;
  // What it may be, besides what its name says: one that is called FILE or DIR is one.
  Flag values(const Flags::Values& values) const;
  // Of an argument: it may be left out.
  Flag optional() const;
  // has_effect: asked when all values are known. Otherwise: "--trace-steps: has no effect " + otherwise.
  // by_value: of a flag that has an effect by some of its own values, whether this one is such.
  Flag only_where(std::function<bool()> has_effect, const std::string& otherwise,
                  std::function<bool(const std::string&)> by_value = {}) const;
  Flag only_where(std::function<bool()> has_effect, std::function<std::string()> otherwise) const;
  // Where the value is this one, the defaults of other flags are these, for what neither the command line nor the
  // environment gives. One preset flag a command.
  Flag presets(const std::string& value, std::vector<std::pair<std::string, std::string>> defaults) const;
  // Its variable is passed over where the other one is given by hand.
  Flag yields_to(const Flag& other) const;
  // Given with the other one it is an error.
  Flag excludes(const Flag& other) const;

 private:
  friend class Flags;
  friend class FlagGroup;
  Flag(Flags& flags, CLI::Option* option) : flags_(&flags), option_(option) {}

  Flags* flags_;
  CLI::Option* option_;
};

template <class Target>
Flag Flags::argument(const std::string& name, Target& target, const std::string& what) {
  CLI::Option* const option = add_option(name, target, what)->required();
  check(option, named());
  return {*this, option};
}

// flag: "--name VALUE", or "--name" of one without a value. what: a line of the help.
class FlagGroup {
 public:
  template <class Target>
  Flag value(const std::string& flag, Target& target, Check check, const std::string& what) const {
    return declared(flags_->add_option(name_of(flag), target, what)->capture_default_str(), flag, std::move(check));
  }
  Flag choice(const std::string& flag, std::string& target, const std::vector<std::string>& words,
              const std::string& what) const {
    return value(flag, target, {}, what).choices(words);
  }
  Flag file(const std::string& flag, std::string& target, const std::string& what) const {
    return value(flag, target, named(), what);
  }
  // Files to read; several have commas between.
  Flag inputs(const std::string& flag, stages::InputFiles& target, stages::Dash dash, const std::string& what) const;
  // A value for each time that it is given.
  Flag repeatable(const std::string& flag, std::vector<std::string>& target, const std::string& what,
                  Check check = {}) const;
  // Without a value. Where it is given the target is true, or `given`; where it is not, the target stays as it is.
  Flag bare(const std::string& flag, bool& target, const std::string& what) const;
  Flag bare(const std::string& flag, std::optional<bool>& target, bool given, const std::string& what) const;

 private:
  friend class Flags;
  FlagGroup(Flags& flags, const std::string& title) : flags_(&flags), title_(title) {}
  static std::string name_of(const std::string& flag);
  Flag declared(CLI::Option* option, const std::string& flag, Check check) const;

  Flags* flags_;
  std::string title_;
};

}  // namespace sluice::apps
