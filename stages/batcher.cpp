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
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = shuffled ? now_.rows[next_ + i] : next_ + i;
    out.rows[i] = data->images[row];
    out.labels[i] = data->labels[row];
  }
  next_ += count;
  return true;
}

}  // namespace sluice::stages
