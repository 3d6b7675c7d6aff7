// sluice train: the story of a run. Load, or with --stream only look; go on from a checkpoint, or begin; for each epoch
// train, test, save, tell; then the result, and what there is to look at.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <sluice/pipeline/trace.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/kernels/table.hpp>
#include <sluice/stages/model_file.hpp>
#include <sluice/stages/optimizer.hpp>
#include <sluice/stages/scale.hpp>
#include "apps/commands/commands.hpp"
#include "apps/commands/load_data.hpp"
#include "apps/flags/overrides.hpp"
#include "apps/flags/repeat.hpp"
#include "apps/job/checkpointing.hpp"
#include "apps/job/chosen_data.hpp"
#include "apps/job/class_names.hpp"
#include "apps/job/data_preparation.hpp"
#include "apps/job/epoch_runner.hpp"
#include "apps/job/evaluation.hpp"
#include "apps/job/input.hpp"
#include "apps/job/outputs.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/state.hpp"
#include "apps/job/stored_model.hpp"
#include "apps/job/training.hpp"
#include "apps/job/transform.hpp"
#include "apps/job/usage_error.hpp"
#include "apps/ranks/host_copy.hpp"
#include "apps/ranks/ranks.hpp"
#include "apps/ranks/summary.hpp"
#include "apps/report/observations.hpp"
#include "apps/report/progress.hpp"
#include "apps/report/result.hpp"
#include "apps/terminal/interrupt.hpp"
#include "apps/terminal/log.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {
namespace {

// The graphs of a run; training and evaluation are there as soon as the data are.
struct Graphs {
  stages::Peers* const peers;  // nullptr: this process is alone
  std::optional<Trace> trace;  // before the graphs
  std::chrono::steady_clock::time_point trace_begin{};
  const DecodedCount loaded = std::make_shared<stages::DecodedBytes>();
  const std::unique_ptr<DataPreparation> preparation;
  GraphStats preparation_counts{};  // kept: to override stages for training begins them anew
  std::optional<Evaluation> evaluation{}, validation{};
  std::optional<Training> training{};  // last: where it is, all are

  Graphs(const Options& o, const stages::DataFiles& files, const Threads& threads, int wake, stages::Peers* others)
      : peers(others), preparation(data_preparation(o.stream, files, settings(o, wake, loaded), threads)) {
    const JobData to_come = data_to_come(o.stream, files, data_settings(o));
    Training without_data(to_come.train, with_peers(training_settings(o, 0)), threads, {});
    Evaluation with_none(to_come.test, threads, "evaluate", peers);
    // Before the data, which takes longer, are loaded.
    override_stages(o, {&preparation->graph(), &without_data.graph(), &with_none.graph()});
    if (o.trace.empty()) return;
    trace_begin = std::chrono::steady_clock::now();
    preparation->graph().set_trace(&trace.emplace(o.trace_steps));
  }

  void add(const Options& o, const JobData& data, const Threads& threads, const stages::Weights& initial) {
    preparation_counts = preparation->graph().stats();
    evaluation.emplace(data.test, threads, "evaluate", peers);
    if (data.validation.count) validation.emplace(data.validation, threads, "validate", peers);
    training.emplace(data.train, with_peers(settings_of(o, data)), threads, initial);
    override_stages(o, all());
    if (trace)
      for (Graph* g : of_epochs()) g->set_trace(&*trace);
  }

  // Those that are run in every epoch.
  std::vector<Graph*> of_epochs() {
    if (!training) return {};
    std::vector<Graph*> graphs{&training->graph(), &evaluation->graph()};
    if (validation) graphs.push_back(&validation->graph());
    return graphs;
  }
  std::vector<Graph*> all() {
    std::vector<Graph*> graphs = of_epochs();
    graphs.insert(graphs.begin(), &preparation->graph());
    return graphs;
  }
  std::vector<GraphStats> counted() {
    if (!training) return {preparation->graph().stats()};
    std::vector<GraphStats> counts{preparation_counts};
    for (Graph* g : of_epochs()) counts.push_back(g->stats());
    return counts;
  }

