#include <sluice/stages/batcher.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <sluice/stages/shard.hpp>

namespace sluice::stages {

void Batcher::epoch(std::uint64_t number, std::size_t first) {
  epoch_ = number;
  first_ = first;
}

void Batcher::reset() {
  if (!data) throw std::invalid_argument("batcher without a data set");
  if (batch_size == 0) throw std::invalid_argument("batch_size 0, expected at least 1");
  if (first_ % batch_size != 0 && first_ < size()) throw std::invalid_argument("an epoch that begins within a batch");
  next_ = std::min(first_, size());
  looked_ = false;
  started_ = true;
  if (!shuffled) return;
  if (!is(now_, epoch_) && is(ahead_, epoch_)) std::swap(now_, ahead_);
  if (!is(now_, epoch_)) begin(now_, epoch_);
  now_.advance(data->size());
}

RowRun Batcher::share(std::size_t rows) const {
  if (ranks == 1) return {.rows = rows};
  const std::size_t blocks = (rows + kernels::row_block - 1) / kernels::row_block;
  const std::size_t block = first_unit(blocks, rank, ranks), first = std::min(block * kernels::row_block, rows);
  const std::size_t behind = std::min(first_unit(blocks, rank + 1, ranks) * kernels::row_block, rows);
  return {.first_row = first, .rows = behind - first, .first_block = block};
}

bool Batcher::operator()(Batch& out) {
  if (!started_) reset();
  const auto row = [this, order = now_.order().data()](std::size_t place) { return shuffled ? order[place] : place; };
  const auto step_rows = [&](std::size_t first) { return std::min(batch_size, size() - first); };
  const auto look_up = [&](std::size_t first) {
    const RowRun its = share(step_rows(first));
    following_.resize(its.rows);
    for (std::size_t i = 0; i < its.rows; ++i) following_[i] = data->images[row(first + its.first_row + i)];
    looked_ = true;
  };
  if (next_ >= size()) return false;
  if (!looked_) look_up(next_);
  const std::size_t count = step_rows(next_);
  const RowRun its = share(count);
  out.pixels = data->pixels();
  out.type = data->type();
  // Each row is looked up once: what was announced as upcoming is the batch now.
  out.rows.assign(following_.begin(), following_.end());
  out.labels.reserve(std::min(batch_size, data->size()));  // no more than that when it grows
  out.labels.resize(its.rows);
  for (std::size_t i = 0; i < its.rows; ++i) out.labels[i] = data->labels[row(next_ + its.first_row + i)];
  if (ranks > 1) {
    out.step = step_of(count, ranks);
    out.runs.assign(1, {.rows = its.rows, .first_block = its.first_block});
  }
  next_ += count;
  look_up(next_);
  out.upcoming.assign(following_.begin(), following_.end());
  if (shuffled && epoch_ < last_epoch) {
    if (!is(ahead_, epoch_ + 1)) begin(ahead_, epoch_ + 1);
    ahead_.advance(count);
  }
  return true;
}

bool Batcher::is(const Shuffle& shuffle, std::uint64_t epoch) const {
  return shuffle.is(data->size(), seed, static_cast<std::uint32_t>(epoch));
}

void Batcher::begin(Shuffle& shuffle, std::uint64_t epoch) const {
  shuffle.begin(data->size(), seed, static_cast<std::uint32_t>(epoch));
}

}  // namespace sluice::stages
