#include "apps/command_line.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include <sluice/pipeline/suggestion.hpp>
#include "apps/help.hpp"

namespace sluice::apps {
namespace {

using Command = CommandLine::Command;

void declare_train(Flags& command, CommandLine& line) {
  Options& o = line.options;
  add_data_flags(command, o);
  add_training_flags(command, o);
  add_checkpoint_flags(command, o);
  add_graph_flags(command, o);
  add_kernel_flags(command, o);
  add_output_flags(command, o);
  add_observe_flags(command, o);
  add_dump_flag(command, o);
  command.note(
      "SIGINT (Ctrl-C), SIGTERM and SIGHUP end the run after the step under way or the next, with a checkpoint if "
      "there is to be one; a second one ends it at once. SIGUSR1 is answered with a line on stderr.");
  command.example("sluice train --epochs 3 --output model.safetensors", "Fashion-MNIST, and the model as a file");
  command.example("sluice train --checkpoint run.safetensors", "the same command again goes on from there");
  command.example("sluice train --quiet --json > result.json", "the result for another program");
  command.example("sluice train --epochs 1 --profile --report run.html", "what bounds the run, and a page about it");
}

void declare_eval(Flags& command, CommandLine& line) {
  add_eval_flags(command, line.options, line.eval);
  add_dump_flag(command, line.options);
  command.note("A reader of the output that stops early is no error.");
  command.example("sluice eval --model model.safetensors", "loss, accuracy, and what is taken for what");
}

void declare_predict(Flags& command, CommandLine& line) {
  add_predict_flags(command, line.options, line.predict);
  add_dump_flag(command, line.options);
  command.note(
      "A reader of the output that stops early is no error. Each batch is written as soon as it is there, also one "
      "that "
      "a pipe has only begun.");
  command.example("zcat data/t10k-i*.gz | sluice predict --model model.safetensors --images -",
                  "a line for each image, in order");
}

void declare_graph(Flags& command, CommandLine& line) {
  Options& o = line.options;
  add_data_flags(command, o);
  add_batch_flag(command, o);
  add_graph_flags(command, o);
  CLI::Option* const dot = command.add_flag("--dot", o.dot, "As input for Graphviz")->group("Output");
  command.add_flag("--svg", o.svg, "As a picture")->group("Output")->excludes(dot);
  add_dump_flag(command, o);
  for (const char* flag : {"--epochs", "--lr", "--seed", "--isa"})
    command.without(flag, "has no effect on the graphs: sluice train takes it");
  command.example("sluice graph --threads 8 --batch-size 512", "what 8 threads would work on");
  command.example("sluice graph --svg > graph.svg", "the same as a picture");
}

void declare_inspect(Flags& command, CommandLine& line) {
  add_inspect_flags(command, line.inspect);
  command.note("The exit code is 3 if a file is not sound.");
  command.example("sluice inspect data/*.gz", "whether a download is whole");
  command.example("sluice inspect --json model.safetensors", "of a model: its shape, its checksum, its metadata");
}

void declare_synth(Flags& command, CommandLine& line) {
  add_synth_flags(command, line.synth);
  command.example("sluice synth made-up --train 6000 --test 1000", "a data set to train on");
  command.example("sluice train --data made-up --epochs 1", "and to train on it");
}

struct Declaration {
  Command command;
  const char *name, *does;
  void (*declare)(Flags&, CommandLine&);
};
constexpr Declaration declarations[] = {
    {Command::train, "train", "Train, test after every epoch, print the result", declare_train},
    {Command::eval, "eval", "Loss, accuracy and confusion of a model over images and their labels", declare_eval},
    {Command::predict, "predict", "The class of every image, a line each", declare_predict},
    {Command::graph, "graph", "Print the graphs of the job, their effective settings and their bounds", declare_graph},
    {Command::inspect, "inspect", "Say what files are, and whether they are sound through to their last byte",
     declare_inspect},
    {Command::synth, "synth", "Write a data set of made-up images, to train on", declare_synth},
};

void declare_program(Flags& program, const Surroundings& surroundings) {
  program
      .set_version_flag("--version", surroundings.version,
                        "Print version, compiler, oneTBB, decoders and the instruction sets of this machine")
      ->group("Help");
  program.require_subcommand(0, 1);
  program.note(
      "Each flag with a value has a variable of the environment, SLUICE_BATCH_SIZE for --batch-size: a default for all "
      "commands, which a flag beats. An empty one counts as unset, one whose flag has no effect here is passed over, "
      "one of a flag that is repeatable has commas between. --no-env takes nothing from the environment. A flag "
      "that is given and has no effect is an error.");
  program.note("Results are on stdout; progress, log and errors are on stderr.");
  program.list("Exit codes", {{"0", "done"},
                              {"1", "failed"},
                              {"2", "wrong use"},
                              {"3", "data, model or checkpoint missing, damaged or not matching"},
                              {"128 + signal", "ended by one"}});
  program.example("sluice train", "Fashion-MNIST, 10 epochs");
  program.example("sluice train --data data --epochs 20 --lr 0.05 --output model.safetensors",
                  "a data set in a folder, and the model as a file");
  program.example("SLUICE_THREADS=2 sluice train --epochs 1", "a default of the environment");
  program.example("sluice graph", "what runs, and how much memory may lie between");
}

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

// The words that the parser did not know, with the nearest that it does.
std::string unknown_argument(const CLI::App& program, const CLI::ParseError& error,
                             const std::vector<Flags*>& commands) {
  const auto chosen = program.get_subcommands();
  const std::vector<std::string> before = program.remaining();  // the command
  const CLI::App& command = before.empty() && !chosen.empty() ? *chosen.front() : program;
  const std::vector<std::string> left = command.remaining();
  if (left.empty()) return error.what();
  const std::string word = left.front().substr(0, left.front().find('='));
  if (!word.empty() && word[0] == '-') return unknown_flag(word, program, command, commands);
  if (&command == &program) {
    std::vector<std::string> known;
    for (const Flags* one : commands) known.push_back(one->get_name());
    return fmt::format("{}: no such command{}", word, suggestion(word, known));
  }
  return fmt::format("{}: unexpected argument: see sluice {} --help", word, command.get_name());
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

bool has_word(const std::string& text, const std::string& word) {
  const auto part_of_a_flag = [](char c) { return c == '-' || (c >= 'a' && c <= 'z'); };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !part_of_a_flag(text[at - 1])) && (end == text.size() || !part_of_a_flag(text[end]))) return true;
  }
  return false;
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv, const Surroundings& surroundings) {
  CommandLine line;
  Flags program("Softmax regression trained data-parallel, straight from gzip-compressed IDX files.", "sluice");
  declare_program(program, surroundings);
  CLI::Option* const as_markdown = program.add_flag("--help-markdown")->group("");  // hidden: docs/cli.md
  program.finish();
  std::vector<Flags*> commands;
  for (const Declaration& d : declarations) {
    const auto command = std::make_shared<Flags>(d.does, d.name);
    d.declare(*command, line);
    command->finish();
    commands.push_back(command.get());
    program.add_subcommand(command);
  }
  const std::vector<const Flags*> all(commands.begin(), commands.end());

  refuse_values_of_bare_flags(argc, argv, commands);
  const auto chosen = [&] {
    return std::find_if(commands.begin(), commands.end(), [](auto* c) { return c->parsed(); });
  };
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.text =
        chosen() == commands.end() ? help(program, all, surroundings.columns) : help(**chosen(), surroundings.columns);
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
  line.command = declarations[chosen() - commands.begin()].command;
  line.from_environment = command.from_environment();
  line.options.command = command.get_name();
  line.options.spelt = command.spelt();
  return line;
}

std::string explained(const std::string& error, const CommandLine& line) {
  std::string variables;
  for (const auto& [flag, value] : line.from_environment)
    if (has_word(error, flag) || error.starts_with(value + ":") || error.starts_with(value + "/"))
      variables += fmt::format("{}{} is set by {}", variables.empty() ? "" : ", ", flag, environment_name(flag));
  return variables.empty() ? error : fmt::format("{} ({})", error, variables);
}

}  // namespace sluice::apps
