// sluice sweep: the story of many trainings over the same data. What jobs there are; load, once for all; what an
// earlier sweep has done; then all of them side by side, in rounds where the better ones go on alone; the table, and
// the best.
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <exception>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/errors.hpp>
#include <sluice/pipeline/printable.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/held_out.hpp>
#include <sluice/stages/replacement.hpp>
#include <sluice/stages/scale.hpp>
#include "apps/commands/commands.hpp"
#include "apps/commands/grid.hpp"
#include "apps/commands/load_data.hpp"
#include "apps/flags/command_line.hpp"
#include "apps/flags/repeat.hpp"
#include "apps/job/checkpointing.hpp"
#include "apps/job/data_preparation.hpp"
#include "apps/job/outputs.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/sweep.hpp"
#include "apps/job/sweep_file.hpp"
#include "apps/job/transform.hpp"
#include "apps/job/usage_error.hpp"
#include "apps/report/result.hpp"
#include "apps/report/sweep_page.hpp"
#include "apps/report/sweep_result.hpp"
#include "apps/terminal/interrupt.hpp"
#include "apps/terminal/log.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {
namespace {

// A third of the configurations goes on from round to round, for three times as many epochs.
constexpr std::size_t kept_share = 3;

// What is seen of a sweep while it lasts: on a terminal a table, else a line for each job that ends.
class SweepProgress {
 public:
  SweepProgress(const LogStyle& style, const Sweep& sweep) : style_(style) {
    if (style.form == LogStyle::Form::none) return;
    seen_ = {.flags = sweep.flags,
             .configurations = sweep.configurations,
             .best_by = sweep.best_by,
             .validated = sweep.validated};
    for (const SweepRun& run : sweep.runs) {
      SweepRun& seen = seen_.runs.emplace_back();
      seen.configuration = run.configuration;
      seen.state.plan = run.state.plan;
      seen.state.training.epochs = run.state.training.epochs;
      seen.error = run.error;
      ended_.push_back(ends(run));
    }
    done_ = static_cast<std::size_t>(std::count(ended_.begin(), ended_.end(), true));
  }

  void epoch(const Sweep& sweep, std::size_t run) {
    if (style_.form != LogStyle::Form::line) return;
    take(sweep, run);
    // A table of thousands takes longer to make than to wait for.
    if (Clock::now() - drawn_at_ > std::max<Clock::duration>(std::chrono::milliseconds(100), 10 * drawing_)) redraw();
  }
  void ended(const Sweep& sweep, std::size_t run) {
    if (style_.form == LogStyle::Form::none) return;
    take(sweep, run);
    if (!ended_[run] && ends(sweep.runs[run])) ended_[run] = true, ++done_;
    if (style_.form != LogStyle::Form::lines) return;
    const SweepRun& one = sweep.runs[run];
    std::string text = fmt::format("job {}/{}:", done_, seen_.runs.size());
    if (const std::string words = in_words(sweep.configurations[one.configuration]); !words.empty())
      text += " " + words;
    text += fmt::format(" --seed {}", one.options.seed);
    if (!one.options.validation.empty()) text += " --validation " + one.options.validation;
    if (!one.has_result()) {
      say_message(style_, text + ": " + one.error);
      return;
    }
    const Epoch& e = one.state.result_epoch();
    if (!ends(one)) text += fmt::format(" until epoch {}", e.number);
    text += ":";
    if (e.validation)
      text += fmt::format(" validation loss {:.4f}, accuracy {:.4f};", e.validation->loss, e.validation->accuracy);
    say(fmt::format("{} test loss {:.4f}, accuracy {:.4f}\n", printable(text), e.test.loss, e.test.accuracy));
  }
  void erase() {
    if (lines_ > 0) say(fmt::format("\r\x1b[{}A\x1b[J", std::exchange(lines_, 0)));
  }

 private:
  static bool ends(const SweepRun& run) { return !run.error.empty() || run.state.complete(); }
  void take(const Sweep& sweep, std::size_t run) {
    seen_.runs[run].state.training.epochs = sweep.runs[run].state.training.epochs;
    seen_.runs[run].error = sweep.runs[run].error;
  }
  void redraw() {
    const Clock::time_point begin = Clock::now();
    std::size_t epochs = 0, all = 0;
    for (const SweepRun& run : seen_.runs) {
      epochs += run.state.training.epochs.size();
      all += run.state.plan.epochs;
    }
    // Not so many lines that the terminal would have to scroll.
    winsize size{};
    const std::size_t rows = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 7 ? size.ws_row - 6u : 1;
    std::string text = to_table(seen_, columns_of_terminal(STDERR_FILENO), rows);
    text += fmt::format("{} of {} jobs done, {} of {} epochs, for {:.0f} s\n", done_, seen_.runs.size(), epochs, all,
                        seconds_since(begin_));
    erase();
    say(text);
    lines_ = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    drawn_at_ = Clock::now();
    drawing_ = drawn_at_ - begin;
  }

