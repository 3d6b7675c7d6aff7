// sluice train: the story of a run. Load, or with --stream only look; go on from a checkpoint, or begin; for each epoch
// train, test, save, tell; then the result, and what there is to look at.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/trace.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/model_file.hpp>
#include "apps/commands/commands.hpp"
#include "apps/flags/overrides.hpp"
#include "apps/flags/repeat.hpp"
#include "apps/job/checkpointing.hpp"
#include "apps/job/class_names.hpp"
#include "apps/job/data_preparation.hpp"
#include "apps/job/epoch_runner.hpp"
#include "apps/job/evaluation.hpp"
#include "apps/job/input.hpp"
#include "apps/job/outputs.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/state.hpp"
#include "apps/job/training.hpp"
#include "apps/job/usage_error.hpp"
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
  std::optional<Trace> trace;  // before the graphs
  const std::unique_ptr<DataPreparation> preparation;
  GraphStats prepared{};  // its counts: to override stages for training begins them anew
  std::optional<Evaluation> evaluation{};
  std::optional<Training> training{};  // last: where it is, all are

  Graphs(const Options& o, const stages::DataFiles& files, const Threads& threads, int wake)
      : preparation(data_preparation(o.stream, files, waking(data_settings(o), wake), threads)) {
    const JobData to_come = data_to_come(o.stream, files);
    Training without_data(to_come.train, training_settings(o), threads, {});
    Evaluation with_none(to_come.test, threads);
    // Before the data, which takes longer, are loaded.
    override_stages(o, {&preparation->graph(), &without_data.graph(), &with_none.graph()});
    if (!o.trace.empty()) preparation->graph().set_trace(&trace.emplace(o.trace_steps));
  }

  void add(const Options& o, const JobData& data, const Threads& threads, const stages::Weights& initial) {
    prepared = preparation->graph().stats();
    evaluation.emplace(data.test, threads);
    training.emplace(data.train, training_settings(o), threads, initial);
    override_stages(o, all());
    if (trace)
      for (Graph* g : {&training->graph(), &evaluation->graph()}) g->set_trace(&*trace);
  }

  std::vector<Graph*> all() {
    if (!training) return {&preparation->graph()};
    return {&preparation->graph(), &training->graph(), &evaluation->graph()};
  }
  std::vector<GraphStats> counted() {
    if (!training) return {preparation->graph().stats()};
    return {prepared, training->graph().stats(), evaluation->graph().stats()};
  }

 private:
  static DataSettings waking(DataSettings settings, int wake) {
    settings.read.wake = wake;
    return settings;
  }
};

// The data; nullptr: a signal came first.
const JobData* prepared(DataPreparation& preparation, Interrupt& interrupt, const LogStyle& style,
                        Clock::time_point begin) {
  const bool drawn = style.form == LogStyle::Form::line;
  if (drawn) say("loading ...");
  interrupt.when_asked([style, begin, drawn] {
    if (drawn) say("\r\x1b[K");
    say_message(style, fmt::format("loading the data, for {:.1f} s so far", seconds_since(begin)));
  });
  interrupt.then([&, drawn] {
    if (drawn) say("\n");
    say_message(style, "interrupted: waiting for what is being decompressed; once more to quit now");
    preparation.graph().cancel();
  });
  const JobData* data = nullptr;
  try {
    data = &preparation.run();
  } catch (const Cancelled&) {
  } catch (const StageError& error) {
    // A pipe that was waited for; or one that ended because the signal ended its writer, too.
    if (!interrupt.signal() || !error.cause_as<stages::DataError>()) throw;
  }
  if (drawn) say("\r\x1b[K");
  interrupt.then({});
  return data;
}

