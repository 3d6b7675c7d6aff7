// sluice train: load, or with --stream only look, then epoch after epoch train and test, then the result.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/svg.hpp>
#include <sluice/pipeline/trace.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/model_file.hpp>
#include "apps/checkpointing.hpp"
#include "apps/class_names.hpp"
#include "apps/commands.hpp"
#include "apps/input.hpp"
#include "apps/interrupt.hpp"
#include "apps/load.hpp"
#include "apps/looking_back.hpp"
#include "apps/outputs.hpp"
#include "apps/overrides.hpp"
#include "apps/progress.hpp"
#include "apps/repeat.hpp"
#include "apps/result.hpp"
#include "apps/training.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Debian keeps it in such a folder, and so does everybody else.
bool is_fashion_mnist(const std::string& images, const stages::DataShape& data) {
  return data.classes == 10 && data.rows == 28 && data.columns == 28 &&
         (images.find("fashion") != std::string::npos || images.find("Fashion") != std::string::npos);
}

// Overrides of stages that the job does not have, by the graphs of a job without data.
void check_overrides(const Options& o, const stages::DataFiles& files, Graph& loading, const Threads& threads) {
  const stages::DataSet none;
  JobData data;
  if (!o.stream) data.train_set = data.test_set = &none;
  Training training(data, files, o, threads, {});
  Evaluation evaluation(data, files, threads);
  override_stages(o, {&loading, &training.graph(), &evaluation.graph()});
}

bool finite(const stages::Model& model) {
  const auto all = [](const auto& values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  };
  return all(model.weights) && all(model.bias);
}

// The graphs of a run, and what was seen of them.
class Job {
 public:
  Job(const Options& o, const stages::DataFiles& files)
      : o_(o), files_(files), threads_(o.effective_threads()), loading_(files, o, threads_, 0, interrupt_.wake()) {
    check_overrides(o, files, loading_.graph(), threads_);  // before the data, which takes longer, is loaded
    if (!o.trace.empty()) {
      trace_.emplace(o.trace_steps);
      loading_.graph().set_trace(&*trace_);
    }
  }