  const LogStyle style_;
  Sweep seen_;  // what was taken of each run when it was its turn; without its options
  std::vector<bool> ended_;
  std::size_t done_ = 0, lines_ = 0;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point drawn_at_{};
  Clock::duration drawing_{};
};

class SweepCommand {
 public:
  SweepCommand(const Options& o, const SweepOptions& own, Sweep sweep, const stages::DataFiles& files,
               Interrupt& interrupt)
      : o_(o),
        own_(own),
        sweep_(std::move(sweep)),
        files_(files),
        interrupt_(interrupt),
        threads_(o.effective_threads()),
        preparation_(data_preparation(false, files, settings(o, own, interrupt.wake(), loaded_), threads_)),
        until_here_(interrupt) {}

  // false: a signal came first.
  bool load() {
    data_ = load_data(*preparation_, loaded_, interrupt_, style_, begin_);
    load_seconds_ = seconds_since(begin_);
    if (!data_ || interrupt_.signal()) return false;
    if (!o_.quiet) {
      for (const std::string& note : data_->table.notes) say_message(style_, note);
      if (const std::string constant = constant_in_words(data_->transform); !constant.empty())
        say_message(style_, constant);
    }
    check_every_job();
    return true;
  }

  void run() {
    if (!own_.state.empty()) {
      file_.emplace(own_.state, data_in_words());
      if (const std::size_t done = file_->restore(sweep_); done > 0 && !o_.quiet)
        say_message(style_,
                    fmt::format("going on from {}: {} of {} jobs are in it", own_.state, done, sweep_.runs.size()));
    }
    SweepRunner runner(sweep_, *data_, threads_);
    SweepProgress progress(style_, sweep_);
    runner.after_epoch = [&](std::size_t run) { progress.epoch(sweep_, run); };
    runner.after_run = [&](std::size_t run) {
      progress.ended(sweep_, run);
      if (file_) file_->add(sweep_.runs[run]);
    };
    interrupt_.then([&] { runner.cancel(); });
    const auto end = [&] {
      interrupt_.then({});
      progress.erase();
    };
    try {
      own_.halving ? halve(runner) : all_of(runner, configurations(), epochs());
    } catch (const Cancelled&) {
    } catch (...) {
      end();
      throw;
    }
    end();
  }

  int tell() {
    const bool interrupted = interrupt_.signal() != 0 && !complete();
    std::exception_ptr failed;
    const auto say_it = [&](auto what) {
      try {
        what();
      } catch (const stages::WriteError&) {
        if (!failed) failed = std::current_exception();
      }
    };
    if (!interrupted) say_it([&] { o_.json ? write_json_to_stdout(json()) : write_to_stdout(text()); });
    if (data_) {
      say_it([&] { write(own_.csv, [&] { return to_csv(sweep_); }); });
      say_it([&] { write(o_.report, [&] { return page(); }); });
    }
    if (!interrupted) {
      if (failed) std::rethrow_exception(failed);
      const bool any =
          std::any_of(sweep_.runs.begin(), sweep_.runs.end(), [](const SweepRun& run) { return run.has_result(); });
      return any ? 0 : 1;
    }
    std::size_t done = 0;
    for (const SweepRun& run : sweep_.runs) done += is_complete(run);
    if (done > 0 && !o_.quiet) say(to_table(sweep_, columns_of_terminal(STDERR_FILENO), 20));
    say_message(style_, fmt::format("interrupted: {} of {} jobs are done{}", done, sweep_.runs.size(),
                                    file_ ? fmt::format(", and in {}: the same command goes on", own_.state)
                                          : "; with --state FILE they would be kept"));
    return 128 + interrupt_.signal();
  }

 private:
  static DataSettings settings(const Options& o, const SweepOptions& own, int wake, const DecodedCount& loaded) {
    DataSettings all = data_settings(o);
    all.digests = !own.state.empty();
    all.read.wake = wake;
    all.read.decoded = loaded;
    return all;
  }

