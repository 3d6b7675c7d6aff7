#include "apps/job/settings.hpp"

namespace sluice::apps {

TrainingSettings training_settings(const Options& o) {
  return {.batch_size = o.batch_size,
          .learning_rate = o.lr,
          .seed = o.seed,
          .shuffle_buffer = o.shuffle_buffer,
          .shards = o.shards,
          .last_epoch = o.epochs,
          .keeps_state = o.keeps_state()};
}

DataSettings data_settings(const Options& o) {
  return {.classes = o.classes,
          .digests = o.keeps_checkpoints(),
          .read = {.decoder = o.effective_decoder() == "libdeflate" ? Decoder::libdeflate : Decoder::zlib}};
}

}  // namespace sluice::apps