  ~Job() {  // nobody asks a graph that is gone
    interrupt_.then({});
    interrupt_.when_asked({});
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // The exit code.
  int run() {
    try {
      checkpoints_.find();
      if (checkpoints_.replaces() && !o_.quiet)
        say_message(style_, fmt::format("beginning anew: what is in {} will be replaced", o_.checkpoint));
      load();
      if (!interrupt_.signal()) epochs();
      if (complete()) {
        result_.sha256 = stages::weights_sha256(*training_->weights());
        if (!unsaved_) result_.checkpoint = o_.checkpoint;
        if (!o_.output.empty()) stages::save_model(o_.output, *training_->weights(), about_);
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
      // First: what is written behind it may fail, and whether this fails is to keep no other from being written.
      try {
        if (o_.json)
          write_json_to_stdout(to_json(o_, files_, data(), result_, counted()));
        else
          write_to_stdout(to_text(o_, data(), result_));
      } catch (const stages::WriteError&) {
        unsaid_ = std::current_exception();
      }
    } else {
      outcome_ = interrupted();
    }
    look_back();
    if (!complete()) {
      say_message(style_, outcome_ + (o_.output.empty() ? "" : "; no model was written") + how_to_go_on());
      return 128 + interrupt_.signal();
    }
    for (const std::exception_ptr& failed : {unsaved_, unsaid_})
      if (failed) std::rethrow_exception(failed);
    return 0;
  }

 private:
  const JobData& data() const { return loading_.data(); }
  bool all_epochs_done() const { return result_.epochs.size() == o_.epochs; }
  // There is a result: a signal that comes late changes nothing. One that comes before the weights of a checkpoint that
  // is complete are there does.
  bool complete() const { return training_ && all_epochs_done(); }

  void load() {
    const bool drawn = style_.form == ProgressStyle::Form::line;
    if (drawn) say("loading ...");
    interrupt_.when_asked([this] {
      if (style_.form == ProgressStyle::Form::line) say("\r\x1b[K");
      say_message(style_, fmt::format("loading the data, for {:.1f} s so far", since(begin_)));
    });
    interrupt_.then([this, drawn] {
      if (drawn) say("\n");
      say_message(style_, "interrupted: waiting for what is being decompressed; once more to quit now");
      loading_.graph().cancel();
    });
    try {
      loading_.run();
    } catch (const Cancelled&) {
    } catch (const StageError&) {  // of a pipe that was waited for
      if (!interrupt_.signal()) throw;
    }
    if (drawn) say("\r\x1b[K");
    interrupt_.then({});
    result_.load = since(begin_);
    if (checkpoints_.resumes() && !interrupt_.signal()) go_on();
  }

  void epochs() {
    const stages::DataShape& shape = data().shape;
    name_classes(shape);
    stages::Weights initial;
    stages::Model& model = initial.renew();
    model = checkpoints_.resumes() ? std::move(resumed_model_)
                                   : stages::random_model(shape.pixels(), shape.classes, o_.seed);
    model.divisor = o_.effective_divisor(shape.stored);
    loaded_ = loading_.graph().stats();
    evaluation_.emplace(data(), files_, threads_);
    training_.emplace(data(), files_, o_, threads_, initial);  // last: where it is, all are
    override_stages(o_, {&loading_.graph(), &training_->graph(), &evaluation_->graph()});
    if (trace_)
      for (Graph* g : {&training_->graph(), &evaluation_->graph()}) g->set_trace(&*trace_);
    interrupt_.then([this] {
      training_->graph().cancel();
      evaluation_->graph().cancel();
    });

    const std::size_t rows = data().train;
    Progress& progress = progress_.emplace(
        style_, o_.epochs, rows,
        static_cast<double>(result_.epochs.size()) + static_cast<double>(rows_done()) / static_cast<double>(rows));
    interrupt_.when_asked([this] { progress_->status(); });
    progress.starts({{"train", rows},
                     {"test", data().test},
                     {"epochs", o_.epochs},
                     {"epochs_done", result_.epochs.size()},
                     {"steps_done", steps_done()},
                     {"batch_size", o_.batch_size},
                     {"threads", threads_.count()},
                     {"load_seconds", result_.load}});
    if (o_.batch_size > rows)
      progress.warning(
          fmt::format("--batch-size {}: there are only {} images, so that an epoch is one step", o_.batch_size, rows));
    try {
      while (result_.epochs.size() < o_.epochs && epoch()) {
      }
    } catch (const std::exception& error) {
      progress.ends({{"epochs", result_.epochs.size()}, {"error", error.what()}});
      throw;
    }
    save_checkpoint(training_->weights());
    progress.ends({{"epochs", result_.epochs.size()},
                   {"interrupted", interrupt_.signal() != 0},
                   {"train_seconds", result_.train},
                   {"test_seconds", result_.eval}});
  }

  // Of the flag, else of the checkpoint that is gone on from, else of Fashion-MNIST.
  void name_classes(const stages::DataShape& data) {
    const bool fashion_mnist = is_fashion_mnist(files_.train_images, data);
    if (o_.class_names.empty()) {
      try {
        names_ = stored_class_names(resumed_about_, data.classes);
      } catch (const std::invalid_argument& error) {
        throw stages::DamagedError(fmt::format("{}: {}", checkpoints_.path(), error.what()));
      }
    }
    const bool known = !names_.empty() || !o_.class_names.empty() || fashion_mnist;
    try {
      if (names_.empty()) names_ = class_names(o_.class_names, data.classes, fashion_mnist);
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--class-names: {}", error.what()));
    }
    about_ = {{"sluice.command", repeating_command(o_, files_, this->data())}};
    if (known) about_["sluice.class_names"] = names_to_store(names_);
  }

  // What is left of the next epoch, and the test behind it; false: a signal came before it was complete.
  bool epoch() {
    if (interrupt_.signal()) return false;
    const std::size_t number = epoch_under_way(), size = data().train;
    const std::uint64_t before = training_->graph().stats().stage("accumulate").items;
    progress_->epoch_begins(number, [this, before, size, rows = rows_done()] {
      const std::uint64_t steps = training_->graph().stats().stage("accumulate").items - before;
      return std::min<std::size_t>(size, rows + steps * o_.batch_size);
    });
    if (rows_done() < size) train(number);
    if (interrupt_.signal()) return false;
    Epoch epoch{number, means(sums_), {}, seconds_};
    const auto test_begin = Clock::now();
    try {
      loading_.check_test_unchanged();
      epoch.test = evaluation_->run(training_->weights());
      loading_.check_test_unchanged();
    } catch (const Cancelled&) {
      return false;
    } catch (const StageError& error) {
      rethrow_diverged(error, fmt::format("in the test after epoch {}", number));
      if (o_.stream) save_checkpoint(training_->weights());  // what it was trained on is sound
      throw;
    } catch (const stages::DataError&) {
      save_checkpoint(training_->weights());
      throw;
    }
    result_.eval += since(test_begin);
    result_.epochs.push_back(epoch);
    sums_ = stages::Accumulate{}.sums;
    seconds_ = 0;
    const Options::Every every = o_.effective_every();
    checkpoints_.state_changed();
    if (complete() || (every.epochs && number % every.epochs == 0)) save_checkpoint(training_->weights());
    progress_->epoch_ends({number, epoch.train.loss, epoch.train.accuracy, epoch.test.loss, epoch.test.accuracy,
                           epoch.seconds, epoch.rate()});
    return true;
  }

  // What is left of this epoch, with a checkpoint wherever one is due, or as much of it as was done before a signal.
  void train(std::size_t number) {
    const std::uint64_t every = o_.checkpoint.empty() ? 0 : o_.effective_every().steps;
    const std::size_t before = (number - 1) * steps_of(data().train);  // steps of other epochs
    const std::size_t done = steps_done();
    const double seconds = seconds_;
    const auto begin = Clock::now();
    const auto take_over = [&] {
      sums_ = training_->sums();
      seconds_ = seconds + since(begin);
      checkpoints_.state_changed();
    };
    try {
      loading_.check_train_unchanged();
    } catch (const stages::DataError&) {
      if (rows_done() == 0) save_checkpoint(training_->weights());  // the epochs before are sound
      throw;
    }
    if (rows_done() == 0) epoch_beginning_ = training_->weights();
    sound_ = !o_.stream;
    std::exception_ptr failed;  // what happened between two steps is no stage's
    const auto between_steps = [&, step = before + done]() mutable {
      if (++step % every != 0) return;
      try {
        take_over();
        check_finite(number);
        save_checkpoint(training_->weights());
      } catch (const std::exception&) {
        failed = std::current_exception();
        throw;
      }
    };
    try {
      training_->run(number, sums_, every ? std::function<void()>(between_steps) : nullptr);
    } catch (const Cancelled&) {
    } catch (const stages::DataError& error) {  // streams of unequal length
      give_epoch_up(error);
    } catch (const StageError& error) {
      if (failed) std::rethrow_exception(failed);
      rethrow_diverged(error, fmt::format("epoch {}, step {}", number, done + error.sequence().value_or(0) + 1));
      if (const auto* cause = error.cause_as<stages::DataError>()) give_epoch_up(*cause);
      throw;
    }
    take_over();
    result_.train += since(begin);
    check_finite(number);
    if (interrupt_.signal()) return;
    try {
      loading_.check_train_unchanged();
    } catch (const stages::DataError& error) {
      give_epoch_up(error);
    }
    sound_ = true;
  }

  // The files of a job that streams are not what they should be, and nobody knows since which row of this epoch: what
  // its steps made of them is not to be gone on from.
  [[noreturn]] void give_epoch_up(const stages::DataError& error) {
    if (o_.checkpoint.empty() || !epoch_beginning_) throw stages::DataError(error);
    sums_ = stages::Accumulate{}.sums;
    seconds_ = 0;
    checkpoints_.state_changed();
    std::string what;
    try {
      save_checkpoint(epoch_beginning_);
      what = fmt::format("{} is of the beginning of epoch {}, before it was read", o_.checkpoint, epoch_under_way());
    } catch (const stages::WriteError& unsaved) {
      what = unsaved.what();
    }
    throw stages::DataError(fmt::format("{}; {}", error.what(), what));
  }

  void check_finite(std::size_t epoch) const {
    if (!finite(*training_->weights()))
      diverged(fmt::format("epoch {}, step {}", epoch, steps_done()), "a weight is not finite");
  }

  [[noreturn]] void diverged(const std::string& where, const std::string& what) const {
    throw std::runtime_error(
        fmt::format("{}: {}, expected finite numbers: try a smaller --lr than {}{}", where, what, o_.lr,
                    checkpoints_.has_own() ? ", and another --checkpoint: this one is of the steps before" : ""));
  }
  void rethrow_diverged(const StageError& error, const std::string& where) const {
    if (const auto* cause = error.cause_as<stages::DivergedError>()) diverged(where, cause->what());
  }

  void go_on() {
    Checkpoint c = checkpoints_.go_on(data());
    resumed_model_ = std::move(c.model);
    if (c.beginning) epoch_beginning_.renew() = std::move(*c.beginning);
    resumed_about_ = std::move(c.about);
    sums_ = c.sums;
    seconds_ = c.seconds;
    result_.epochs = std::move(c.epochs);
    result_.resumed_from = checkpoints_.path();
    result_.resumed_epoch = rows_done() > 0 ? epoch_under_way() : result_.epochs.size();
    result_.resumed_step = rows_done() > 0 ? steps_done() : steps_of(data().train);
    result_.resumed_epochs = result_.epochs.size();
    if (!checkpoints_.trouble().empty()) say_warning(style_, checkpoints_.trouble() + "; the version before is used");
    if (checkpoints_.epoch_begins_again())
      say_warning(style_, fmt::format("the training set may have been written since {}: epoch {} begins again",
                                      checkpoints_.path(), epoch_under_way()));
    if (o_.quiet) return;
    if (all_epochs_done())
      say_message(style_,
                  fmt::format("{}: this job is finished: more --epochs would go on from there", checkpoints_.path()));
    else
      say_message(style_, fmt::format("going on from {}: {}", checkpoints_.path(), place()));
  }

  void save_checkpoint(const stages::Weights& weights) {
    if (o_.checkpoint.empty() || unsaved_) return;
    const bool unsound = !sound_ && rows_done() > 0 && epoch_beginning_;
    try {
      if (checkpoints_.save({.job = {},
                             .epoch = epoch_under_way(),
                             .sums = sums_,
                             .seconds = seconds_,
                             .epochs = result_.epochs,
                             .model = *weights,
                             .beginning = unsound ? std::optional(*epoch_beginning_) : std::nullopt,
                             .files = data().files,
                             .about = about_},
                            data()))
        progress_->saved(
            {{"path", o_.checkpoint}, {"epochs_done", result_.epochs.size()}, {"steps_done", steps_done()}});
    } catch (const stages::WriteError&) {
      if (!complete()) throw;
      unsaved_ = std::current_exception();  // the result may still get somewhere
    }
  }

  // Where the run is.
  std::size_t epoch_under_way() const { return result_.epochs.size() + 1; }
  std::size_t rows_done() const { return static_cast<std::size_t>(sums_["count"]); }  // of it
  std::size_t steps_of(std::size_t rows) const { return (rows + o_.batch_size - 1) / o_.batch_size; }
  std::size_t steps_done() const { return steps_of(rows_done()); }
  std::string place() const {
    if (rows_done() > 0)
      return fmt::format("after step {} of {} in epoch {} of {}", steps_done(), steps_of(data().train),
                         epoch_under_way(), o_.epochs);
    if (result_.epochs.empty()) return "before the first step";
    return fmt::format("after epoch {} of {}", result_.epochs.size(), o_.epochs);
  }

  std::vector<Graph*> graphs() {
    if (!training_) return {&loading_.graph()};
    return {&loading_.graph(), &training_->graph(), &evaluation_->graph()};
  }
  std::vector<GraphStats> counted() {
    if (!training_) return {loading_.graph().stats()};
    return {loaded_, training_->graph().stats(), evaluation_->graph().stats()};
  }
  void look_back() {
    result_.total = since(begin_);
    apps::look_back(o_, {.files = files_,
                         .data = data(),
                         .result = result_,
                         .threads = threads_,
                         .style = style_,
                         .outcome = outcome_,
                         .trace = trace_ ? &*trace_ : nullptr,
                         .graphs = graphs(),
                         .counted = counted(),
                         .class_names = names_,
                         .weights = training_ ? training_->weights() : stages::Weights{}});
  }

  std::string interrupted() const { return "interrupted " + (training_ ? place() : "while loading"); }
  std::string how_to_go_on() const {
    if (o_.checkpoint.empty()) return "";
    if (!training_) return checkpoints_.resumes() ? fmt::format("; {} is as it was", checkpoints_.path()) : "";
    return fmt::format(
        "; saved in {}: {}", o_.checkpoint,
        o_.resume == "no" ? "to go on, the same command without --resume" : "the same command goes on from there");
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
  stages::Metadata about_;      // stored with the model
  std::string outcome_;         // why it ended early
  std::exception_ptr unsaved_;  // why the last checkpoint could not be written
  std::exception_ptr unsaid_;   // why the result could not
  std::optional<Progress> progress_;
  Checkpointing checkpoints_{o_};
  stages::Model resumed_model_;  // that it begins with
  stages::Metadata resumed_about_;
  stages::Accumulator sums_ = stages::Accumulate{}.sums;  // over the rows of the epoch under way that are done
  double seconds_ = 0;                                    // that they took
  stages::Weights epoch_beginning_;                       // at the first of them
  bool sound_ = true;                                     // they are known to be what the files should hold
  Result result_;
  GraphStats loaded_;  // of the loading graph: to override stages for training begins its counts anew
};

}  // namespace

int train(const Options& o) {
  const stages::DataFiles files = stages::find_data_files(o.files);
  check_outputs(o, files);
  Job job(o, files);
  if (!o.dump_flags) return job.run();
  JobData data;  // as far as a look tells, which takes nothing from a pipe
  if (!waits(files.train_images)) {
    const Images images = look_at(files.train_images, o.classes);
    data = {.shape = images.shape, .train = images.count};
  }
  data.shape.classes = o.classes;
  write_to_stdout(repeating_command(o, files, data) + "\n");
  return 0;
}

}  // namespace sluice::apps
