#include "apps/options.hpp"

#include <algorithm>

#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/scale.hpp>
#include <sluice/stages/shuffle_buffer.hpp>
#include "apps/usage_error.hpp"

namespace sluice::apps {

std::size_t Options::effective_threads() const {
  return threads ? threads : default_threads();
}

// A shard is at least one row block: more shards than blocks would be empty.
std::size_t Options::effective_shards() const {
  if (shards) return shards;
  const std::size_t blocks = (batch_size + kernels::row_block - 1) / kernels::row_block;
  return std::clamp<std::size_t>(blocks, 1, effective_threads());
}

Options::Every Options::effective_every() const {
  if (checkpoint_every.empty()) return {.epochs = 1};
  const std::uint64_t number = std::stoull(checkpoint_every);
  return checkpoint_every.ends_with('e') ? Every{.epochs = number} : Every{.steps = number};
}

float Options::effective_divisor(stages::IdxType stored) const {
  return scale.empty() ? stages::usual_divisor(stored) : stages::divisor_of(scale);
}

std::size_t Options::effective_shuffle_buffer(std::size_t image_bytes, std::size_t images) const {
  const std::size_t usual = std::max(batch_size, usual_shuffle_bytes / stages::ShuffleBuffer::bytes_of(image_bytes));
  return std::clamp<std::size_t>(shuffle_buffer ? shuffle_buffer : usual, 1, std::max<std::size_t>(1, images));
}

std::string Options::effective_decoder() const {
  const bool found = !stages::libdeflate_version().empty();
  if (decoder == "libdeflate" && !found)
    throw UsageError("--decoder libdeflate: this program was built without it: use zlib");
  return decoder == "auto" ? (found && !stream ? "libdeflate" : "zlib") : decoder;
}

}  // namespace sluice::apps