void go_on(RunState& state, Checkpointing& checkpoints, const JobData& data, const LogStyle& style, bool quiet) {
  TrainingState& s = state.training;
  s = checkpoints.go_on(data);
  const bool within = s.rows() > 0;
  const std::string& path = checkpoints.path();
  state.resumed = {.from = path,
                   .epoch = within ? s.epoch() : s.epochs.size(),
                   .step = within ? state.steps() : state.plan.steps(state.plan.train_images),
                   .epochs = s.epochs.size()};
  if (!checkpoints.trouble().empty()) say_warning(style, checkpoints.trouble() + "; the version before is used");
  if (checkpoints.epoch_begins_again())
    say_warning(style,
                fmt::format("the training set may have been written since {}: epoch {} begins again", path, s.epoch()));
  if (quiet) return;
  say_message(style, state.complete()
                         ? fmt::format("{}: this job is finished: more --epochs would go on from there", path)
                         : fmt::format("going on from {}: {}", path, state.place()));
}

stages::Weights initial_weights(const Options& o, const stages::DataShape& shape) {
  stages::Weights initial;
  stages::Model& model = initial.renew();
  model = stages::random_model(shape.pixels(), shape.classes, o.seed);
  model.divisor = o.effective_divisor(shape.stored);
  return initial;
}

// Debian keeps it in such a folder, and so does everybody else.
bool is_fashion_mnist(const stages::DataShape& data) {
  return data.classes == 10 && data.rows == 28 && data.columns == 28 &&
         (data.path.find("fashion") != std::string::npos || data.path.find("Fashion") != std::string::npos);
}

ClassNames names_of_classes(const Options& o, const Checkpointing& checkpoints, const stages::DataShape& data) {
  return checkpoints.resumes() ? find_class_names(o.class_names, checkpoints.about(), checkpoints.path(), data.classes,
                                                  is_fashion_mnist(data))
                               : find_class_names(o.class_names, {}, "", data.classes, is_fashion_mnist(data));
}

// Rows of the epoch that is about to begin that are done, whenever somebody asks.
std::function<std::size_t()> rows_done(Training& training, const RunState& state) {
  const auto steps = [&training] { return training.graph().stats().stage("accumulate").items; };
  return [steps, before = steps(), rows = state.training.rows(), plan = state.plan] {
    return std::min<std::size_t>(plan.train_images, rows + (steps() - before) * plan.batch_size);
  };
}

// The command line that repeats the run, as far as a look tells, which takes nothing from a pipe.
std::string flags_of(const Options& o, const stages::DataFiles& files) {
  JobData data;
  if (!waits(files.train_images)) {
    const ImagesHeader images = images_header(files.train_images, o.classes);
    data.train = LabelledSet(images.shape, images.count);
  }
  data.train.shape.classes = o.classes;
  return repeating_command(o, files, data);
}

}  // namespace

