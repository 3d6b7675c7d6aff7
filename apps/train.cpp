// sluice train: load, then epoch after epoch train and test, then the result.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "apps/class_names.hpp"
#include "apps/commands.hpp"
#include "apps/interrupt.hpp"
#include "apps/load.hpp"
#include "apps/predictions.hpp"
#include "apps/profile.hpp"
#include "apps/progress.hpp"
#include "apps/report.hpp"
#include "apps/training.hpp"
#include "pipeline/svg.hpp"
#include "pipeline/trace.hpp"
#include "pipeline/verdict.hpp"
#include "stages/errors.hpp"
#include "stages/kernels/kernels.hpp"
#include "stages/model_file.hpp"
#include "stages/replacement.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::size_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

struct Epoch {
  std::size_t number;
  Metrics train, test;
  double seconds;                                                             // of training alone
  double rate() const { return static_cast<double>(train.count) / seconds; }  // samples per second
};

struct Result {
  std::vector<Epoch> epochs;
  double load = 0, train = 0, eval = 0, total = 0;  // seconds
  std::string sha256;
};

ordered_json effective(const Options& o, const stages::DataFiles& files, std::size_t classes) {
  return {{"train_images", files.train_images},
          {"train_labels", files.train_labels},
          {"test_images", files.test_images},
          {"test_labels", files.test_labels},
          {"classes", classes},
          {"epochs", o.epochs},
          {"batch_size", o.batch_size},
          {"lr", o.lr},
          {"seed", o.seed},
          {"threads", o.effective_threads()},
          {"shards", o.effective_shards()},
          {"concurrency", o.concurrency},
          {"capacity", o.capacity},
          {"isa", kernels::active().name},
          {"decoder", o.effective_decoder()},
          {"output", o.output}};
}