 private:
  TrainingSettings with_peers(TrainingSettings settings) const {
    settings.set_peers(peers);
    return settings;
  }
  static DataSettings settings(const Options& o, int wake, const DecodedCount& loaded) {
    DataSettings all = data_settings(o);
    all.read.wake = wake;
    all.read.decoded = loaded;
    return all;
  }
};

void go_on(RunState& state, Checkpointing& checkpoints, const JobData& data, const LogStyle& style, bool quiet,
           bool epochs_decide) {
  TrainingState& s = state.training;
  s = checkpoints.go_on(data);
  const bool within = s.rows() > 0;
  const std::string& path = checkpoints.path();
  state.resumed = {.from = path,
                   .epoch = within ? s.epoch() : s.epochs.size(),
                   .step = within             ? state.steps()
                           : s.epochs.empty() ? 0
                                              : state.plan.steps(state.plan.train_images),
                   .epochs = s.epochs.size()};
  if (!checkpoints.trouble().empty()) say_warning(style, checkpoints.trouble() + "; the version before is used");
  if (checkpoints.epoch_begins_again())
    say_warning(style,
                fmt::format("the training set may have been written since {}: epoch {} begins again", path, s.epoch()));
  if (quiet) return;
  const char* const more = state.out_of_patience() ? ", out of patience: more --patience would go on from there"
                           : epochs_decide         ? ""
                                                   : ": more --epochs would go on from there";
  say_message(style, state.complete() ? fmt::format("{}: this job is finished{}", path, more)
                                      : fmt::format("going on from {}: {}", path, state.place()));
}

// Debian keeps it in such a folder, and so does everybody else.
bool is_fashion_mnist(const stages::DataShape& data) {
  return data.classes == 10 && (data.flat ? data.columns == 784 : data.rows == 28 && data.columns == 28) &&
         (data.path.find("fashion") != std::string::npos || data.path.find("Fashion") != std::string::npos);
}

ClassNames names_of_classes(const Options& o, const Checkpointing& checkpoints, const JobData& data) {
  const stages::DataShape& shape = data.train.shape;
  const stages::Metadata& stored = checkpoints.resumes() ? checkpoints.about() : stages::Metadata{};
  return find_class_names(o.class_names, stored, checkpoints.resumes() ? checkpoints.path() : "", shape.classes,
                          is_fashion_mnist(shape), data.table.words);
}

// What is kept with weights that were trained on these data, for whoever uses them.
stages::Metadata about_model(const Options& o, const stages::DataFiles& files, const JobData& data,
                             const ClassNames& names) {
  stages::Metadata about{{"sluice.command", command_to_store(o, files, data)},
                         {"sluice.data", known_by(o, data).dump()}};
  if (names.known) about[class_names_key] = names_to_store(names.names);
  if (!data.table.words.empty()) about[label_words_key] = names_to_store(data.table.words);
  if (!data.table.features.empty()) about[features_key] = names_to_store(data.table.features);
  if (data.table.bytes) about[text_key] = text_of_bytes;
  return about;
}

// Rows of the epoch that is about to begin that are done, whenever somebody asks.
std::function<std::size_t()> rows_done(Training& training, const RunState& state) {
  const auto steps = [&training] { return training.graph().stats().stage("accumulate").items; };
  return [steps, before = steps(), rows = state.training.rows(), plan = state.plan] {
    return plan.rows_after(rows, static_cast<std::size_t>(steps() - before));
  };
}

// The command line that repeats the run, as far as a look tells, which takes nothing from a pipe.
std::string flags_to_dump(const Options& o, const stages::DataFiles& files) {
  JobData data;
  if (!waits(files.train_images)) {
    const ImagesHeader images = images_header(files.train_images, o.classes, data_settings(o));
    data.train = LabelledSet(images.shape, images.count());
    data.train.one_file = files.train_images.is_table();
  }
  data.train.shape.classes = o.classes;
  return repeating_command(o, files, data);
}

// Of several processes, the first one says what all of them have to say.
LogStyle style_of(const Options& o) {
  LogStyle style = log_style(o.progress, o.quiet, o.log_format);
  style.silent = !o.writes();
  return style;
}

// One run, part after part of its story.
class Run {
 public:
  Run(const Options& options, const stages::DataFiles& files, Interrupt& interrupt, Ranks* ranks)
      : o_(options),
        files_(files),
        interrupt_(interrupt),
        ranks_(ranks),
        threads_(o_.effective_threads()),
        graphs_(o_, files_, threads_, interrupt_.wake(), ranks ? &ranks->peers() : nullptr),
        checkpoints_(o_),
        until_here_(interrupt_) {}

  void say_what_was_found() const {
    for (const std::string& note : files_.notes)
      if (!o_.quiet) say_message(style_, note);
  }

