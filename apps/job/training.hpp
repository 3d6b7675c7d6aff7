// The graph of the training job: one run of it is an epoch.
//
// LabelledSet, settings, initial weights -> the weights and the metrics of each epoch. A set in memory is shuffled
// wholly, one that stays in its files within a buffer, while they are decompressed.
// Of several processes, each has its own row blocks of every batch, and after every step the weights of all.
// Order and thread-safety: one run at a time; graph().cancel() and graph().stats() from any thread. Errors: those of
// Graph::run(), and a stages::DataError where images and labels are not as many.
//
//   Training training(set, {.batch_size = 256, .optimizer = {.rate = 0.1}}, threads, initial);
//   const Metrics first = training.run(1), second = training.run(2);
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/accumulate.hpp>
#include <sluice/stages/accumulator.hpp>
#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/exchange.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/model.hpp>
#include "apps/job/job_data.hpp"
#include "apps/job/metrics.hpp"
#include "apps/job/training_rows.hpp"
#include "apps/job/training_settings.hpp"

namespace sluice::apps {

// The weights carry on from run to run.
class Training {
 public:
  Training(const LabelledSet& set, const TrainingSettings& settings, const Threads& threads,
           const stages::Weights& initial);
  Graph& graph() { return graph_; }
  Metrics run(std::uint64_t epoch);
  // The steps of an epoch behind those that `so_far` was summed up over: with the same bits as if the epoch had been
  // one run. between: where the state is kept: called after every step, on a thread of the graph.
  Metrics run(std::uint64_t epoch, const stages::Accumulator& so_far, std::function<void()> between = {});
  // Of several processes: to end after a step, the same in all of them, for this reason (a signal). From any thread.
  void wish(int reason) { exchange_.wish = reason; }
  // That of any of them, after a run; 0: it went to its end.
  int wished() const { return wished_; }
  const stages::ExchangeState& exchange() const { return exchange_; }
  bool has_peers() const { return exchange_.peers != nullptr; }
  // After the same step.
  const stages::Accumulator& sums() const { return metrics_.sums; }
  const stages::Weights& weights() const { return kept_ ? kept_ : weights_.value(); }

 private:
  Feedback<stages::Weights> wire(const LabelledSet& set, const TrainingSettings& settings, const Threads& threads,
                                 const stages::Weights& initial);
  void exchange(const Stream<stages::Scored>& scored, const TrainingSettings& settings, const stages::Limits& batch,
                const stages::Limits& part, Feedback<stages::Weights>& weights, std::size_t slices);
  void accumulate(const Stream<stages::BatchLoss>& loss, const Stream<stages::BatchHits>& hits,
                  const Stream<stages::Weights>& after, bool keeps_state);

  Graph graph_;
  const std::vector<float> class_weights_;
  stages::InputFiles images_, labels_;  // the files that it reads
  TrainingRows rows_;
  stages::Accumulate metrics_;
  stages::Weights kept_;  // after the last step that metrics_ has
  std::function<void()> between_;
  stages::ExchangeState exchange_;
  int wished_ = 0;
  Feedback<stages::Weights> weights_;
};

}  // namespace sluice::apps
