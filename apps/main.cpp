// The sluice program: flags in, an exit code out.
#include <fcntl.h>
#include <fmt/core.h>
#include <tbb/version.h>
#include <unistd.h>
#include <zlib.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "apps/commands.hpp"
#include "apps/options.hpp"
#include "apps/progress.hpp"
#include "pipeline/errors.hpp"
#include "pipeline/suggestion.hpp"
#include "stages/errors.hpp"
#include "stages/inflate_whole.hpp"
#include "stages/kernels/kernels.hpp"

namespace sluice::apps {

namespace {

enum Exit { done = 0, failed = 1, usage = 2, bad_data = 3 };

int complain(const std::string& text, int code) {
  say(fmt::format("sluice: {}\n", text));
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
  const std::string libdeflate = stages::libdeflate_version();
  return fmt::format("sluice {}\ncompiler {}\noneTBB {}\nzlib {}\nlibdeflate {}\nkernels {}\n", SLUICE_VERSION,
                     compiler, TBB_runtime_version(), zlibVersion(), libdeflate.empty() ? "none" : libdeflate, levels);
}

// A stage's error: what happened first, then where.
int report(const StageError& error) {
  try {
    std::rethrow_exception(error.cause());
  } catch (const stages::DataError& cause) {
    return complain(cause.what(), bad_data);
  } catch (const stages::WriteError& cause) {
    return complain(cause.what(), failed);
  } catch (const std::bad_alloc&) {
    return complain(fmt::format("out of memory in stage '{}'", error.stage()), failed);
  } catch (...) {
    return complain(error.what(), failed);
  }
}

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

int run(int argc, char** argv) {
  Options options;
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

  CLI::App* const graph_command =
      app.add_subcommand("graph", "Print the graphs of the job, their effective settings and their bounds");
  add_data_flags(*graph_command, options);
  add_training_flags(*graph_command, options);
  add_graph_flags(*graph_command, options);
  CLI::Option* const dot = graph_command->add_flag("--dot", options.dot, "As input for Graphviz")->group("Output");
  graph_command->add_flag("--svg", options.svg, "As a picture")->group("Output")->excludes(dot);

  SynthOptions synth_options;
  CLI::App* const synth_command = app.add_subcommand("synth", "Write a data set of made-up images, to train on");
  add_synth_flags(*synth_command, synth_options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ExtrasError& error) {
    return complain(unknown_argument(app, error), usage);
  } catch (const CLI::ArgumentMismatch& error) {
    return complain(wrong_number_of_values(app, error), usage);
  } catch (const CLI::ParseError& error) {
    return complain(error.what(), usage);
  }
  if (app.get_subcommands().empty()) {
    say(app.help());
    return usage;
  }
  if (!options.isa.empty()) {
    try {
      kernels::force(options.isa);
    } catch (const std::invalid_argument& error) {
      return complain(fmt::format("--isa: {}", error.what()), usage);
    }
  }
  if (synth_command->parsed()) return synth(synth_options);
  return train_command->parsed() ? train(options) : graph(options);
}

}  // namespace
}  // namespace sluice::apps

int main(int argc, char** argv) {
  using namespace sluice;
  // A reader that went away is seen when stdout is flushed, not as a signal.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of the write
  // A file that is opened must not become one of the standard three: a message would be written into it.
  // Read-only, so that a result that went nowhere is noticed.
  for (int fd = 0; fd <= 2;) {
    fd = ::open("/dev/null", O_RDONLY);
    if (fd < 0 || fd > 2) {
      ::close(fd);
      break;
    }
  }
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
    code = apps::failed;
    if (!std::ferror(stdout)) apps::complain(error.what(), code);  // else what failed is the output, said below
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    return apps::complain("cannot write to the standard output", code == apps::done ? int{apps::failed} : code);
  return code;
}