  void load() {
    checkpoints_.find();
    if (checkpoints_.replaces() && !o_.quiet)
      say_message(style_, fmt::format("beginning anew: what is in {} will be replaced", o_.checkpoint));
    if (const JobData* ready = ranks_ && !o_.stream ? load_beside_others() : load_alone())
      data_ = &chosen_.emplace(o_, *ready).data();
    state_.seconds.load = seconds_since(begin_);
    state_.plan = plan_of(o_, *data_, threads_.count());
  }

  // false: a signal came first.
  bool has_data() const { return chosen_.has_value(); }

  void go_on_or_begin() {
    if (ranks_) {
      const Agreement all = agreed(checkpoints_.would_begin_again(*data_) ? "begins again" : "");
      if (all.signal) return;
      checkpoints_.decide(!all.notes.front().empty());
    }
    if (!o_.quiet)
      for (const std::string& note : data_->table.notes) say_message(style_, note);
    if (checkpoints_.resumes())
      go_on(state_, checkpoints_, *data_, style_, o_.quiet, o_.epochs_decide());
    else
      state_.training.weights = initial_weights(o_, *data_);
    if (interrupt_.signal()) return;
    names_ = names_of_classes(o_, checkpoints_, *data_);
    about_ = about_model(o_, files_, *data_, names_);
    graphs_.add(o_, *data_, threads_, state_.training.weights);
    interrupt_.then([this] {
      // Of several processes, all end behind the same step.
      if (ranks_) return graphs_.training->wish(interrupt_.signal());
      for (Graph* g : graphs_.of_epochs()) g->cancel();
    });
    progress_.emplace(style_, state_);
    if (o_.writes()) interrupt_.when_asked([this] { progress_->status(); });
    if (const std::string constant = constant_in_words(data_->transform); !constant.empty() && !o_.quiet)
      say_message(style_, constant);
    if (const std::string before = o_.lanes > 1 ? read_before_lanes(data_->train, {o_.lanes, o_.rank, o_.ranks}) : "";
        !before.empty() && !o_.quiet)
      say_message(style_, before);
    if (const std::string empty = classes_without_rows(); !empty.empty()) progress_->warning(empty);
    const std::size_t blocks = (o_.batch_size + kernels::row_block - 1) / kernels::row_block;
    if (o_.lanes == 1 && blocks < o_.ranks)
      progress_->warning(fmt::format(
          "--batch-size {}: is {} of {} rows, so that {} of the {} processes have nothing to do: {} or more",
          o_.batch_size, blocks == 1 ? "one row block" : fmt::format("{} row blocks", blocks), kernels::row_block,
          o_.ranks - blocks, o_.ranks, (o_.ranks - 1) * kernels::row_block + 1));
    if (o_.batch_size > data_->train.count)
      progress_->warning(fmt::format("--batch-size {}: there are only {} images, so that an epoch is one step",
                                     o_.batch_size, data_->train.count));
    checkpoints_.begin(*data_, about_, [this] { progress_->saved(o_.checkpoint, state_); });
  }
  bool trains() const { return graphs_.training.has_value() && !ended_before_; }

  // Epoch after epoch: train, test, save, tell; and the model of the last.
  void epochs() {
    EpochRunner epoch({*graphs_.training, *graphs_.evaluation, graphs_.validation ? &*graphs_.validation : nullptr},
                      *data_, o_.lr, checkpoints_, state_);
    try {
      while (!state_.complete() && !signal()) {
        progress_->epoch_begins(state_.training.epoch(), rows_done(*graphs_.training, state_));
        epoch.train();
        agreed_signal_ = graphs_.training->wished();
        if (signal() || !epoch.test()) break;
        if (state_.complete() || checkpoints_.due_after(state_.training.epochs.size())) checkpoints_.save(state_);
        checkpoints_.keep_pieces();
        progress_->epoch_ends(state_.training.epochs.back());
      }
      checkpoints_.save(state_);
    } catch (const std::exception& error) {
      progress_->fails(state_, error.what());
      throw;
    }
    if (state_.complete()) warn_of_a_loss_that_rose();
    progress_->ends(state_, signal() != 0);
    if (!state_.complete()) return;
    const stages::Weights result = state_.training.result();
    state_.weights_sha256 = stages::weights_sha256(*result);
    if (!checkpoints_.failed()) state_.checkpoint = o_.checkpoint;
    if (!o_.output.empty() && o_.writes()) stages::save_model(o_.output, stages::averaged(*result), about_);
  }