int train(const Options& o) {
  Interrupt interrupt;  // before the threads, and before there is a file that could be left behind
  const stages::DataFiles files = stages::find_data_files(o.files);
  check_outputs(o, files);
  const Clock::time_point begin = Clock::now();
  const LogStyle style = log_style(o.progress, o.quiet, o.log_format);
  const Threads threads(o.effective_threads());
  Graphs graphs(o, files, threads, interrupt.wake());
  if (o.dump_flags) {
    write_to_stdout(flags_of(o, files) + "\n");
    return 0;
  }

  RunState state;
  const JobData nothing_yet;
  const JobData* data = &nothing_yet;
  ClassNames names;
  Checkpointing checkpoints(o);
  std::optional<Progress> progress;
  const Interrupt::Scope until_here(interrupt);  // nobody asks a graph that is gone
  const auto observe = [&] {
    state.seconds.total = seconds_since(begin);
    write_observations(o, {.files = files,
                           .data = *data,
                           .state = state,
                           .threads = threads,
                           .style = style,
                           .command = repeating_command(o, files, *data),
                           .trace = graphs.trace ? &*graphs.trace : nullptr,
                           .graphs = graphs.all(),
                           .counted = graphs.counted(),
                           .class_names = names.names,
                           .weights = graphs.training ? state.training.weights : stages::Weights{}});
  };

  try {
    // Load.
    checkpoints.find();
    if (checkpoints.replaces() && !o.quiet)
      say_message(style, fmt::format("beginning anew: what is in {} will be replaced", o.checkpoint));
    if (const JobData* ready = prepared(*graphs.preparation, interrupt, style, begin)) data = ready;
    state.seconds.load = seconds_since(begin);
    state.plan = {.epochs = o.epochs,
                  .batch_size = o.batch_size,
                  .train_images = data->train.count,
                  .test_images = data->test.count,
                  .threads = threads.count()};

    // Go on from a checkpoint, or begin.
    if (checkpoints.resumes() && !interrupt.signal()) go_on(state, checkpoints, *data, style, o.quiet);
    if (!interrupt.signal()) {
      const stages::DataShape& shape = data->train.shape;
      names = names_of_classes(o, checkpoints, shape);
      stages::Metadata about{{"sluice.command", repeating_command(o, files, *data)}};
      if (names.known) about["sluice.class_names"] = names_to_store(names.names);
      if (!checkpoints.resumes()) state.training.weights = initial_weights(o, shape);
      graphs.add(o, *data, threads, state.training.weights);
      interrupt.then([&] {
        graphs.training->graph().cancel();
        graphs.evaluation->graph().cancel();
      });
      progress.emplace(style, state);
      interrupt.when_asked([&] { progress->status(); });
      if (o.batch_size > data->train.count)
        progress->warning(fmt::format("--batch-size {}: there are only {} images, so that an epoch is one step",
                                      o.batch_size, data->train.count));
      checkpoints.begin(*data, about, [&] { progress->saved(o.checkpoint, state); });
      EpochRunner epoch(*graphs.training, *graphs.evaluation, *data, o.lr, checkpoints, state);

      // Epoch after epoch: train, test, save, tell.
      try {
        while (!state.complete() && !interrupt.signal()) {
          progress->epoch_begins(state.training.epoch(), rows_done(*graphs.training, state));
          epoch.train();
          if (interrupt.signal() || !epoch.test()) break;
          if (state.complete() || checkpoints.due_after(state.training.epochs.size())) checkpoints.save(state);
          progress->epoch_ends(state.training.epochs.back());
        }
      } catch (const std::exception& error) {
        progress->fails(state, error.what());
        throw;
      }
      checkpoints.save(state);
      progress->ends(state, interrupt.signal() != 0);

      if (state.complete()) {
        state.weights_sha256 = stages::weights_sha256(*state.training.weights);
        if (!checkpoints.failed()) state.checkpoint = o.checkpoint;
        if (!o.output.empty()) stages::save_model(o.output, *state.training.weights, about);
      }
    }
  } catch (const UsageError&) {
    throw;
  } catch (const std::exception& error) {
    state.outcome = error.what();
    try {
      observe();
    } catch (const std::exception&) {  // what happened first is what is said
    }
    throw;
  }

  // A signal that comes late changes nothing where there is a result. One that comes before the weights of a checkpoint
  // that is complete are there does.
  if (!graphs.training || !state.complete()) {
    state.outcome = "interrupted " + (graphs.training ? state.place() : "while loading");
    observe();
    say_message(style, state.outcome + (o.output.empty() ? "" : "; no model was written") +
                           checkpoints.way_to_go_on(graphs.training.has_value()));
    return 128 + interrupt.signal();
  }

  // The result comes first: what is written behind it may fail, and whether this fails is to keep no other from being
  // written.
  state.seconds.total = seconds_since(begin);
  std::exception_ptr unsaid;
  try {
    if (o.json)
      write_json_to_stdout(to_json(o, files, *data, state, graphs.counted()));
    else
      write_to_stdout(to_text(o, *data, state));
  } catch (const stages::WriteError&) {
    unsaid = std::current_exception();
  }
  observe();
  for (const std::exception_ptr& failed : {checkpoints.failed(), unsaid})
    if (failed) std::rethrow_exception(failed);
  return 0;
}

}  // namespace sluice::apps
