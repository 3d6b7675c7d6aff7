#include "apps/job/options.hpp"

#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include <sluice/stages/scale.hpp>
#include "apps/job/training_settings.hpp"
#include "apps/job/usage_error.hpp"

namespace sluice::apps {

std::size_t Options::effective_threads() const {
  return threads ? threads : default_threads();
}

std::size_t Options::effective_shards(const stages::DataShape& shape) const {
  return cut_of({.batch_size = batch_size, .lanes = lanes, .shards = shards, .rank = rank, .ranks = ranks}, shape,
                effective_threads())
      .shards;
}

bool Options::names_a_part(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.eE+-/") == std::string::npos && text.front() >= '0' &&
         text.front() <= '9';
}

Options::Every Options::Every::of(const std::string& text) {
  const std::uint64_t number = std::stoull(text);
  return text.ends_with('e') ? Every{.epochs = number} : Every{.steps = number};
}

Options::Every Options::effective_every() const {
  return checkpoint_every.empty() ? Every{.epochs = 1} : Every::of(checkpoint_every);
}

float Options::effective_divisor(const stages::DataShape& shape) const {
  if (!scale.empty()) return stages::divisor_of(scale);
  return shape.divisor.value_or(stages::usual_divisor(shape.stored));
}

std::size_t Options::effective_shuffle_buffer(std::size_t image_bytes, std::size_t images) const {
  return shuffle_rows({.batch_size = batch_size, .shuffle_buffer = shuffle_buffer}, image_bytes, images);
}

std::string Options::effective_decoder() const {
  const bool found = !stages::libdeflate_version().empty();
  if (decoder == "libdeflate" && !found)
    throw UsageError("--decoder libdeflate: this program was built without it: use zlib");
  return decoder == "auto" ? (found ? "libdeflate" : "zlib") : decoder;
}

}  // namespace sluice::apps