  // A signal that comes late changes nothing where there is a result. One that comes before the weights of a checkpoint
  // that is complete are there does.
  bool interrupted() const { return !trains() || !state_.complete(); }

  // Of several processes, behind the last step: what each has done, on the first.
  void bring_together() {
    if (!ranks_) return;
    RankSummary mine{.threads = threads_.count(), .peak_bytes = peak_rss_bytes()};
    if (const auto& decoded = data_->train.decoded) mine.decoded_bytes = decoded->all;
    if (trains()) {
      const stages::ExchangeState& exchange = graphs_.training->exchange();
      mine.steps = exchange.steps, mine.steps_by_slices = exchange.steps_by_slices;
      mine.bytes_sent = exchange.bytes;
      mine.waited = static_cast<double>(exchange.nanoseconds) * 1e-9;
      mine.training = graphs_.training->graph().stats().wall;
    }
    if (o_.profile && !ranks_->first())
      mine.profile = profile_of(style_of_events(), graphs_.counted(), ranks_->name(ranks_->rank()));
    // Behind a signal a launcher waits for two seconds at most: the first one's own trace has to do.
    const bool trace = graphs_.trace && !signal();
    if (trace) {
      std::ostringstream text;
      graphs_.trace->write(text);
      mine.trace = text.str();
      mine.trace_begin = std::chrono::nanoseconds(graphs_.trace_begin.time_since_epoch()).count();
    }
    all_ranks_ = gather(*ranks_, mine);
    if (!trace) return;
    const auto offsets = clock_offsets(*ranks_);
    if (ranks_->first()) trace_of_all_ = merged_trace(all_ranks_, *ranks_, offsets);
  }

  int tell_of_signal() {
    state_.outcome = "interrupted " + (trains() ? state_.place() : "while loading");
    if (!ranks_) observe();  // behind which the line stands last, where nobody is about to kill this
    say_message(style_, state_.outcome + (o_.output.empty() ? "" : "; no model was written") +
                            checkpoints_.way_to_go_on(trains()));
    if (ranks_) observe();
    return 128 + signal();
  }

  // Of several processes: what has to be the same in all.
  nlohmann::ordered_json facts() const {
    nlohmann::ordered_json all = job_of(o_, *data_);
    all["training images"] = data_->train.count;
    all["test images"] = data_->test.count;
    all["going on from"] = checkpoints_.resumes() ? "a checkpoint " + state_.place() : "the beginning";
    if (trains()) all["the weights"] = "of sha256 " + stages::weights_sha256(*state_.training.weights);
    return all;
  }
  // What they agreed on. false: they end.
  bool begins_with_all() {
    if (!ranks_) return true;
    if (agreed_signal_) return false;
    const Agreement all = ranks_->agree({.facts = facts(), .signal = interrupt_.signal()});
    if (!all.text.empty()) throw Disagreement(all);
    agreed_signal_ = all.signal;
    ended_before_ = all.signal != 0;
    return !ended_before_;
  }

  void tell_of(const std::exception& error) {
    state_.outcome = error.what();
    try {
      observe();
    } catch (const std::exception&) {  // what happened first is what is said
    }
  }

  // The result comes first: what is written behind it may fail, and whether this fails is to keep no other from being
  // written.
  void tell_result() {
    if (!o_.writes()) return;
    state_.seconds.total = seconds_since(begin_);
    std::exception_ptr unsaid;
    try {
      if (o_.json)
        write_json_to_stdout(result_json());
      else
        write_to_stdout(to_text(o_, *data_, state_, processes()));
    } catch (const stages::WriteError&) {
      unsaid = std::current_exception();
    }
    observe();
    for (const std::exception_ptr& failed : {checkpoints_.failed(), unsaid})
      if (failed) std::rethrow_exception(failed);
  }

 private:
  // Of a process that says nothing itself: as the first one would.
  LogStyle style_of_events() const {
    LogStyle style = style_;
    if (o_.log_format == "jsonl") style.form = LogStyle::Form::jsonl;
    return style;
  }
  // What every process comes to in the same order, whatever happens to it: behind a signal of any all end.
  Agreement agreed(const std::string& note) {
    Agreement all = ranks_->agree({.signal = interrupt_.signal(), .note = note}, Ranks::Then::more);
    if (!all.text.empty()) throw Disagreement(all);
    agreed_signal_ = all.signal;
    return all;
  }
  static constexpr const char* one_copy_of = "one copy of ";

