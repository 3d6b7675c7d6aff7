#include "apps/job/settings.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "apps/job/usage_error.hpp"

namespace sluice::apps {

void check_index_folder(const std::string& folder) {
  std::error_code none;
  if (!folder.empty() && !std::filesystem::is_directory(folder, none))
    throw UsageError(fmt::format("--index-cache {}: is no folder", folder));
}

TrainingSettings training_settings(const Options& o) {
  return {.batch_size = o.batch_size,
          .learning_rate = o.lr,
          .seed = o.seed,
          .shuffle_buffer = o.shuffle_buffer,
          .shards = o.shards,
          .last_epoch = o.epochs,
          .keeps_state = o.keeps_state()};
}

ReadItems read_settings(const Options& o) {
  check_index_folder(o.index_cache);
  return {.decoder = o.effective_decoder() == "libdeflate" ? Decoder::libdeflate : Decoder::zlib,
          .index = {.used = !o.no_index, .folder = o.index_cache}};
}

DataSettings data_settings(const Options& o) {
  return {.classes = o.classes,
          .standardize = o.standardize,
          .digests = o.keeps_checkpoints() || !o.output.empty(),
          .read = read_settings(o)};
}

}  // namespace sluice::apps
