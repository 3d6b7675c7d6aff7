#include "apps/command_line.hpp"

#include <fmt/core.h>

#include <sstream>
#include <vector>

#include "pipeline/suggestion.hpp"

namespace sluice::apps {
namespace {

// The words that the parser did not know, with the nearest that it does.
std::string unknown_argument(const CLI::App& app, const CLI::ExtrasError& error) {
  const auto chosen = app.get_subcommands();
  const auto all = app.get_subcommands([](const CLI::App*) { return true; });
  const std::vector<std::string> before = app.remaining();  // the command
  const CLI::App& command = before.empty() && !chosen.empty() ? *chosen.front() : app;
  const std::vector<std::string> left = command.remaining();
  if (left.empty()) return error.what();
  const std::string word = left.front().substr(0, left.front().find('='));
  std::vector<std::string> known;
  if (!word.empty() && word[0] == '-') {
    if (&command == &app)
      for (const CLI::App* sub : all)
        if (sub->get_option_no_throw(word))
          return fmt::format("{}: stands behind its command: sluice {} {}", word, sub->get_name(), word);
    for (const CLI::Option* option : command.get_options())
      if (!option->get_positional()) known.push_back("--" + option->get_lnames().front());
    return fmt::format("{}: no such flag{}", word, suggestion(word, known));
  }
  if (&command == &app) {
    for (const CLI::App* sub : all) known.push_back(sub->get_name());
    return fmt::format("{}: no such command{}", word, suggestion(word, known));
  }
  return fmt::format("{}: unexpected argument: see sluice {} --help", word, command.get_name());
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

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv, const std::function<std::string()>& version) {
  using Command = CommandLine::Command;
  CommandLine line;
  Options& options = line.options;
  CLI::App app{"Softmax regression trained data-parallel, straight from gzip-compressed IDX files.", "sluice"};
  app.set_version_flag("--version", version);
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);

  CLI::App* const train_command = app.add_subcommand("train", "Train, test after every epoch, print the result");
  add_data_flags(*train_command, options);
  add_training_flags(*train_command, options);
  add_checkpoint_flags(*train_command, options);
  add_graph_flags(*train_command, options);
  add_output_flags(*train_command, options);
  add_observe_flags(*train_command, options);
  train_command->footer(
      "SIGINT (Ctrl-C), SIGTERM and SIGHUP end the run after the step under way or the next, with a checkpoint if "
      "there is\n"
      "to be one; a second one ends it at once. SIGUSR1 is answered with a line on stderr.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong use, 3 data or checkpoint missing, damaged or not matching, 128 + "
      "signal.");

  CLI::App* const graph_command =
      app.add_subcommand("graph", "Print the graphs of the job, their effective settings and their bounds");
  add_data_flags(*graph_command, options);
  add_training_flags(*graph_command, options);
  add_graph_flags(*graph_command, options);
  CLI::Option* const dot = graph_command->add_flag("--dot", options.dot, "As input for Graphviz")->group("Output");
  graph_command->add_flag("--svg", options.svg, "As a picture")->group("Output")->excludes(dot);

  CLI::App* const synth_command = app.add_subcommand("synth", "Write a data set of made-up images, to train on");
  add_synth_flags(*synth_command, line.synth);

  CLI::App* const inspect_command =
      app.add_subcommand("inspect", "Say what files are, and whether they are sound through to their last byte");
  add_inspect_flags(*inspect_command, line.inspect);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    app.exit(success, text, text);
    line.text = text.str();
    return line;
  } catch (const CLI::ExtrasError& error) {
    throw UsageError(unknown_argument(app, error));
  } catch (const CLI::ArgumentMismatch& error) {
    throw UsageError(wrong_number_of_values(app, error));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (app.get_subcommands().empty()) {
    line.text = app.help();
    line.wrong = true;
    return line;
  }
  line.command = train_command->parsed()   ? Command::train
                 : graph_command->parsed() ? Command::graph
                 : synth_command->parsed() ? Command::synth
                                           : Command::inspect;
  return line;
}

}  // namespace sluice::apps
