#include "apps/result.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>
#include <utility>

#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/scale.hpp>
#include "apps/profile.hpp"

namespace sluice::apps {

using nlohmann::ordered_json;

std::size_t peak_rss_bytes() {
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
                      {"scale", stages::scale_text(o.effective_divisor(data.train.shape.stored))},
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
                      {"stream", o.stream},
                      {"output", o.output},
                      {"checkpoint", o.checkpoint},
                      {"checkpoint_every", o.checkpoint_every},
                      {"resume", o.resume}};
  if (o.stream) all["shuffle_buffer"] = o.effective_shuffle_buffer(data.train.shape.image_bytes(), data.train.count);
  return all;
}

ordered_json to_json(const Options& o, const stages::DataFiles& files, const JobData& data, const Result& r,
                     const std::vector<GraphStats>& profiles) {
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
                       {"options", effective(o, files, data)},
                       {"data",
                        {{"train", data.train.count},
                         {"test", data.test.count},
                         {"rows", data.train.shape.rows},
                         {"columns", data.train.shape.columns},
                         {"classes", data.train.shape.classes}}},
                       {"epochs", epochs},
                       {"train_loss", last.train.loss},
                       {"train_accuracy", last.train.accuracy},
                       {"test_loss", last.test.loss},
                       {"test_accuracy", last.test.accuracy},
                       {"seconds", {{"load", r.load}, {"train", r.train}, {"eval", r.eval}, {"total", r.total}}},
                       {"peak_rss_bytes", peak_rss_bytes()},
                       {"weights_sha256", r.sha256}};
  if (!r.resumed_from.empty())
    json["resumed"] = {{"from", r.resumed_from}, {"epoch", r.resumed_epoch}, {"step", r.resumed_step}};
  if (o.profile) {
    ordered_json graphs = ordered_json::array();
    for (const GraphStats& stats : profiles) graphs.push_back(to_json(stats));
    json["profile"] = std::move(graphs);
  }
  return json;
}

std::string to_text(const Options& o, const JobData& data, const Result& r) {
  const Epoch& last = r.epochs.back();
  std::string text = fmt::format("train loss {:.4f}, train accuracy {:.4f}, test loss {:.4f}, test accuracy {:.4f}\n",
                                 last.train.loss, last.train.accuracy, last.test.loss, last.test.accuracy);
  text += fmt::format(
      "{} epoch{}{} over {} images ({} x {}, {} classes) in {:.3f} s: load {:.3f}, train {:.3f}, test {:.3f}; at most "
      "{:.1f} MiB\n",
      r.epochs.size(), r.epochs.size() == 1 ? "" : "s",
      r.resumed_epochs ? fmt::format(", {} of them in earlier runs,", r.resumed_epochs) : "", data.train.count,
      data.train.shape.rows, data.train.shape.columns, data.train.shape.classes, r.total, r.load, r.train, r.eval,
      static_cast<double>(peak_rss_bytes()) / (1024 * 1024));
  text += fmt::format("weights sha256 {}\n", r.sha256);
  if (!o.output.empty()) text += fmt::format("model in {}\n", o.output);
  if (!r.checkpoint.empty()) text += fmt::format("checkpoint in {}\n", r.checkpoint);
  return text;
}

}  // namespace sluice::apps
