// The sluice program: flags in, an exit code out.
#include <fcntl.h>
#include <fmt/core.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <tbb/version.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/pipeline/errors.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/zip_member.hpp>
#include "apps/commands/commands.hpp"
#include "apps/fetch/transfers.hpp"
#include "apps/flags/command_line.hpp"
#include "apps/job/epoch_runner.hpp"
#include "apps/job/options.hpp"
#include "apps/job/usage_error.hpp"
#include "apps/ranks/launch.hpp"
#include "apps/ranks/ranks.hpp"
#include "apps/terminal/log.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {

namespace {

const std::terminate_handler default_terminate = std::get_terminate();

enum Exit { done = 0, failed = 1, usage = 2, bad_data = 3 };

bool errors_are_events = false;  // --log-format jsonl, as soon as it is known

std::string told(const std::string& text, int code) {
  return errors_are_events ? log_event("error", {{"message", text}, {"exit_code", code}}) : log_line(text);
}

// Of several processes of a job, this one; nullptr: it is alone, or has not found the others yet.
Ranks* others = nullptr;

// An error that ends this process. Before they have agreed to begin, all end as one; later it ends the others, too.
int complain(const std::string& text, int code) {
  if (others && others->agreed()) others->fail(text, code);
  if (others) {
    const Agreement all = others->agree({.error = text, .code = code});
    if (all.says_it) say(told(all.text, all.code));
    others->end(all.code);
    return all.code;
  }
  say(told(text, code));
  return code;
}

// The same on every rank, at the same step.
int complain_as_one(const std::string& text, int code) {
  if (!others) return complain(text, code);
  others->all("", "the end");
  if (others->first()) say(told(text, code));
  others->end(code);
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
  const auto or_none = [](const std::string& built_with) { return built_with.empty() ? "none" : built_with; };
  const std::string libzip = stages::libzip_version();
  using stages::codec_version, stages::Compression;
  return fmt::format(
      "sluice {}\ncompiler {}\noneTBB {}\nzlib {}\nlibdeflate {}\nlibbz2 {}\nliblzma {}\nlibzstd {}\nlibzip "
      "{}\nlibcurl {}\nkernels {}\nMPI modules {}\n",
      SLUICE_VERSION, compiler, TBB_runtime_version(), codec_version(Compression::gzip),
      or_none(stages::libdeflate_version()), or_none(codec_version(Compression::bzip2)),
      or_none(codec_version(Compression::xz)), or_none(codec_version(Compression::zstd)),
      libzip.empty() ? "none: .npz files are not read" : libzip,
      libcurl_version().empty() ? "none: sluice fetch only lists" : libcurl_version(), levels, modules_in_words());
}

// Where memory has come to an end, it has for several threads. false: another one says so, and had the time to.
bool says_so() {
  static std::atomic_flag said = ATOMIC_FLAG_INIT;
  if (!said.test_and_set()) return true;
  ::usleep(100'000);
  return false;
}

// Takes no memory, nor a lock of stdio's.
int out_of_memory() {
  if (!says_so()) return failed;
  constexpr std::string_view text = "sluice: out of memory\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  return failed;
}

// A stage's error: what happened first, then where.
int report(const StageError& error) {
  if (const auto* cause = error.cause_as<stages::WriteError>()) return complain(cause->what(), failed);
  if (error.cause_as<std::bad_alloc>()) {
    // The text takes memory, which there may be none of: only with it is it this thread that says so.
    const std::string text = told(fmt::format("out of memory in stage '{}'", error.stage()), failed);
    if (says_so()) say(text);
    return failed;
  }
  return complain(error.what(), failed);
}

// Where no exception may pass, that of a library's destructor that takes memory ends here. Neither an allocation nor
// stdio: what went before may hold a lock of either.
[[noreturn]] void end_without_memory() {
  try {
    if (std::current_exception()) throw;
  } catch (const std::bad_alloc&) {
    ::_exit(out_of_memory());
  } catch (...) {
  }
  default_terminate();
  std::abort();
}

std::string variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value ? value : "";
}

// Where no data set is held, memory is to stay what it was: what is large (a window, a dictionary, a block) goes back
// to the system when it is freed. By itself glibc does so only until the first time, and then keeps it in the arenas of
// those that freed it: 10 MiB more after a few epochs over a file of zstd.
void give_back_what_is_large() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

bool holds_no_data(const CommandLine& line) {
  using Command = CommandLine::Command;
  return line.options.stream || line.command == Command::eval || line.command == Command::predict;
}

int run(const CommandLine& line) {
  if (holds_no_data(line)) give_back_what_is_large();
  if (!line.options.isa.empty()) {
    try {
      kernels::force(line.options.isa);
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--isa: {}", error.what()));
    }
  }
  switch (line.command) {
    case CommandLine::Command::none:
      break;
    case CommandLine::Command::train:
      return train(line.options, others);
    case CommandLine::Command::eval:
      return eval(line.options, line.eval);
    case CommandLine::Command::predict:
      return predict(line.options, line.predict);
    case CommandLine::Command::graph:
      return graph(line.options);
    case CommandLine::Command::sweep:
      return sweep(line.options, line.sweep);
    case CommandLine::Command::fetch:
      return fetch(line.options, line.fetch);
    case CommandLine::Command::synth:
      return synth(line.synth);
    case CommandLine::Command::inspect:
      return inspect(line.inspect);
    case CommandLine::Command::index:
      return index(line.index);
  }
  return failed;
}

// What the library's threads are not to take, and Interrupt will: before MPI is started.
void hold_signals() {
  sigset_t all;
  sigemptyset(&all);
  for (const int one : {SIGHUP, SIGINT, SIGTERM, SIGUSR1}) sigaddset(&all, one);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// A command that is run by several processes, of which this is one.
void find_the_others(const Launch& launch, CommandLine& line) {
  Options& o = line.options;
  if (line.command != CommandLine::Command::train)
    throw UsageError(fmt::format("{} started {} processes, and only train runs as several: start one process",
                                 launch.command(), launch.ranks));
  hold_signals();
  // Until the process ends.
  others = Ranks::start(launch, std::chrono::seconds(o.exchange_timeout), told).release();
  o.rank = others->rank(), o.ranks = others->ranks();
  // There a step may have to wait until what lies before the rows of a lane is decoded.
  if (o.stream) others->be_patient(10);
  const Processors its = processors();
  const std::size_t threads = threads_of_rank(launch, its);
  if (o.threads == 0) o.threads = threads;
  std::vector<std::string> remarks = {binding_in_words(launch, its), oversubscription_in_words(launch, its, o.threads)};
  // Of each host one says it.
  const std::string of_host = others->local_rank() == 0 ? nlohmann::json(remarks).dump() : "";
  const std::vector<std::string> all = others->all(of_host, "the start");
  if (!others->first()) {
    o.quiet = true, o.progress.reset(), o.json = false;
    return;
  }
  if (o.quiet) return;
  std::vector<std::string> said;
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r].empty()) continue;
    for (const std::string& text : nlohmann::json::parse(all[r]).get<std::vector<std::string>>()) {
      if (text.empty() || std::find(said.begin(), said.end(), text) != said.end()) continue;
      said.push_back(text);
      say_warning(log_style(o.progress, o.quiet, o.log_format),
                  others->host_count() > 1 ? others->hosts()[r] + ": " + text : text);
    }
  }
}

