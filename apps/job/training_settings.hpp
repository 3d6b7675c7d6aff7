// What the graph of a training takes besides the data and the weights to begin with.
//
// Plain values and pure functions. Errors: none.
//
//   const TrainingSettings settings{.batch_size = 64, .learning_rate = 0.05};
//   shards_of(settings, threads.count())
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace sluice::apps {

struct TrainingSettings {
  // With the data and the initial weights, these decide the result:
  std::size_t batch_size = 256;  // rows of a step
  double learning_rate = 0.1;
  std::uint64_t seed = 0;          // of the order of the rows
  std::size_t shuffle_buffer = 0;  // rows, of a set that stays in its files; 0: what 16 MiB hold, at least a batch
  // On these it does not depend:
  std::size_t shards = 0;                                                // of a batch; 0: follow from rows and threads
  std::uint64_t last_epoch = std::numeric_limits<std::uint64_t>::max();  // the order of none behind it is prepared
  // The weights of every step are kept until the next: so that a run that was cancelled, and whoever is called between
  // two steps, has a state to go on from.
  bool keeps_state = false;
};

// What they come to.
std::size_t shards_of(const TrainingSettings& settings, std::size_t threads);
std::size_t shuffle_rows(const TrainingSettings& settings, std::size_t image_bytes, std::size_t images);

}  // namespace sluice::apps
