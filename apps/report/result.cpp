#include "apps/report/result.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/pipeline/printable.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/scale.hpp>
#include "apps/report/profile.hpp"

namespace sluice::apps {

using nlohmann::ordered_json;

// getrusage() has the most of whatever ran under this process's number: also of the program that started this one, if
// it did so by vfork() and exec(), as posix_spawn() does. So it is asked only where there is no /proc.
std::size_t peak_rss_bytes() {
  constexpr std::string_view name = "VmHWM:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name))
      return static_cast<std::size_t>(std::strtoull(line.c_str() + name.size(), nullptr, 10)) * 1024;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

ordered_json effective(const Options& o, const stages::DataFiles& files, const JobData& data) {
  ordered_json all = {{"train_images", files.train_images.name()},
                      {"train_labels", files.train_labels.name()},
                      {"test_images", files.test_images.name()},
                      {"test_labels", files.test_labels.name()},
                      {"classes", data.train.shape.classes},
                      {"scale", stages::scale_text(o.effective_divisor(data.train.shape))},
                      {"standardize", o.standardize},
                      {"epochs", o.epochs},
                      {"batch_size", o.batch_size},
                      {"optimizer", o.optimizer},
                      {"lr", o.lr},
                      {"momentum", o.momentum},
                      {"beta1", o.beta1},
                      {"beta2", o.beta2},
                      {"weight_decay", o.weight_decay},
                      {"schedule", o.schedule},
                      {"warmup", o.warmup},
                      {"average", o.average},
                      {"class_weight", o.class_weight},
                      {"validation", o.validation},
                      {"patience", o.patience},
                      {"keep", o.keep},
                      {"best_by", o.best_by},
                      {"seed", o.seed},
                      {"threads", o.effective_threads()},
                      {"shards", o.effective_shards(data.train.shape)},
                      {"concurrency", o.concurrency},
                      {"capacity", o.capacity},
                      {"isa", kernels::active().name},
                      {"decoder", o.effective_decoder()},
                      {"stream", o.stream},
                      {"output", o.output},
                      {"checkpoint", o.checkpoint},
                      {"checkpoint_every", o.checkpoint_every},
                      {"resume", o.resume}};
  if (o.validates_by_files()) {
    all["validation_images"] = files.validation_images.name();
    all["validation_labels"] = files.validation_labels.name();
  }
  if (o.stream) {
    all["shuffle_buffer"] = o.effective_shuffle_buffer(data.train.shape.image_bytes(), data.train.count);
    all["lanes"] = o.lanes;
  }
  if (o.ranks > 1) {
    all["exchange"] = o.exchange;
    all["one_copy"] = o.one_copy;
  }
  return all;
}

ordered_json to_json(const Options& o, const stages::DataFiles& files, const JobData& data, const RunState& state,
                     const std::vector<GraphStats>& profiles) {
  ordered_json epochs = ordered_json::array();
  for (const Epoch& e : state.training.epochs) {
    epochs.push_back(to_json(e));
    epochs.back()["samples_per_second"] = e.rate();
  }
  const Epoch& last = state.result_epoch();
  ordered_json json = {{"command", "train"},
                       {"options", effective(o, files, data)},
                       {"data",
                        {{"train", data.train.count},
                         {"test", data.test.count},
                         {"planes", data.train.shape.planes},
                         {"rows", data.train.shape.rows},
                         {"columns", data.train.shape.columns},
                         {"classes", data.train.shape.classes}}},
                       {"epochs", epochs},
                       {"train_loss", last.train.loss},
                       {"train_accuracy", last.train.accuracy},
                       {"test_loss", last.test.loss},
                       {"test_accuracy", last.test.accuracy},
                       {"seconds",
                        {{"load", state.seconds.load},
                         {"train", state.seconds.train},
                         {"eval", state.seconds.test},
                         {"total", state.seconds.total}}},
                       {"peak_rss_bytes", peak_rss_bytes()},
                       {"weights_sha256", state.weights_sha256}};
  if (last.validation) {
    json["data"]["validation"] = data.validation.count;
    json["result_epoch"] = last.number;
    json["validation_loss"] = last.validation->loss;
    json["validation_accuracy"] = last.validation->accuracy;
    json["out_of_patience"] = state.out_of_patience();
  }
  if (const auto& resumed = state.resumed)
    json["resumed"] = {{"from", resumed->from}, {"epoch", resumed->epoch}, {"step", resumed->step}};
  if (o.profile) {
    ordered_json graphs = ordered_json::array();
    for (const GraphStats& stats : profiles) graphs.push_back(to_json(stats));
    json["profile"] = std::move(graphs);
  }
  return json;
}

std::string to_text(const Options& o, const JobData& data, const RunState& state, const std::string& processes) {
  const Epoch& last = state.result_epoch();
  const std::size_t epochs = state.training.epochs.size(), earlier = state.resumed ? state.resumed->epochs : 0;
  std::string text = fmt::format("train loss {:.4f}, train accuracy {:.4f}, test loss {:.4f}, test accuracy {:.4f}\n",
                                 last.train.loss, last.train.accuracy, last.test.loss, last.test.accuracy);
  if (last.validation)
    text += fmt::format("validation loss {:.4f}, validation accuracy {:.4f} over {} {}{}{}\n", last.validation->loss,
                        last.validation->accuracy, data.validation.count, o.holds_out() ? "held out" : "rows",
                        state.plan.keeps_best ? fmt::format("; of epoch {}, the best", last.number) : "",
                        state.out_of_patience() ? "; out of patience" : "");
  text += fmt::format(
      "{} epoch{}{} over {} {} ({}, {} classes) in {:.3f} s: load {:.3f}, train {:.3f}, test {:.3f}; at most "
      "{:.1f} MiB\n",
      epochs, epochs == 1 ? "" : "s", earlier ? fmt::format(", {} of them in earlier runs,", earlier) : "",
      data.train.count, data.train.shape.flat ? "rows" : "images", stages::size_text(data.train.shape),
      data.train.shape.classes, state.seconds.total, state.seconds.load, state.seconds.train, state.seconds.test,
      static_cast<double>(peak_rss_bytes()) / (1024 * 1024));
  if (!processes.empty()) text += processes + '\n';
  text += fmt::format("weights sha256 {}\n", state.weights_sha256);
  if (!o.output.empty()) text += fmt::format("model in {}\n", printable(o.output));
  if (!state.checkpoint.empty()) text += fmt::format("checkpoint in {}\n", printable(state.checkpoint));
  return text;
}

}  // namespace sluice::apps