  const JobData* load_alone() { return load_data(*graphs_.preparation, graphs_.loaded, interrupt_, style_, begin_); }
  // Of the processes of a host, one may load for all of them. Every process comes to the same agreements, whatever its
  // host does.
  const JobData* load_beside_others() {
    const std::size_t first = ranks_->local_first();
    const bool is_first = ranks_->rank() == first;
    // Whoever sees another's copy has to have named the same files.
    FileStamps stamps;
    for (const stages::InputFiles& input : files_.all())
      for (const std::string& path : input.paths()) stamps.add(path);
    const std::string files = stamps.lasting();
    const Agreement wish = agreed((is_first && wants_one_copy() ? one_copy_of : "") + files);
    if (wish.signal) return nullptr;
    const auto wants = [](const std::string& note) { return note.starts_with(one_copy_of); };
    const bool any = std::any_of(wish.notes.begin(), wish.notes.end(), wants);
    const bool one_copy = wants(wish.notes[first]);
    if (one_copy && wish.notes[first] != one_copy_of + files)
      throw stages::DataError(
          fmt::format("--one-copy {}: names other files than {}", o_.one_copy, ranks_->name(first)));
    const JobData* const own = one_copy && !is_first ? nullptr : load_alone();
    if (!any) return own;
    const Agreement offers = agreed(one_copy && own ? copy_.offer(*own) : "");
    if (offers.signal) return nullptr;
    if (!one_copy) return own;
    if (own) graphs_.preparation->release();
    return &copy_.take(offers.notes[first]);
  }
  // How many bytes a table has is not known before it is read.
  bool wants_one_copy() const {
    if (o_.one_copy != "auto") return o_.one_copy == "yes";
    if (ranks_->local_ranks() < 2 || waits(files_.train_images) || files_.train_images.is_table()) return false;
    const ImagesHeader images = images_header(files_.train_images, o_.classes, data_settings(o_));
    return images.count() * images.shape.image_bytes() * ranks_->local_ranks() > free_memory() / 2;
  }

  // Who guesses has a loss of log(classes), and so has the model that training begins with, nearly.
  void warn_of_a_loss_that_rose() {
    const double guessed = std::log(static_cast<double>(data_->train.shape.classes));
    const double loss = state_.training.epochs.back().train.loss;
    if (!(loss > 1.1 * guessed)) return;
    const std::string pixels =
        o_.standardize
            ? "the steps too large"
            : fmt::format("the pixels too large (--scale, now {}{}; --standardize finds it for each), or the steps",
                          stages::scale_text(state_.training.weights->divisor), largest_pixel_in_words());
    progress_->warning(
        fmt::format("the loss of the last epoch, {:.4g}, is above the {:.4g} of a model that guesses, and training "
                    "began there: are {} (--lr, now {})?",
                    loss, guessed, pixels, o_.lr));
  }

  // Where nobody said how many there are, labels that begin with 1 make one too many.
  std::string classes_without_rows() const {
    const stages::DataSet* const held = data_->train.in_memory;
    if (!held || o_.classes || !data_->table.words.empty()) return "";
    std::vector<bool> seen(held->classes);
    for (const std::uint16_t label : held->labels) seen[label] = true;
    const auto first = std::find(seen.begin(), seen.end(), false) - seen.begin();
    const auto empty = std::count(seen.begin(), seen.end(), false);
    if (empty == 0) return "";
    return fmt::format("{} of the {} classes {} no row to train on, the first of them {}{}", empty, held->classes,
                       empty == 1 ? "has" : "have", first, first == 0 ? ": do the labels begin with 1?" : "");
  }

  std::string largest_pixel_in_words() const {
    const stages::DataSet* const held = data_->train.in_memory;
    return held ? fmt::format(", with values up to {}", stages::largest_value(*held)) : "";
  }

  // That ended the run, or is about to; of several processes that of all.
  int signal() const { return ranks_ ? agreed_signal_ : interrupt_.signal(); }

