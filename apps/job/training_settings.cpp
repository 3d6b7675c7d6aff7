#include "apps/job/training_settings.hpp"

#include <algorithm>

#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/shuffle_buffer.hpp>

namespace sluice::apps {
namespace {

constexpr std::size_t usual_shuffle_bytes = 16 * 1024 * 1024;

}  // namespace

// A shard is at least one row block: more shards than blocks would be empty.
std::size_t shards_of(const TrainingSettings& s, std::size_t threads) {
  if (s.shards) return s.shards;
  const std::size_t blocks = (s.batch_size + kernels::row_block - 1) / kernels::row_block;
  return std::clamp<std::size_t>(blocks, 1, threads);
}

std::size_t shuffle_rows(const TrainingSettings& s, std::size_t image_bytes, std::size_t images) {
  const std::size_t usual = std::max(s.batch_size, usual_shuffle_bytes / stages::ShuffleBuffer::bytes_of(image_bytes));
  return std::clamp<std::size_t>(s.shuffle_buffer ? s.shuffle_buffer : usual, 1, std::max<std::size_t>(1, images));
}

}  // namespace sluice::apps
