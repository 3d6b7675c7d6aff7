#include "apps/flags/command_line.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include <sluice/pipeline/suggestion.hpp>
#include "apps/flags/completions.hpp"
#include "apps/flags/declarations.hpp"
#include "apps/flags/flags.hpp"
#include "apps/flags/help.hpp"
#include "apps/flags/manual.hpp"
#include "apps/job/usage_error.hpp"

namespace sluice::apps {
namespace {

const CLI::Option* find(const CLI::App& command, const std::string& flag) {
  const CLI::Option* const option = command.get_option_no_throw(flag);
  return option && !option->get_group().empty() ? option : nullptr;
}

// A flag that the command does not have, with the commands that do, or the nearest one that it does.
std::string unknown_flag(const std::string& word, const CLI::App& program, const CLI::App& command,
                         const std::vector<Flags*>& commands) {
  std::vector<std::string> known, elsewhere;
  for (const Flags* other : commands) {
    if (other == &command)
      if (const auto reason = other->absent().find(word); reason != other->absent().end())
        return fmt::format("{}: {}", word, reason->second);
    if (other != &command && find(*other, word)) elsewhere.push_back("sluice " + other->get_name());
  }
  if (&command == &program && !elsewhere.empty())
    return fmt::format("{}: stands behind its command: {} {}", word, elsewhere.front(), word);
  if (!elsewhere.empty())
    return fmt::format("{}: no such flag of sluice {}: it belongs to {}", word, command.get_name(),
                       fmt::join(elsewhere, " and "));
  if (&command != &program && find(program, word))
    return fmt::format("{}: no such flag of sluice {}: it stands alone: sluice {}", word, command.get_name(), word);
  for (const CLI::Option* option : command.get_options())
    if (!option->get_positional() && !option->get_group().empty()) known.push_back("--" + option->get_lnames().front());
  return fmt::format("{}: no such flag{}", word, suggestion(word, known));
}

std::string unknown_command(const std::string& word, const std::vector<Flags*>& commands) {
  std::vector<std::string> known;
  for (const Flags* one : commands) known.push_back(one->get_name());
  return fmt::format("{}: no such command{}", word, suggestion(word, known));
}

// The words that the parser did not know, with the nearest that it does.
std::string unknown_argument(const CLI::App& program, const CLI::ParseError& error,
                             const std::vector<Flags*>& commands) {
  const auto chosen = program.get_subcommands();
  const std::vector<std::string> before = program.remaining();  // the command
  const CLI::App& command = before.empty() && !chosen.empty() ? *chosen.front() : program;
  const std::vector<std::string> left = command.remaining();
  if (left.empty()) return error.what();
  const std::string word = left.front().substr(0, left.front().find('='));
  if (word.size() > 1 && word[0] == '-') return unknown_flag(word, program, command, commands);
  if (&command == &program) return unknown_command(word, commands);
  const bool images = command.get_option_no_throw("--images");
  return fmt::format("{}: unexpected argument{}: see sluice {} --help", word,
                     images ? ", did you mean --images " + word : "", command.get_name());
}

// The parser would take the next word, whatever it is: --output= --json and --output --json for a file called --json.
void refuse_flags_as_values(int argc, const char* const* argv, const std::vector<Flags*>& commands) {
  const Flags* command = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i], flag = word.substr(0, word.find('='));
    if (word == "--") break;
    if (!command) {
      const auto found =
          std::find_if(commands.begin(), commands.end(), [&](const Flags* c) { return c->get_name() == word; });
      if (found != commands.end()) command = *found;
      continue;
    }
    const CLI::Option* const option = word.starts_with("--") ? find(*command, flag) : nullptr;
    if (!option || !Flags::has_value(option)) continue;
    if (word == flag + "=")
      throw UsageError(fmt::format("{}: needs a value: see sluice {} --help", flag, command->get_name()));
    const std::string next = word == flag && i + 1 < argc ? argv[i + 1] : "";
    if (next == "--" || (next.starts_with("--") && find(*command, next.substr(0, next.find('=')))))
      throw UsageError(fmt::format("{0}: needs a value, and {1} is a flag: {0}={1} where it is meant", flag, next));
    if (word == flag) ++i;
  }
}

// The parser would take --quiet=no for --quiet.
void refuse_values_of_bare_flags(int argc, const char* const* argv, const std::vector<Flags*>& commands) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") return;
    const auto equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string::npos) continue;
    const std::string flag = word.substr(0, equals);
    if (std::any_of(commands.begin(), commands.end(), [&](const Flags* c) { return c->takes_no_value(flag); }))
      throw UsageError(fmt::format("{}: takes no value", flag));
  }
}

// A flag without its value, or given more than once: the parser says it in its own terms.
std::string wrong_number_of_values(const CLI::App& app, const CLI::ArgumentMismatch& error) {
  const std::string text = error.what(), flag = text.substr(0, text.find(':'));
  for (const CLI::App* command : app.get_subcommands())
    if (const CLI::Option* option = command->get_option_no_throw(flag))
      return option->count() > 1 ? fmt::format("{}: given {} times, expected once", flag, option->count())
                                 : fmt::format("{}: needs a value: see sluice {} --help", flag, command->get_name());
  return text;
}

