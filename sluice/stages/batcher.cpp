#include <sluice/stages/batcher.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sluice::stages {

void Batcher::epoch(std::uint64_t number, std::size_t first) {
  epoch_ = number;
  first_ = first;
}

void Batcher::reset() {
  if (!data) throw std::invalid_argument("batcher without a data set");
  if (batch_size == 0) throw std::invalid_argument("batch_size 0, expected at least 1");
  if (first_ % batch_size != 0 && first_ < data->size())
    throw std::invalid_argument("an epoch that begins within a batch");
  next_ = std::min(first_, data->size());
  following_.clear();
  started_ = true;
  if (!shuffled) return;
  if (!is(now_, epoch_) && is(ahead_, epoch_)) std::swap(now_, ahead_);
  if (!is(now_, epoch_)) begin(now_, epoch_);
  now_.advance(data->size());
}

bool Batcher::operator()(Batch& out) {
  if (!started_) reset();
  const auto row = [this, order = now_.order().data()](std::size_t place) { return shuffled ? order[place] : place; };
  const auto look_up = [&](std::size_t first) {
    following_.resize(std::min(batch_size, data->size() - first));
    for (std::size_t i = 0; i < following_.size(); ++i) following_[i] = data->images[row(first + i)];
  };
  if (next_ >= data->size()) return false;
  if (following_.empty()) look_up(next_);
  const std::size_t count = following_.size();
  out.pixels = data->pixels();
  out.type = data->type();
  // Each row is looked up once: what was announced as upcoming is the batch now.
  out.rows.assign(following_.begin(), following_.end());
  out.labels.reserve(std::min(batch_size, data->size()));  // no more than that when it grows
  out.labels.resize(count);
  for (std::size_t i = 0; i < count; ++i) out.labels[i] = data->labels[row(next_ + i)];
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
