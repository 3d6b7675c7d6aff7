#include "apps/job/training_settings.hpp"

#include <fmt/core.h>

#include <algorithm>

#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/shard.hpp>
#include <sluice/stages/shuffle_buffer.hpp>

namespace sluice::apps {
namespace {

constexpr std::size_t usual_shuffle_bytes = 16 * 1024 * 1024;
constexpr std::size_t most_shard_blocks = 8, most_shard_bytes = 448 * 1024, most_gradient_bytes = 1024 * 1024;
constexpr std::size_t least_slice_bytes = 2048;

std::size_t ceil_div(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}
std::size_t gradient_bytes(const stages::DataShape& shape) {
  return kernels::gradient_size(shape.pixels(), shape.classes) * sizeof(float);
}

std::size_t most_of_lane(const TrainingSettings& s) {
  return stages::Lanes{.batch_size = s.batch_size, .share = s.share()}.most_in_step();
}

// Of this process in a full step.
std::size_t own_blocks(const TrainingSettings& s) {
  if (s.lanes > 1) return s.share().owned() * ceil_div(ceil_div(s.batch_size, s.lanes), kernels::row_block);
  return ceil_div(s.own_rows(), kernels::row_block);
}

std::size_t unit_of(const Cut& cut) {
  return cut.gradient_by_slices ? kernels::lanes : kernels::row_block;
}

// Of several lanes: as many for each as the batch without them would have, or were asked for, rounded up.
Cut cut_of_lanes(const TrainingSettings& s, const stages::DataShape& shape, std::size_t threads) {
  const std::size_t owned = s.share().owned(), blocks = own_blocks(s);
  const TrainingSettings whole{.batch_size = blocks * kernels::row_block, .shards = s.shards};
  Cut cut = cut_of(whole, shape, std::min(threads, blocks));
  const std::size_t each = ceil_div(cut.shards, owned);
  cut.shards = owned * (s.shards ? each : std::min(each, blocks / owned));
  return cut;
}

}  // namespace

std::size_t TrainingSettings::own_rows() const {
  if (lanes > 1) return std::min(batch_size, share().owned() * most_of_lane(*this));
  const std::size_t blocks = ceil_div(batch_size, kernels::row_block);
  return std::min(batch_size, ceil_div(blocks, ranks) * kernels::row_block);
}

Cut cut_of(const TrainingSettings& s, const stages::DataShape& shape, std::size_t threads) {
  if (s.lanes > 1) return cut_of_lanes(s, shape, threads);
  const std::size_t blocks = std::max<std::size_t>(1, ceil_div(s.own_rows(), kernels::row_block));
  const std::size_t workers = std::min(blocks, threads);
  // A shard is at least one row block: more shards than blocks would be empty.
  if (s.shards) return {s.shards, std::max<std::size_t>(1, s.shards / workers)};
  // (Of several processes each has nodes of the tree to bring, which slices are not.)
  if (s.ranks == 1 && threads > blocks && slices_of(shape, threads) > blocks)
    return {std::min(threads, ceil_div(s.batch_size, kernels::lanes)), 1, true};
  const std::size_t block_bytes = std::max<std::size_t>(1, kernels::row_block * shape.image_bytes());
  const std::size_t fit = std::clamp<std::size_t>(most_shard_bytes / block_bytes, 1, most_shard_blocks);
  const std::size_t most =
      std::max<std::size_t>(1, most_gradient_bytes / std::max<std::size_t>(1, gradient_bytes(shape)));
  const std::size_t run = std::min(ceil_div(blocks, workers * fit), most);
  return {std::min(workers * run, blocks), run};
}

std::size_t block_rows(const TrainingSettings& s) {
  if (s.lanes == 1) return s.batch_size;
  return s.lanes * ceil_div(most_of_lane(s), kernels::row_block) * kernels::row_block;
}

std::size_t largest_shard(const TrainingSettings& s, const Cut& cut) {
  if (s.lanes == 1) return stages::shard_rows(s.own_rows(), cut.shards, unit_of(cut));
  return stages::shard_rows(most_of_lane(s), cut.shards / s.share().owned());
}

std::size_t slices_of(const stages::DataShape& shape, std::size_t threads) {
  const std::size_t most =
      std::min(gradient_bytes(shape) / least_slice_bytes, ceil_div(shape.pixels(), kernels::lanes));
  return std::clamp<std::size_t>(most, 1, threads);
}

std::string cut_in_words(const TrainingSettings& s, const stages::DataShape& shape, std::size_t threads) {
  const Cut cut = cut_of(s, shape, threads);
  const std::size_t shards = cut.shards, run = cut.run;
  const bool by_slices = cut.gradient_by_slices;
  const stages::LaneShare share = s.share();
  const std::size_t own = s.own_rows(), blocks = own_blocks(s);
  std::size_t most = 0, least = own, empty = 0;
  const auto cut_rows = [&](std::size_t rows, std::size_t parts) {
    const std::size_t unit = unit_of(cut), units = ceil_div(rows, unit);
    for (std::size_t p = 0; p < parts; ++p) {
      const auto row = [&](std::size_t part) { return std::min(stages::first_unit(units, part, parts) * unit, rows); };
      const std::size_t of_shard = row(p + 1) - row(p);
      most = std::max(most, of_shard), least = std::min(least, of_shard), empty += of_shard == 0;
    }
  };
  if (s.lanes == 1)
    cut_rows(own, shards);
  else  // of a full step, each by itself
    for (std::size_t lane = share.first(); lane < share.last(); ++lane)
      cut_rows(s.batch_size / s.lanes + (lane < s.batch_size % s.lanes), shards / share.owned());
  const std::size_t slices = slices_of(shape, threads);
  const auto some = [](std::size_t count, const std::string& what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
  };
  std::string why = "one a thread";
  if (s.shards)
    why = empty ? fmt::format("as --shards says, {} of them empty: it has {} of 64", empty, some(blocks, "row block"))
                : "as --shards says";
  else if (by_slices)
    why = fmt::format("for scores alone, since it has {} of 64 for {} threads{}", some(blocks, "row block"), threads,
                      shards < threads ? ", and a shard has no less than 16 rows" : "");
  else if (run > 1 && most * shape.image_bytes() > most_shard_bytes + kernels::row_block * shape.image_bytes())
    why = fmt::format("{} a thread, no more, since their gradients take memory, too", run);
  else if (run > 1)
    why = fmt::format("{} a thread, so that what it works on stays in its cache", run);
  if (s.lanes > 1)
    why = fmt::format("{} for each of {}{}", shards / share.owned(), some(share.owned(), "lane"),
                      s.shards ? ", " + why : "");
  return fmt::format("{}: {} of {}{}, {}; the gradient: {} of about {:.1f} KiB, {}",
                     s.ranks == 1 ? "a batch" : fmt::format("of a batch, at most {} rows of each process", own),
                     some(shards, "shard"), least < most ? fmt::format("{} to ", least) : "", some(most, "row"), why,
                     some(slices, "slice"),
                     static_cast<double>(gradient_bytes(shape)) / static_cast<double>(slices) / 1024,
                     slices < threads ? "since smaller ones cost more than they save" : "one a thread");
}

std::size_t shuffle_rows(const TrainingSettings& s, std::size_t image_bytes, std::size_t images) {
  const std::size_t usual = std::max(s.batch_size, usual_shuffle_bytes / stages::ShuffleBuffer::bytes_of(image_bytes));
  return std::clamp<std::size_t>(s.shuffle_buffer ? s.shuffle_buffer : usual, 1, std::max<std::size_t>(1, images));
}

}  // namespace sluice::apps