  // What only the data tell is said of all jobs before the first of them begins.
  void check_every_job() const {
    const stages::DataSet& train = *data_->train.in_memory;
    std::set<std::string> parts;
    for (const SweepRun& run : sweep_.runs) {
      std::size_t rows = data_->train.count;
      if (run.options.holds_out()) {
        const stages::HeldOutPart part = stages::HeldOutPart::of(run.options.validation);
        rows = static_cast<std::size_t>(static_cast<double>(rows) * (1 - (part.to - part.from)));
        if (parts.insert(run.options.validation).second) check_classes(train, run.options.validation, part);
      }
      training_settings(run.options, std::max<std::size_t>(1, rows));
    }
  }
  void check_classes(const stages::DataSet& train, const std::string& text, const stages::HeldOutPart& part) const {
    try {
      stages::check_held_out(train, part);
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format(
          "{}: {}", own_.folds ? fmt::format("--folds {}", own_.folds) : "--validation " + text, error.what()));
    }
  }

  // By which the file of what is done knows them, and what they are before they are trained on.
  nlohmann::ordered_json data_in_words() const {
    nlohmann::ordered_json all = known_by(o_, *data_);
    const stages::DataShape& shape = data_->train.shape;
    all["--classes"] = shape.classes;
    all["--scale"] = stages::scale_text(o_.effective_divisor(shape));
    return all;
  }

  std::vector<std::size_t> configurations() const {
    std::vector<std::size_t> all(sweep_.configurations.size());
    for (std::size_t c = 0; c < all.size(); ++c) all[c] = c;
    return all;
  }
  std::size_t epochs() const {
    std::size_t most = 0;
    for (const SweepRun& run : sweep_.runs) most = std::max(most, run.options.epochs);
    return most;
  }
  static bool is_complete(const SweepRun& run) { return !run.error.empty() || run.state.complete(); }
  bool complete() const {
    return std::all_of(sweep_.runs.begin(), sweep_.runs.end(),
                       [&](const SweepRun& run) { return given_up(run) || is_complete(run); });
  }
  bool given_up(const SweepRun& run) const {
    return own_.halving && sweep_.configurations[run.configuration].rounds < rounds_;
  }

  // Whatever of these is not there yet.
  void all_of(SweepRunner& runner, const std::vector<std::size_t>& configurations, std::size_t epochs) {
    std::vector<std::size_t> runs;
    for (const std::size_t c : configurations)
      for (const std::size_t i : sweep_.configurations[c].runs)
        if (const SweepRun& run = sweep_.runs[i]; !is_complete(run) && run.state.training.epochs.size() < epochs)
          runs.push_back(i);
    if (!runs.empty()) runner.run(runs, epochs);
  }

  void halve(SweepRunner& runner) {
    std::vector<std::size_t> left = configurations();
    std::size_t rounds = 1;
    for (std::size_t n = left.size(); n >= kept_share; n /= kept_share) ++rounds;
    for (std::size_t round = 1; round <= rounds; ++round) {
      const double share = std::pow(static_cast<double>(kept_share), static_cast<double>(rounds - round));
      const auto until = static_cast<std::size_t>(std::ceil(static_cast<double>(epochs()) / share));
      all_of(runner, left, until);
      rounds_ = round;
      for (const std::size_t c : left) sweep_.configurations[c].rounds = round;
      if (round == rounds) return;
      const auto loss = [&](std::size_t c) {
        double sum = 0;
        for (const std::size_t i : sweep_.configurations[c].runs) {
          const std::vector<Epoch>& all = sweep_.runs[i].state.training.epochs;
          if (!sweep_.runs[i].error.empty() || all.empty()) return std::numeric_limits<double>::infinity();
          const double value = compared(all[std::min(all.size(), until) - 1], sweep_.best_by);
          sum += sweep_.best_by == BestBy::loss ? value : -value;
        }
        return sum;
      };
      std::stable_sort(left.begin(), left.end(), [&](std::size_t a, std::size_t b) { return loss(a) < loss(b); });
      const std::size_t kept = std::max<std::size_t>(1, (left.size() + kept_share - 1) / kept_share);
      for (std::size_t i = kept; i < left.size(); ++i)
        for (const std::size_t run : sweep_.configurations[left[i]].runs) sweep_.runs[run].give_up(until);
      left.resize(kept);
    }
  }

  const SweepRun* best_run() const {
    if (!sweep_.validated) return nullptr;
    const SweepRun& run = sweep_.runs[sweep_.configurations[ranked(sweep_).front()].runs.front()];
    return run.has_result() ? &run : nullptr;
  }
  std::string command(const Options& o) const { return repeating_command(o, files_, *data_); }
  std::string short_command(Options o) const {
    std::erase_if(o.spelt, [](const SpeltFlag& flag) { return !flag.by_hand; });
    return command(o);
  }

