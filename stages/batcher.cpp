#include "stages/batcher.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "stages/shuffle.hpp"

namespace sluice::stages {

bool Batcher::holds(const Order& order, std::uint64_t number) const {
  return order.found && order.seed == seed && order.epoch == number && order.rows.size() == data->size();
}

void Batcher::find(Order& order, std::uint64_t number) const {
  order.found = false;
  shuffle(data->size(), seed, static_cast<std::uint32_t>(number), order.rows);
  order.seed = seed;
  order.epoch = number;
  order.found = true;
}

void Batcher::prepare(std::uint64_t number) {
  if (shuffled && !holds(ahead_, number)) find(ahead_, number);
}

void Batcher::reset() {
  if (!data) throw std::invalid_argument("batcher without a data set");
  if (batch_size == 0) throw std::invalid_argument("batch_size 0, expected at least 1");
  next_ = 0;
  started_ = true;
  if (!shuffled || holds(now_, epoch_)) return;
  if (holds(ahead_, epoch_))
    std::swap(now_, ahead_);
  else
    find(now_, epoch_);
}

bool Batcher::operator()(Batch& out) {
  if (!started_) reset();
  const std::size_t count = std::min(batch_size, data->size() - next_);
  if (count == 0) return false;
  out.pixels = data->pixels();
  out.rows.resize(count);
  out.labels.resize(count);
  const auto row = [this](std::size_t place) { return shuffled ? now_.rows[place] : place; };
  for (std::size_t i = 0; i < count; ++i) {
    out.rows[i] = data->images[row(next_ + i)];
    out.labels[i] = data->labels[row(next_ + i)];
  }
  next_ += count;
  out.upcoming.resize(std::min(batch_size, data->size() - next_));
  for (std::size_t i = 0; i < out.upcoming.size(); ++i) out.upcoming[i] = data->images[row(next_ + i)];
  return true;
}

}  // namespace sluice::stages
