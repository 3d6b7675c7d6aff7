// The part of a graph of training that makes its batches: of a set in memory, or of one that stays in its files, in
// lanes or as a whole.
//
//   batch
//
//   rows.train-images -> pair -> shuffle
//   rows.train-labels -> pair
//
// In lanes (sluice/stages/lanes.hpp), of which this process owns 0 to 2, say, each has a chain of its own
// (rows.train-images.0 -> pair.0 and so on), which reads its rows alone where that can be, and they are joined:
//
//   shuffle.0 -> lanes.1 -> batch.1 -> lanes.2 -> batch.2
//   shuffle.1 -> lanes.1
//   shuffle.2 ------------------------> lanes.2
//
// LabelledSet, settings -> the batches of an epoch, in order. Order and thread-safety: epoch() between runs. Errors:
// std::invalid_argument for more processes than lanes; stages::DataError for a header that cannot be read; those of the
// stages when the graph runs.
//
//   TrainingRows rows;
//   auto batches = rows.wire(g, set, {.batch_size = 256, .lanes = 8});
//   rows.epoch(1), g.run();
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/batcher.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/shuffle_buffer.hpp>
#include "apps/job/job_data.hpp"
#include "apps/job/training_settings.hpp"

namespace sluice::apps {

class TrainingRows {
 public:
  // Once; it stays where it is as long as the graph is there.
  Stream<stages::Batch> wire(Graph& graph, const LabelledSet& set, const TrainingSettings& settings);
  // The next run: the rows of an epoch from its row `first` on, a multiple of the batch size.
  void epoch(std::uint64_t number, std::size_t first);

 private:
  // Of a set without lanes the only one.
  struct Lane {
    stages::ShuffleBuffer shuffle{};
    std::uint64_t begin = 0, rows = 0;  // of the set
    KnownPieces known{}, known_labels{};
  };
  Stream<stages::Batch> wire_lane(Graph& graph, Lane& lane, const LabelledSet& set, const TrainingSettings& settings);
  void need(const Lane& lane, std::optional<stages::ShuffleBuffer::Needed> rows);

  stages::InputFiles images_;       // whose headers are looked at
  std::size_t decoder_memory_ = 0;  // for it
  std::variant<stages::Batcher, std::deque<Lane>> rows_;
};

}  // namespace sluice::apps