  std::string text() const {
    constexpr std::size_t uncut = 10'000;  // what is a result is whole, however wide the terminal
    std::string text = to_table(sweep_, uncut, sweep_.configurations.size());
    text += fmt::format("{} job{} over {} rows in {:.3f} s: load {:.3f}; at most {:.1f} MiB\n", sweep_.runs.size(),
                        sweep_.runs.size() == 1 ? "" : "s", data_->train.count, seconds_since(begin_), load_seconds_,
                        static_cast<double>(peak_rss_bytes()) / (1024 * 1024));
    if (!best_run())
      return text + (sweep_.validated ? "" : "no best one: --validation or --folds is what to choose by\n");
    for (const auto& [what, command] : best_commands()) text += fmt::format("{}: {}\n", what, command);
    return text;
  }

  // As it was compared, and where all rows may be trained on, for all of them.
  std::vector<std::pair<std::string, std::string>> best_commands() const {
    const SweepRun* const best = best_run();
    if (!best) return {};
    std::vector<std::pair<std::string, std::string>> all{{"best", short_command(best->options)}};
    if (best->options.holds_out() && best->options.keep == "last" && best->options.patience == 0) {
      Options of_all_rows = best->options;
      std::erase_if(of_all_rows.spelt, [](const SpeltFlag& flag) {
        return flag.name == "--validation" || flag.name == "--patience" || flag.name == "--keep" ||
               flag.name == "--best-by";
      });
      all.emplace_back("of all rows", short_command(of_all_rows));
    }
    return all;
  }

  nlohmann::ordered_json json() const {
    nlohmann::ordered_json all = to_json(sweep_, [&](const SweepRun& run) { return command(run.options); });
    all["best"] = nullptr;
    for (const auto& [what, command] : best_commands()) all[what == "best" ? "best" : "best_of_all_rows"] = command;
    all["seconds"] = {{"load", load_seconds_}, {"total", seconds_since(begin_)}};
    all["peak_rss_bytes"] = peak_rss_bytes();
    return all;
  }

  template <class Bytes>
  static void write(const std::string& path, const Bytes& bytes) {
    if (path.empty()) return;
    const std::string all = bytes();
    stages::Replacement file(path);
    file.write(all.data(), all.size());
    file.commit();
  }
  std::string page() const {
    const std::vector<std::pair<std::string, std::string>> facts{
        {"data", data_->train.shape.path},
        {"training rows", std::to_string(data_->train.count)},
        {"threads", std::to_string(threads_.count())},
        {"seconds", fmt::format("{:.2f}", seconds_since(begin_))}};
    return sweep_page(sweep_, facts, best_commands(), json());
  }

  const Options& o_;
  const SweepOptions& own_;
  Sweep sweep_;
  const stages::DataFiles& files_;
  Interrupt& interrupt_;
  const Clock::time_point begin_ = Clock::now();
  const LogStyle style_ = log_style(o_.progress, o_.quiet, "text");
  const Threads threads_;
  const DecodedCount loaded_ = std::make_shared<stages::DecodedBytes>();
  const std::unique_ptr<DataPreparation> preparation_;
  const JobData* data_ = nullptr;
  double load_seconds_ = 0;
  std::optional<SweepFile> file_;
  std::size_t rounds_ = 0;
  const Interrupt::Scope until_here_;  // last: nobody asks a graph that is gone
};

}  // namespace

int sweep(const Options& o, const SweepOptions& own) {
  Interrupt interrupt;  // before the threads
  std::set<std::string> by_hand;
  for (const SpeltFlag& flag : o.spelt)
    if (flag.by_hand) by_hand.insert(flag.name);
  Sweep jobs = grid(own, shared_words(o, own), by_hand);
  jobs.best_by = plan_of(o, {}, 0).best_by;
  const stages::DataFiles files = stages::find_data_files(data_wanted(o));
  check_flags_of_formats(o, files.all());
  check_outputs({{"--csv", own.csv}, {"--report", o.report}, {"--state", own.state}}, files_read(o, files.all()));
  SweepCommand command(o, own, std::move(jobs), files, interrupt);
  for (const std::string& note : files.notes)
    if (!o.quiet) say(log_line(note));
  if (command.load()) command.run();
  return command.tell();
}

}  // namespace sluice::apps