// Where nobody but the first may speak, since all have the same to say.
bool is_heard(const Launch& launch) {
  return launch.rank == 0;
}

int run(int argc, char** argv) {
  const Launch launch = find_launch(variable);
  CommandLine line;
  std::exception_ptr wrong;
  try {
    line = parse_command_line(
        argc, argv, {.version = version, .environment = variable, .columns = columns_of_terminal(STDOUT_FILENO)});
  } catch (const UsageError&) {
    if (!launch.several()) throw;
    wrong = std::current_exception();
    line.command = CommandLine::Command::train;
  }
  if (line.command == CommandLine::Command::none) {
    if (line.wrong) {
      if (is_heard(launch)) say(line.text);
      return usage;
    }
    if (is_heard(launch)) write_to_stdout(line.text);
    return done;
  }
  errors_are_events = line.options.log_format == "jsonl";
  line.options.told_of_time = launch.by == Launch::By::slurm;
  if (launch.several()) {
    try {
      find_the_others(launch, line);
    } catch (const UsageError& error) {
      // What is missing may be of this host alone.
      if (launch.local_rank == 0) say(told(error.what(), usage));
      return usage;
    }
  } else if (const std::string bound = binding_in_words(launch, processors());
             !bound.empty() && line.command == CommandLine::Command::train && !line.options.quiet) {
    say_warning(log_style(line.options.progress, line.options.quiet, line.options.log_format), bound);
  }
  if (wrong) std::rethrow_exception(wrong);
  try {
    return run(line);
  } catch (const UsageError& error) {
    throw UsageError(explained(error.what(), line));
  } catch (const stages::DataError& error) {
    throw stages::DataError(explained(error.what(), line));
  } catch (const StageError& error) {
    if (const auto* cause = error.cause_as<stages::DataError>())
      throw stages::DataError(explained(cause->what(), line));
    throw;
  }
}

}  // namespace
}  // namespace sluice::apps

int main(int argc, char** argv) {
  using namespace sluice;
  std::set_terminate(apps::end_without_memory);
  // A question (apps/terminal/interrupt.hpp) that nobody can answer, before or after, must not end the program.
  sigset_t question;
  sigemptyset(&question);
  sigaddset(&question, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &question, nullptr);
  // A reader that went away is seen when something is written, not as a signal.
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
    if (apps::others) apps::others->end(code);
  } catch (const apps::Disagreement& error) {
    if (error.agreement.says_it) apps::say(apps::told(error.what(), error.agreement.code));
    code = error.agreement.code;
    apps::others->end(code);
  } catch (const apps::Diverged& error) {
    code = apps::complain_as_one(error.what(), apps::failed);
  } catch (const apps::UsageError& error) {
    code = apps::complain(error.what(), apps::usage);
  } catch (const stages::DataError& error) {
    code = apps::complain(error.what(), apps::bad_data);
  } catch (const StageError& error) {
    code = apps::report(error);
  } catch (const std::bad_alloc&) {
    code = apps::out_of_memory();
  } catch (const std::exception& error) {
    code = apps::complain(error.what(), apps::failed);
  }
  return code;
}