std::string first_line(const std::function<std::string()>& text) {
  const std::string all = text ? text() : "sluice";
  return all.substr(0, all.find('\n'));
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv, const Surroundings& surroundings) {
  CommandLine line;
  Flags program("Softmax regression trained data-parallel, straight from compressed IDX, NumPy and CSV files.",
                "sluice");
  declare_program(program, surroundings);
  CLI::Option* const as_markdown = program.add_flag("--help-markdown")->group("");  // hidden: docs/cli.md
  program.finish();
  std::vector<Flags*> commands;
  for (const Declaration& d : declarations()) {
    const auto command = std::make_shared<Flags>(d.does, d.name);
    d.declare(*command, line);
    command->finish();
    commands.push_back(command.get());
    program.add_subcommand(command);
  }
  const std::vector<const Flags*> all(commands.begin(), commands.end());
  const auto helped = [&](const HelpOptions& o) {
    const std::string version = o.manual ? first_line(surroundings.version) : "";
    if (o.command.empty()) return o.manual ? manual(program, all, version) : help(program, all, surroundings.columns);
    for (const Flags* one : all)
      if (one->get_name() == o.command)
        return o.manual ? manual(program, *one, all, version) : help(*one, surroundings.columns);
    throw UsageError(unknown_command(o.command, commands));
  };

  refuse_values_of_bare_flags(argc, argv, commands);
  refuse_flags_as_values(argc, argv, commands);
  const auto chosen = [&] {
    return std::find_if(commands.begin(), commands.end(), [](auto* c) { return c->parsed(); });
  };
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.text = helped({.command = chosen() == commands.end() ? "" : (*chosen())->get_name()});
    return line;
  } catch (const CLI::CallForVersion& version) {
    line.text = version.what();
    return line;
  } catch (const CLI::ExtrasError& error) {
    throw UsageError(unknown_argument(program, error, commands));
  } catch (const CLI::ArgumentMismatch& error) {
    throw UsageError(wrong_number_of_values(program, error));
  } catch (const CLI::ExcludesError& error) {
    throw UsageError(fmt::format("{}: give one of them", error.what()));
  } catch (const CLI::RequiredError& error) {
    if (chosen() == commands.end()) throw UsageError(error.what());
    if ((*chosen())->remaining_size() > 0) throw UsageError(unknown_argument(program, error, commands));
    throw UsageError(fmt::format("{}: see sluice {} --help", error.what(), (*chosen())->get_name()));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (chosen() == commands.end()) {
    line.wrong = as_markdown->count() == 0;
    line.text = line.wrong ? help(program, all, surroundings.columns) : markdown(program, all);
    return line;
  }
  Flags& command = **chosen();
  command.complete(surroundings.environment);
  line.command = declarations().begin()[chosen() - commands.begin()].command;
  line.from_environment = command.from_environment();
  line.options.command = command.get_name();
  line.options.spelt = command.spelt();
  if (line.command == CommandLine::Command::none)
    line.text = line.shell.empty() ? helped(line.help) : completions(line.shell, program, all);
  return line;
}

Options train_options(const std::vector<std::string>& words) {
  CommandLine line;
  const Declaration& train = declarations().front();
  Flags flags(train.does, train.name);
  train.declare(flags, line);
  flags.finish();
  try {
    flags.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  flags.complete({});
  line.options.command = flags.get_name();
  line.options.spelt = flags.spelt();
  return line.options;
}

std::vector<std::string> shared_words(const Options& o, const SweepOptions& sweep) {
  CommandLine line;
  const Declaration& declaration = declarations().front();
  Flags train(declaration.does, declaration.name);
  declaration.declare(train, line);
  std::vector<std::string> words;
  const bool chooses = o.patience > 0 || o.keep == "best";  // within a run
  for (const SpeltFlag& flag : o.spelt) {
    if (flag.name == "--best-by" && !chooses) continue;
    const bool swept = std::any_of(sweep.flags.begin(), sweep.flags.end(),
                                   [&](const SweepOptions::Flag& one) { return one.name == flag.name; });
    const char* const own[] = {"--report", "--threads", "--json", "--quiet", "--progress", "--no-progress"};
    if (swept || !flag.given || std::find(std::begin(own), std::end(own), flag.name) != std::end(own) ||
        !train.get_option_no_throw(flag.name))
      continue;
    if (flag.bare) words.push_back(flag.name);
    for (const std::string& value : flag.values) words.push_back(flag.name + "=" + value);
  }
  return words;
}

std::string explained(const std::string& error, const CommandLine& line) {
  std::string variables;
  for (const auto& [flag, value] : line.from_environment)
    if (has_word(error, flag) || error.starts_with(value + ":") || error.starts_with(value + "/"))
      variables += fmt::format("{}{} is set by {}", variables.empty() ? "" : ", ", flag, environment_name(flag));
  return variables.empty() ? error : fmt::format("{} ({})", error, variables);
}

}  // namespace sluice::apps