void print_json(const Options& o, const stages::DataFiles& files, const stages::DataSet& train,
                const stages::DataSet& test, const Result& r, const std::vector<GraphStats>& profiles) {
  ordered_json epochs = ordered_json::array();
  for (const Epoch& e : r.epochs)
    epochs.push_back({{"epoch", e.number},
                      {"train_loss", e.train.loss},
                      {"train_accuracy", e.train.accuracy},
                      {"test_loss", e.test.loss},
                      {"test_accuracy", e.test.accuracy},
                      {"seconds", e.seconds},
                      {"samples_per_second", e.rate()}});
  const Epoch& last = r.epochs.back();
  ordered_json json = {{"command", "train"},
                       {"options", effective(o, files, train.classes)},
                       {"data",
                        {{"train", train.size()},
                         {"test", test.size()},
                         {"rows", train.rows},
                         {"columns", train.columns},
                         {"classes", train.classes}}},
                       {"epochs", epochs},
                       {"train_loss", last.train.loss},
                       {"train_accuracy", last.train.accuracy},
                       {"test_loss", last.test.loss},
                       {"test_accuracy", last.test.accuracy},
                       {"seconds", {{"load", r.load}, {"train", r.train}, {"eval", r.eval}, {"total", r.total}}},
                       {"peak_rss_bytes", peak_rss_bytes()},
                       {"weights_sha256", r.sha256}};
  if (o.profile)
    for (const GraphStats& stats : profiles) json["profile"].push_back(to_json(stats));
  fmt::print("{}\n", json.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

void print_text(const Options& o, const stages::DataSet& data, const Result& r) {
  const Epoch& last = r.epochs.back();
  fmt::print("train loss {:.4f}, train accuracy {:.4f}, test loss {:.4f}, test accuracy {:.4f}\n", last.train.loss,
             last.train.accuracy, last.test.loss, last.test.accuracy);
  fmt::print(
      "{} epoch{} over {} images ({} x {}, {} classes) in {:.3f} s: load {:.3f}, train {:.3f}, test {:.3f}; at most "
      "{:.1f} MiB\n",
      r.epochs.size(), r.epochs.size() == 1 ? "" : "s", data.size(), data.rows, data.columns, data.classes, r.total,
      r.load, r.train, r.eval, static_cast<double>(peak_rss_bytes()) / (1024 * 1024));
  fmt::print("weights sha256 {}\n", r.sha256);
  if (!o.output.empty()) fmt::print("model in {}\n", o.output);
}

// Where a file is to be written: found before anything is trained, not after.
void check_output(const std::string& flag, const std::string& path, const stages::DataFiles& files,
                  const std::string& class_names) {
  if (path.empty()) return;
  for (const std::string& input : {files.train_images, files.train_labels, files.test_images, files.test_labels,
                                   class_names.starts_with("@") ? class_names.substr(1) : ""}) {
    std::error_code ignored;
    if (std::filesystem::equivalent(path, input, ignored))
      throw UsageError(fmt::format("{} {}: is the input {}, which it would replace", flag, path, input));
  }
  try {
    stages::check_writable(path);
  } catch (const stages::WriteError& error) {
    throw UsageError(fmt::format("{} {}", flag, error.what()));
  }
}

void check_outputs(const Options& o, const stages::DataFiles& files) {
  const std::vector<std::pair<std::string, std::string>> all = {
      {"--output", o.output}, {"--trace", o.trace}, {"--picture", o.picture}, {"--report", o.report}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    check_output(all[i].first, all[i].second, files, o.class_names);
    for (std::size_t k = 0; k < i; ++k)
      if (!all[i].second.empty() &&
          std::filesystem::weakly_canonical(all[i].second) == std::filesystem::weakly_canonical(all[k].second))
        throw UsageError(fmt::format("{} {}: is the file of {}, too", all[i].first, all[i].second, all[k].first));
  }
}

// Debian keeps it in such a folder, and so does everybody else.
bool is_fashion_mnist(const std::string& images, const stages::DataSet& data) {
  return data.classes == 10 && data.rows == 28 && data.columns == 28 &&
         (images.find("fashion") != std::string::npos || images.find("Fashion") != std::string::npos);
}

// Overrides of stages that the job does not have, by the graphs of a job without data.
void check_overrides(const Options& o, Graph& loading, const Threads& threads) {
  const stages::DataSet none;
  Training training(none, o, threads, {});
  Evaluation evaluation(none, threads);
  override_stages(o, {&loading, &training.graph(), &evaluation.graph()});
}

// The graphs of a run, and what was seen of them.
class Job {
 public:
  Job(const Options& o, const stages::DataFiles& files)
      : o_(o), files_(files), threads_(o.effective_threads()), loading_(files, o, threads_) {
    check_overrides(o, loading_.graph(), threads_);  // before the data, which takes longer, is loaded
    if (!o.trace.empty()) {
      trace_.emplace(o.trace_steps);
      loading_.graph().set_trace(&*trace_);
    }
  }

  ~Job() { interrupt_.then({}); }  // nobody cancels a graph that is gone
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // The exit code.
  int run() {
    try {
      load();
      if (!interrupt_.signal()) epochs();
      if (complete()) {
        result_.sha256 = stages::weights_sha256(*training_->weights());
        if (!o_.output.empty()) stages::save_model(o_.output, *training_->weights(), {});
      }
    } catch (const UsageError&) {
      throw;
    } catch (const std::exception& error) {
      outcome_ = error.what();
      try {
        look_back();
      } catch (const std::exception&) {  // what happened first is what is said
      }
      throw;
    }
    result_.total = since(begin_);
    if (complete()) {
      // First, and to its end: what is written behind it may fail.
      if (o_.json)
        print_json(o_, files_, loading_.train(), loading_.test(), result_, profiles());
      else
        print_text(o_, loading_.train(), result_);
      std::fflush(stdout);
    } else {
      outcome_ = interrupted();
    }
    look_back();
    if (!complete()) {
      say_all(outcome_ + (o_.output.empty() ? "" : ": no model was written"));
      return 128 + interrupt_.signal();
    }
    return 0;
  }

 private:
  // Of a run that is complete, a signal that comes late changes nothing.
  bool complete() const { return result_.epochs.size() == o_.epochs; }

  void load() {
    const bool drawn = style_.form == ProgressStyle::Form::line;
    if (drawn) say("loading ...");
    interrupt_.then([this, drawn] {
      if (drawn) say("\n");
      say_all("interrupted: waiting for what is being decompressed; once more to quit now");
      loading_.graph().cancel();
    });
    try {
      loading_.run();
    } catch (const Cancelled&) {
    }
    if (drawn) say("\r\x1b[K");
    result_.load = since(begin_);
  }

  void epochs() {
    const stages::DataSet& data = loading_.train();
    try {
      names_ = class_names(o_.class_names, data.classes, is_fashion_mnist(files_.train_images, data));
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--class-names: {}", error.what()));
    }
    stages::Weights initial;
    initial.renew() = stages::random_model(data.pixels(), data.classes, o_.seed);
    loaded_ = loading_.graph().stats();
    training_.emplace(data, o_, threads_, initial, &interrupt_.requested());
    evaluation_.emplace(loading_.test(), threads_);
    override_stages(o_, {&loading_.graph(), &training_->graph(), &evaluation_->graph()});
    if (trace_)
      for (Graph* g : {&training_->graph(), &evaluation_->graph()}) g->set_trace(&*trace_);
    interrupt_.then([this] { evaluation_->graph().cancel(); });

    Progress progress(style_, o_.epochs, data.size());
    progress.starts({{"train", data.size()},
                     {"test", loading_.test().size()},
                     {"epochs", o_.epochs},
                     {"batch_size", o_.batch_size},
                     {"threads", threads_.count()},
                     {"load_seconds", result_.load}});
    if (o_.batch_size > data.size())
      progress.warning(fmt::format("--batch-size {}: there are only {} images, so that an epoch is one step",
                                   o_.batch_size, data.size()));
    for (std::size_t number = 1; number <= o_.epochs && !interrupt_.signal(); ++number) {
      current_ = number;
      const std::uint64_t before = training_->graph().stats().stage("accumulate").items;
      progress.epoch_begins(number, [this, before, &data] {
        const std::uint64_t steps = training_->graph().stats().stage("accumulate").items - before;
        return std::min<std::size_t>(data.size(), steps * o_.batch_size);
      });
      const auto train_begin = Clock::now();
      const Metrics trained = training_->run(number);
      const double seconds = since(train_begin);
      result_.train += seconds;
      if (interrupt_.signal()) break;
      if (!std::isfinite(trained.loss)) {
        const std::string what =
            fmt::format("epoch {}: the loss is {}, expected a finite number: try a smaller --lr than {}", number,
                        trained.loss, o_.lr);
        progress.ends({{"epochs", result_.epochs.size()}, {"error", what}});
        throw std::runtime_error(what);
      }
      const auto test_begin = Clock::now();
      Metrics tested;
      try {
        tested = evaluation_->run(training_->weights());
      } catch (const Cancelled&) {
        break;
      }
      result_.eval += since(test_begin);
      result_.epochs.push_back({number, trained, tested, seconds});
      progress.epoch_ends({number, trained.loss, trained.accuracy, tested.loss, tested.accuracy, seconds,
                           result_.epochs.back().rate()});
    }
    progress.ends({{"epochs", result_.epochs.size()},
                   {"interrupted", interrupt_.signal() != 0},
                   {"train_seconds", result_.train},
                   {"test_seconds", result_.eval}});
  }

  // Trace, picture, report and profile, of a run that ended early, too. What cannot be written keeps none of the others
  // from it; the first such error is thrown in the end.
  void look_back() {
    result_.total = since(begin_);
    std::exception_ptr failed;
    const auto write = [&](const std::string& what, const std::string& path, auto text) {
      if (path.empty()) return;
      try {
        const std::string bytes = text();
        stages::Replacement file(path);
        file.write(bytes.data(), bytes.size());
        file.commit();
        if (!o_.quiet) say_all(fmt::format("{} in {}", what, path));
      } catch (const std::exception&) {
        if (!failed) failed = std::current_exception();
      }
    };
    write(fmt::format("trace of the first {} messages of each stream", o_.trace_steps), o_.trace, [this] {
      std::ostringstream text;
      trace_->write(text);
      return text.str();
    });
    write("picture", o_.picture, [this] { return svg(pictures()); });
    write("report", o_.report, [this] { return html(report()); });
    if (o_.profile) print_profile();
    if (failed) std::rethrow_exception(failed);
  }

  void print_profile() {
    if (style_.form == ProgressStyle::Form::jsonl) {
      for (const GraphStats& stats : profiles()) say(log_event("profile", to_json(stats)));
      return;
    }
    for (const GraphStats& stats : profiles()) {
      if (stats.runs == 0) continue;
      say(fmt::format("\n{}: {} run{} in {:.3f} s on {} thread{}\n{}{}\n", stats.graph, stats.runs,
                      stats.runs == 1 ? "" : "s", stats.wall, stats.threads, stats.threads == 1 ? "" : "s",
                      profile_table(stats), verdict(stats).text));
    }
    say("\nat once: bodies that can be; busy, starved (no input), blocked (no room behind), ready (waits for a "
        "thread): of\n"
        "their time; queue: most messages in the segment behind it / capacity; p50, p99: of a body\n");
    say(fmt::format("of {:.3f} s: load {:.0f} %, train {:.0f} %, test {:.0f} %\n", result_.total,
                    100 * result_.load / result_.total, 100 * result_.train / result_.total,
                    100 * result_.eval / result_.total));
    if (const std::string what = advice(o_, profiles()); !what.empty()) say("advice: " + what + "\n");
  }

  // To override stages for training begins its counts anew: what it counted is kept before that.
  GraphStats loading() { return training_ ? loaded_ : loading_.graph().stats(); }
  std::vector<GraphStats> profiles() {
    std::vector<GraphStats> all{loading()};
    if (training_) all.insert(all.end(), {training_->graph().stats(), evaluation_->graph().stats()});
    return all;
  }
  std::vector<GraphPicture> pictures() {
    std::vector<GraphPicture> all{{loading_.graph().name(), loading_.graph().stages(), loading()}};
    if (training_)
      for (Graph* g : {&training_->graph(), &evaluation_->graph()}) all.push_back({g->name(), g->stages(), g->stats()});
    return all;
  }

  std::string interrupted() const {
    return training_ ? fmt::format("interrupted in epoch {} of {}", current_, o_.epochs) : "interrupted while loading";
  }
  // In the form of the log.
  void say_all(const std::string& text) const {
    say(style_.form == ProgressStyle::Form::jsonl ? log_event("message", {{"message", text}})
                                                  : fmt::format("sluice: {}\n", text));
  }

  Report report() {
    Report r;
    r.title = "sluice train";
    r.outcome = outcome_;
    r.command = repeating_command(o_, files_);
    const stages::DataSet &train = loading_.train(), &test = loading_.test();
    const ordered_json options = effective(o_, files_, train.classes);
    for (const auto& [name, value] : options.items())
      r.options.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
    r.facts = {{"sluice", SLUICE_VERSION}, {"kernels", kernels::active().name}};
    if (training_) {
      r.facts.emplace_back("training images",
                           fmt::format("{} of {} x {} pixels", train.size(), train.rows, train.columns));
      r.facts.emplace_back("test images", std::to_string(test.size()));
      r.facts.emplace_back("classes", std::to_string(train.classes));
    }
    r.facts.emplace_back("seconds", fmt::format("{:.3f}: load {:.3f}, train {:.3f}, test {:.3f}", result_.total,
                                                result_.load, result_.train, result_.eval));
    r.facts.emplace_back("peak memory", fmt::format("{:.1f} MiB", static_cast<double>(peak_rss_bytes()) / (1 << 20)));
    if (!result_.sha256.empty()) r.facts.emplace_back("weights sha256", result_.sha256);
    for (const Epoch& e : result_.epochs)
      r.epochs.push_back({e.number, e.train.loss, e.train.accuracy, e.test.loss, e.test.accuracy, e.seconds});
    r.graphs = pictures();
    r.advice = advice(o_, profiles());
    if (training_) {
      r.class_names = names_;
      r.test = &test;
      weights_ = training_->weights();
      r.model = weights_.get();
      r.predictions = predict(weights_, test, threads_);
    }
    return r;
  }

  const Options& o_;
  const stages::DataFiles& files_;
  const Clock::time_point begin_ = Clock::now();
  const ProgressStyle style_ = progress_style(o_.progress, o_.quiet, o_.log_format);
  Interrupt interrupt_;  // before the threads
  const Threads threads_;
  std::optional<Trace> trace_;  // before the graphs
  Loading loading_;
  std::optional<Training> training_;
  std::optional<Evaluation> evaluation_;
  std::vector<std::string> names_;
  stages::Weights weights_;
  std::size_t current_ = 0;  // epoch
  std::string outcome_;      // why it ended early
  Result result_;
  GraphStats loaded_;  // of the loading graph
};

}  // namespace

int train(const Options& o) {
  const stages::DataFiles files = stages::find_data_files(o.files);
  check_outputs(o, files);
  return Job(o, files).run();
}

}  // namespace sluice::apps
