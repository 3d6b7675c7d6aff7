// What the graph of a training takes besides the data and the weights to begin with.
//
// Plain values and pure functions. Errors: none.
//
//   const TrainingSettings settings{.batch_size = 64, .optimizer = {.rate = 0.05}};
//   cut_of(settings, data.train.shape, threads.count()).shards
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/exchange.hpp>
#include <sluice/stages/lanes.hpp>
#include <sluice/stages/optimizer.hpp>
#include <sluice/stages/peers.hpp>

namespace sluice::apps {

struct TrainingSettings {
  // With the data and the initial weights, these decide the result:
  std::size_t batch_size = 256;  // rows of a step
  stages::Optimizer optimizer{};
  std::vector<float> class_weights{};  // what the rows of each class count for; empty: one as much as another
  std::uint64_t seed = 0;              // of the order of the rows
  std::size_t shuffle_buffer = 0;      // rows, of a set that stays in its files; 0: what 16 MiB hold, at least a batch
  std::size_t lanes = 1;               // in which a set that stays in its files is read (sluice/stages/lanes.hpp)
  // On these it does not depend:
  std::size_t shards = 0;                                                // of a batch; 0: follow from rows and threads
  std::uint64_t last_epoch = std::numeric_limits<std::uint64_t>::max();  // the order of none behind it is prepared
  // The weights of every step are kept until the next: so that a run that was cancelled, and whoever is called between
  // two steps, has a state to go on from.
  bool keeps_state = false;
  // Of several processes that have rows of every step, with the same settings: this one, and how many they are.
  std::size_t rank = 0, ranks = 1;
  stages::Peers* peers = nullptr;  // how the others are reached; nullptr: there are none
  stages::ExchangeWay exchange = stages::ExchangeWay::automatic;

  void set_peers(stages::Peers* others) {
    peers = others;
    if (peers) rank = peers->rank(), ranks = peers->ranks();
  }
  // Of the lanes, where they are several: those of this process.
  stages::LaneShare share() const { return {.lanes = lanes, .rank = rank, .ranks = ranks}; }
  // Of a step, at most: what this process works on.
  std::size_t own_rows() const;
};

// What they come to.

// A batch, or what this process has of one, is cut so that each thread has as much to do, in shards that are worked
// through forward and gradient while their pixels lie in a core's second-level cache: at most 512 rows or 448 KiB, but
// of no more gradients than a mebibyte a thread. Where it comes in lanes, each lane's rows are cut in as many shards.
struct Cut {
  std::size_t shards = 1;
  std::size_t run = 1;  // neighbouring shards that one thread works through
  // A batch of fewer row blocks than there are threads, and than there are slices, is only scored by shards, of 16 rows
  // and more; its gradient is taken by slices of the pixels, of all rows at once.
  bool gradient_by_slices = false;
};
Cut cut_of(const TrainingSettings& settings, const stages::DataShape& shape, std::size_t threads);
// Rows of a shard, at most.
std::size_t largest_shard(const TrainingSettings& settings, const Cut& cut);
// Rows that as many row blocks have as a step has at most: those of lanes are none of other lanes.
std::size_t block_rows(const TrainingSettings& settings);
// Into which the gradient and the weights are cut, to be added up and updated: one a thread, but none of less than 2
// KiB, nor of less than 16 pixels.
std::size_t slices_of(const stages::DataShape& shape, std::size_t threads);
// Both, and why: one line.
std::string cut_in_words(const TrainingSettings& settings, const stages::DataShape& shape, std::size_t threads);

// Of all lanes together.
std::size_t shuffle_rows(const TrainingSettings& settings, std::size_t image_bytes, std::size_t images);

}  // namespace sluice::apps
