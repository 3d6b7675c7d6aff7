// sluice train: load, then epoch after epoch train and test, then the result.
#include <fmt/core.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "apps/commands.hpp"
#include "apps/load.hpp"
#include "apps/training.hpp"
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
                const stages::DataSet& test, const Result& r) {
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
  const ordered_json json = {{"command", "train"},
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

void print_progress(const Epoch& e, std::size_t epochs) {
  say(fmt::format(
      "epoch {}/{}: train loss {:.4f}, accuracy {:.4f}; test loss {:.4f}, accuracy {:.4f}; {:.1f} ms, {:.2f} million "
      "samples/s\n",
      e.number, epochs, e.train.loss, e.train.accuracy, e.test.loss, e.test.accuracy, e.seconds * 1e3, e.rate() / 1e6));
}

// Overrides of stages that the job does not have, by the graphs of a job without data.
void check_overrides(const Options& o, Graph& loading, const Threads& threads) {
  const stages::DataSet none;
  Training training(none, o, threads, {});
  Evaluation evaluation(none, threads);
  override_stages(o, {&loading, &training.graph(), &evaluation.graph()});
}

}  // namespace

int train(const Options& o) {
  const auto begin = Clock::now();
  const stages::DataFiles files = stages::find_data_files(o.files);
  if (!o.output.empty()) {
    for (const std::string& input : {files.train_images, files.train_labels, files.test_images, files.test_labels}) {
      std::error_code ignored;
      if (std::filesystem::equivalent(o.output, input, ignored))
        throw UsageError(fmt::format("--output {}: is the input {}, which it would replace", o.output, input));
    }
    try {
      stages::check_writable(o.output);
    } catch (const stages::WriteError& error) {
      throw UsageError(fmt::format("--output {}", error.what()));
    }
  }
  const Threads threads(o.effective_threads());

  Loading loading(files, o, threads);
  check_overrides(o, loading.graph(), threads);  // before the data, which takes longer, is loaded

  Result result;
  loading.run();
  result.load = since(begin);

  const stages::DataSet& data = loading.train();
  stages::Weights initial;
  initial.renew() = stages::random_model(data.pixels(), data.classes, o.seed);
  Training training(data, o, threads, initial);
  Evaluation evaluation(loading.test(), threads);
  override_stages(o, {&loading.graph(), &training.graph(), &evaluation.graph()});

  for (std::size_t number = 1; number <= o.epochs; ++number) {
    const auto train_begin = Clock::now();
    const Metrics trained = training.run(number);
    const double seconds = since(train_begin);
    if (!std::isfinite(trained.loss))
      throw std::runtime_error(
          fmt::format("epoch {}: the loss is {}, expected a finite number: try a smaller --lr than {}", number,
                      trained.loss, o.lr));
    const auto test_begin = Clock::now();
    const Metrics tested = evaluation.run(training.weights());
    result.eval += since(test_begin);
    result.train += seconds;
    result.epochs.push_back({number, trained, tested, seconds});
    if (!o.quiet) print_progress(result.epochs.back(), o.epochs);
  }

  result.sha256 = stages::weights_sha256(*training.weights());
  if (!o.output.empty()) stages::save_model(o.output, *training.weights(), {});
  result.total = since(begin);
  if (o.json)
    print_json(o, files, data, loading.test(), result);
  else
    print_text(o, data, result);
  return 0;
}

}  // namespace sluice::apps
