// The sluice program: flags in, an exit code out.
#include <fmt/core.h>
#include <tbb/version.h>
#include <zlib.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "apps/commands.hpp"
#include "apps/options.hpp"
#include "pipeline/errors.hpp"
#include "pipeline/suggestion.hpp"
#include "stages/errors.hpp"
#include "stages/kernels/kernels.hpp"

namespace sluice::apps {
namespace {

enum Exit { done = 0, failed = 1, usage = 2, bad_data = 3 };

int complain(const std::string& text, int code) {
  fmt::print(stderr, "sluice: {}\n", text);
  return code;
}

std::string version() {
#if defined(__clang__)
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  std::string levels;
  for (const kernels::Table* level : kernels::available())
    levels +=
        fmt::format("{}{}{}", levels.empty() ? "" : ", ", level->name, level == &kernels::active() ? " (used)" : "");
  return fmt::format("sluice {}\ncompiler {}\noneTBB {}\nzlib {}\nkernels {}\n", SLUICE_VERSION, compiler,
                     TBB_runtime_version(), zlibVersion(), levels);
}

// A stage's error: what happened first, then where.
int report(const StageError& error) {
  try {
    std::rethrow_exception(error.cause());
  } catch (const stages::DataError& cause) {
    return complain(cause.what(), bad_data);
  } catch (const std::bad_alloc&) {
    return complain(fmt::format("out of memory in stage '{}'", error.stage()), failed);
  } catch (...) {
    return complain(error.what(), failed);
  }
}

// The words that the parser did not know, with the nearest that it does.
std::string unknown_argument(const CLI::App& app, const CLI::ExtrasError& error) {
  const auto chosen = app.get_subcommands();
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  std::vector<std::string> left = command.remaining(true);
  if (left.empty()) left = app.remaining(true);
  if (left.empty()) return error.what();
  const std::string word = left.front().substr(0, left.front().find('='));
  std::vector<std::string> known;
  if (!word.empty() && word[0] == '-') {
    for (const CLI::Option* option : command.get_options()) known.push_back("--" + option->get_lnames().front());
    return fmt::format("{}: no such flag{}", word, suggestion(word, known));
  }
  if (chosen.empty()) {
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(sub->get_name());
    return fmt::format("{}: no such command{}", word, suggestion(word, known));
  }
  return fmt::format("{}: unexpected argument; every option of '{}' is a flag: see sluice {} --help", word,
                     command.get_name(), command.get_name());
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Softmax regression trained data-parallel, straight from gzip-compressed IDX files.", "sluice"};
  app.set_version_flag("--version", version);
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);

  CLI::App* const train_command = app.add_subcommand("train", "Train, test after every epoch, print the result");
  add_data_flags(*train_command, options);
  add_training_flags(*train_command, options);
  add_graph_flags(*train_command, options);
  train_command->add_option("--output", options.output, "Write the model here, as safetensors, when it is complete")
      ->type_name("FILE")
      ->group("Output");
  train_command->add_flag("--json", options.json, "Print the result as one JSON object")->group("Output");
  train_command->add_flag("--quiet", options.quiet, "No progress on stderr")->group("Output");

  CLI::App* const graph_command =
      app.add_subcommand("graph", "Print the graphs of the job, their effective settings and their bounds");
  add_data_flags(*graph_command, options);
  add_training_flags(*graph_command, options);
  add_graph_flags(*graph_command, options);
  graph_command->add_flag("--dot", options.dot, "As input for Graphviz")->group("Output");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ExtrasError& error) {
    return complain(unknown_argument(app, error), usage);
  } catch (const CLI::ParseError& error) {
    return complain(error.what(), usage);
  }
  if (app.get_subcommands().empty()) {
    fmt::print(stderr, "{}", app.help());
    return usage;
  }
  if (!options.isa.empty()) {
    try {
      kernels::force(options.isa);
    } catch (const std::invalid_argument& error) {
      return complain(fmt::format("--isa: {}", error.what()), usage);
    }
  }
  return train_command->parsed() ? train(options) : graph(options);
}

}  // namespace
}  // namespace sluice::apps

int main(int argc, char** argv) {
  using namespace sluice;
  // A reader that went away is seen when stdout is flushed, not as a signal.
  std::signal(SIGPIPE, SIG_IGN);
  int code = apps::failed;
  try {
    code = apps::run(argc, argv);
  } catch (const apps::UsageError& error) {
    code = apps::complain(error.what(), apps::usage);
  } catch (const stages::DataError& error) {
    code = apps::complain(error.what(), apps::bad_data);
  } catch (const StageError& error) {
    code = apps::report(error);
  } catch (const std::bad_alloc&) {
    code = apps::complain("out of memory", apps::failed);
  } catch (const std::exception& error) {
    code = apps::complain(error.what(), apps::failed);
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    return apps::complain("cannot write to the standard output", code == apps::done ? int{apps::failed} : code);
  return code;
}
