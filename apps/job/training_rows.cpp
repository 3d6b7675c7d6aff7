#include "apps/job/training_rows.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include <sluice/stages/idx.hpp>
#include <sluice/stages/item_layout.hpp>
#include <sluice/stages/join_lanes.hpp>
#include <sluice/stages/lanes.hpp>
#include "apps/job/input.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

// Rows of the files that travel together, on which no result depends: as many as are a mebibyte, so that large images
// take no more memory than small ones.
std::size_t rows_of_a_run(std::size_t image_bytes) {
  return std::clamp<std::size_t>((1 << 20) / std::max<std::size_t>(1, image_bytes), 1, 256);
}

// One batch is drawn ahead: more would not be faster.
constexpr Capacity ahead = capacity(1);

}  // namespace

Stream<Batch> TrainingRows::wire(Graph& g, const LabelledSet& set, const TrainingSettings& s) {
  if (set.in_memory) {
    auto& batcher = rows_.emplace<Batcher>();
    batcher.data = set.in_memory;
    batcher.batch_size = s.batch_size, batcher.seed = s.seed, batcher.last_epoch = s.last_epoch;
    batcher.rank = s.rank, batcher.ranks = s.ranks;
    return g.source("batch", std::ref(batcher), ahead);
  }
  const LaneShare share = s.share();
  share.check();
  images_ = set.images, decoder_memory_ = set.decoder_memory;
  const Lanes lanes{.rows = set.count, .batch_size = s.batch_size, .share = share};
  auto& own = rows_.emplace<std::deque<Lane>>();
  // What the lanes find out of labels; of images the set has it.
  KnownPieces of_labels;
  for (std::size_t i = 0; i < set.labels.paths().size(); ++i)
    of_labels.push_back(std::make_shared<stages::KnownPieces>());
  std::optional<Stream<Batch>> all;
  std::size_t rows = 0;
  for (std::size_t number = share.first(); number < share.last(); ++number) {
    Lane& lane = own.emplace_back();
    lane.rows = set.count, lane.known = set.known;
    if (share.lanes > 1) {
      lane.begin = lanes.first_row(number), lane.rows = lanes.rows_of(number);
      lane.shuffle.lanes = lanes, lane.shuffle.lane = number;
      for (auto& one : lane.known) one = std::make_shared<stages::KnownPieces>(one);
      for (const auto& one : of_labels) lane.known_labels.push_back(std::make_shared<stages::KnownPieces>(one));
    }
    const Stream<Batch> its = wire_lane(g, lane, set, s);
    rows += lane.shuffle.most_of_a_batch();
    if (!all) {
      all = its;
      continue;
    }
    const JoinLanes join{.rows = std::min(rows, s.batch_size), .item_bytes = set.shape.image_bytes()};
    auto both = g.zip(fmt::format("lanes.{}", number), *all, its, ahead);
    all = g.map(fmt::format("batch.{}", number), join, both);
  }
  return *all;
}

Stream<Batch> TrainingRows::wire_lane(Graph& g, Lane& lane, const LabelledSet& set, const TrainingSettings& s) {
  const std::size_t image_bytes = set.shape.image_bytes();
  ShuffleBuffer& shuffle = lane.shuffle;
  shuffle.rows = shuffle_rows(s, image_bytes, set.count);
  if (shuffle.lanes) shuffle.rows = shuffle.lanes->buffer_rows(shuffle.lane, shuffle.rows);
  shuffle.batch_size = s.batch_size, shuffle.seed = s.seed;
  shuffle.most_rows = static_cast<std::size_t>(lane.rows);
  shuffle.pixels = set.shape.pixels(), shuffle.item_bytes = image_bytes;
  shuffle.images = set.images.name(), shuffle.labels = set.labels.name();
  shuffle.file_by_file = are_paired(set.images, set.labels);
  std::optional<LaneOfFiles> part;
  if (shuffle.lanes)
    part = {.number = shuffle.lane,
            .begin = lane.begin,
            .end = lane.begin + lane.rows,
            .beside = s.share().owned(),
            .last = shuffle.lane + 1 == s.share().last()};
  LabelledFiles files = files_of(set, "train-");
  files.again = true;
  files.known = lane.known, files.known_labels = lane.known_labels;
  files.counts = set.counts, files.lane = part;
  auto pairs = read_pairs(g, files, rows_of_a_run(image_bytes));
  return g.expand(part ? fmt::format("shuffle.{}", shuffle.lane) : "shuffle", std::ref(shuffle), pairs, ahead);
}

// rows: of an epoch that goes on, which decodes no pieces of others; nothing: all are needed.
void TrainingRows::need(const Lane& lane, std::optional<ShuffleBuffer::Needed> rows) {
  std::uint64_t before = 0;  // rows of earlier files
  std::shared_ptr<const ShuffleBuffer::Needed> needed;
  if (rows) needed = std::make_shared<const ShuffleBuffer::Needed>(std::move(*rows));
  for (std::size_t i = 0; i < lane.known.size(); ++i) {
    lane.known[i]->need({});
    if (!needed) continue;
    const ItemLayout layout = header_of(ItemKind::images, images_, i, {.decoder_memory = decoder_memory_});
    const std::uint64_t header = layout.header_bytes, item = layout.item_bytes;
    const auto of_lane = [begin = lane.begin](std::uint64_t row) { return std::max(row, begin) - begin; };
    lane.known[i]->need([=](std::uint64_t offset, std::size_t size) {
      if (offset < header) return true;
      const ItemRange items = items_in(header, item, offset, offset + size);
      return needed->any(of_lane(before + items.first), of_lane(before + items.last));
    });
    before += layout.shape.count;
  }
}

void TrainingRows::epoch(std::uint64_t number, std::size_t first) {
  if (auto* const batcher = std::get_if<Batcher>(&rows_)) batcher->epoch(number, first);
  if (auto* const lanes = std::get_if<std::deque<Lane>>(&rows_))
    for (Lane& lane : *lanes) {
      lane.shuffle.epoch(number, first);
      need(lane, first > 0 ? std::optional(lane.shuffle.needed(number, first, lane.rows)) : std::nullopt);
    }
}

}  // namespace sluice::apps