  // Report, picture, trace, profile: whatever there is to look at, however the run ended.
  void observe() {
    if (!o_.writes()) return;
    state_.seconds.total = seconds_since(begin_);
    write_observations(o_, {.files = files_,
                            .data = *data_,
                            .state = state_,
                            .threads = threads_,
                            .style = style_,
                            .command = repeating_command(o_, files_, *data_),
                            .trace = graphs_.trace ? &*graphs_.trace : nullptr,
                            .graphs = graphs_.all(),
                            .counted = graphs_.counted(),
                            .class_names = names_.names,
                            .weights = trains() ? state_.training.result() : stages::Weights{},
                            .trace_of_all = trace_of_all_,
                            .processes = processes(),
                            .profiles_of_others = profiles_of_others(),
                            .slowest = all_ranks_.empty() ? "" : slowest_in_words(all_ranks_, *ranks_)});
  }

  // In words; empty: there is one.
  std::string processes() const { return all_ranks_.empty() ? "" : in_words(all_ranks_, *ranks_); }

  nlohmann::ordered_json result_json() {
    nlohmann::ordered_json all = to_json(o_, files_, *data_, state_, graphs_.counted());
    if (!all_ranks_.empty()) all["processes"] = to_json(all_ranks_, *ranks_);
    return all;
  }
  std::string profiles_of_others() const {
    std::string text;
    for (const RankSummary& one : all_ranks_) text += one.profile;
    return text;
  }

  const Options& o_;
  const stages::DataFiles& files_;
  Interrupt& interrupt_;
  Ranks* const ranks_;
  int agreed_signal_ = 0;
  bool ended_before_ = false;           // the processes, before the first step
  std::vector<RankSummary> all_ranks_;  // when it is over, on the first
  std::string trace_of_all_;
  const Clock::time_point begin_ = Clock::now();
  const LogStyle style_ = style_of(o_);
  const Threads threads_;
  Graphs graphs_;

  const JobData nothing_yet_{};
  HostCopy copy_;
  std::optional<ChosenData> chosen_;
  const JobData* data_ = &nothing_yet_;
  ClassNames names_;
  stages::Metadata about_;  // stored with checkpoints and model
  RunState state_;
  Checkpointing checkpoints_;
  std::optional<Progress> progress_;
  const Interrupt::Scope until_here_;  // last: nobody asks a graph that is gone
};

// What has to be the same before it is known what is read; the order of all agreements to come hangs on it. The signal
// that came to one of them, 0: none did.
int agree_on_flags(const Options& o, Ranks& ranks, Interrupt& interrupt) {
  nlohmann::ordered_json all = job_of(o);
  for (const auto& [flag, value] : {std::pair("--epochs", o.epochs), {"--patience", o.patience}}) all[flag] = value;
  all["--exchange"] = o.exchange, all["--best-by"] = o.best_by, all["--one-copy"] = o.one_copy;
  for (const auto& [flag, given] : {std::pair("--trace", !o.trace.empty()), {"--dump-flags", o.dump_flags}})
    all[flag] = given ? "given" : "not given";
  const Agreement agreed = ranks.agree({.facts = all, .signal = interrupt.signal()}, Ranks::Then::more);
  if (!agreed.text.empty()) throw Disagreement(agreed);
  return agreed.signal;
}

}  // namespace

int train(const Options& o, Ranks* ranks) {
  // Before the threads, and before there is a file that could be left behind.
  Interrupt interrupt(o.told_of_time ? Interrupt::FromParent::announces_the_end : Interrupt::FromParent::asks);
  const stages::DataFiles files = stages::find_data_files(data_wanted(o));
  if (o.writes()) check_outputs(o, files);
  check_flags_of_formats(o, files.all());
  for (const stages::InputFiles& input : files.all())
    if (ranks && waits(input))
      throw UsageError(
          fmt::format("{}: is no regular file, which only one process can read: name a file", input.name()));
  if (const int signal = ranks ? agree_on_flags(o, *ranks, interrupt) : 0) {
    say_message(style_of(o), "interrupted before the data were loaded");
    return 128 + signal;
  }
  Run run(o, files, interrupt, ranks);
  if (o.dump_flags) {
    if (o.writes()) write_to_stdout(flags_to_dump(o, files) + "\n");
    return 0;
  }
  run.say_what_was_found();
  try {
    run.load();
    if (run.has_data() && (ranks || !interrupt.signal())) run.go_on_or_begin();
    if (run.begins_with_all() && run.trains()) run.epochs();
  } catch (const UsageError&) {
    throw;
  } catch (const Disagreement&) {
    throw;
  } catch (const std::exception& error) {
    run.tell_of(error);
    throw;
  }
  run.bring_together();
  if (run.interrupted()) return run.tell_of_signal();
  run.tell_result();
  return 0;
}

}  // namespace sluice::apps
