#include <sluice/stages/shuffle_buffer.hpp>

#include <fmt/core.h>

#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/label.hpp>
#include <sluice/stages/philox.hpp>

namespace sluice::stages {

void ShuffleBuffer::epoch(std::uint64_t number, std::uint64_t first) {
  epoch_ = number;
  first_ = first;
}

void ShuffleBuffer::reset() {
  if (rows == 0 || rows > std::numeric_limits<std::uint32_t>::max())
    throw std::invalid_argument("a shuffle buffer of so many rows, expected 1 to 2^32 - 1");
  if (rows_of_a_step() == 0) throw std::invalid_argument("batch_size 0, expected at least 1");
  if (first_ % rows_of_a_step() != 0) throw std::invalid_argument("an epoch that begins within a batch");
  in_ = {};
  given_ = 0;
  next_ = filled_ = 0;
  drawn_ = 0;
  skipped_ = draws_before(first_);
  step_ = first_ / rows_of_a_step();
  due_ = lanes ? lanes->rows_in_step(lane, step_) : batch_size;
  building_.rows.clear();
  building_.labels.clear();
  finished_ = false;
}

void ShuffleBuffer::push(const LabelledRows& in) {
  check_as_many(in, file_by_file, images, labels);
  check_images(std::get<0>(in), {.pixels = pixels}, images);
  // Memory is taken for as many as there were when somebody looked.
  given_ += std::get<0>(in).count();
  if (given_ > most_rows)
    throw DataError(
        fmt::format("{}: more than {} images, expected that many: was it written meanwhile?", images, most_rows));
  in_ = in;
  next_ = 0;
  const Rows& its = std::get<0>(in);
  const std::size_t its_pixels = static_cast<std::size_t>(its.shape.pixels());
  item_ = its_pixels * (its.type == Pixel::uint8 ? 1 : sizeof(float));
  building_.pixels = its_pixels;
  building_.type = its.type;
  slots_.reserve(rows * item_);  // taken as a whole, used as rows come
  slot_labels_.resize(rows);
  order_.resize(rows);
}

// From the input into places that are free.
void ShuffleBuffer::fill() {
  const auto& [its, its_labels] = in_;
  for (; filled_ < rows && next_ < its.count(); ++next_, ++filled_) {
    order_[filled_] = static_cast<std::uint32_t>(filled_);
    std::memcpy(slots_.data.get() + filled_ * item_, its.at[next_], item_);
    slot_labels_[filled_] = label_of(its_labels.type, its_labels.at[next_]);
  }
}

// The place of the k-th draw of an epoch, from so many. Draws are in order: words are made for many at a time. A lane
// has numbers of its own: no set has 2^42 rows.
std::uint32_t ShuffleBuffer::place(std::uint64_t epoch, std::uint64_t draw, std::size_t places,
                                   std::array<std::uint32_t, 1024>& words) const {
  const std::size_t word = static_cast<std::size_t>(draw % words.size());
  if (word == 0)
    philox({seed, Purpose::shuffle_buffer, static_cast<std::uint32_t>(epoch)}, (std::uint64_t{lane} << 40) + draw / 4,
           words.size() / 4, words.data());
  return below(words[word], static_cast<std::uint32_t>(places));
}

bool ShuffleBuffer::Needed::any(std::uint64_t begin, std::uint64_t end) const {
  if (end > from) return true;
  const auto first = std::lower_bound(held.begin(), held.end(), begin);
  return first != held.end() && *first < end;
}

ShuffleBuffer::Needed ShuffleBuffer::needed(std::uint64_t number, std::uint64_t first, std::uint64_t total) const {
  Needed all;
  all.held.resize(static_cast<std::size_t>(std::min<std::uint64_t>(rows, total)));
  std::iota(all.held.begin(), all.held.end(), std::uint64_t{0});
  all.from = all.held.size();
  std::array<std::uint32_t, 1024> words;
  const std::uint64_t before = draws_before(first);
  for (std::uint64_t draw = 0; draw < before && !all.held.empty(); ++draw) {
    std::uint64_t& drawn = all.held[place(number, draw, all.held.size(), words)];
    if (all.from < total) {
      drawn = all.from++;
    } else {
      drawn = all.held.back();
      all.held.pop_back();
    }
  }
  std::sort(all.held.begin(), all.held.end());
  return all;
}

// One row of the buffer into the batch, one of the input into its place.
void ShuffleBuffer::draw(std::uint8_t* batch) {
  const std::uint32_t place = ShuffleBuffer::place(epoch_, drawn_, filled_, words_), slot = order_[place];
  std::uint8_t* const image = slots_.data.get() + std::size_t{slot} * item_;
  if (drawn_++ >= skipped_) {
    std::memcpy(batch + building_.labels.size() * item_, image, item_);
    building_.labels.push_back(slot_labels_[slot]);
  }
  const auto& [its, its_labels] = in_;
  if (next_ < its.count()) {
    std::memcpy(image, its.at[next_], item_);
    slot_labels_[slot] = label_of(its_labels.type, its_labels.at[next_]);
    ++next_;
  } else {
    std::swap(order_[place], order_[--filled_]);
  }
}

// Whether a batch of so many rows, which there are no more of now, is one.
bool ShuffleBuffer::complete(std::size_t count) {
  if (!lanes) return count == batch_size || (count > 0 && finished_);
  if (count < due_ && finished_)
    throw DataError(fmt::format("{}: ends after {} of the {} images of lane {}: was it written meanwhile?", images,
                                given_, lanes->rows_of(lane), lane));
  return count == due_ && step_ < lanes->steps();
}

bool ShuffleBuffer::pull(Batch& out) {
  fill();
  const std::size_t given = std::get<0>(in_).count();
  if (building_.labels.empty() && item_) {
    // Whoever keeps rows of a batch longer than its message lives has the handle.
    building_.owners.resize(1);
    memory_ = batches_.take(building_.owners.front()).reserve(most_of_a_batch() * item_);
  }
  building_.labels.reserve(most_of_a_batch());
  building_.rows.reserve(most_of_a_batch());
  while (building_.labels.size() < due_ && (next_ < given || (finished_ && filled_ > 0))) draw(memory_);
  if (next_ == given) {
    for (Rows* used : {&std::get<0>(in_), &std::get<1>(in_)})
      used->at.clear(), used->owners.clear();  // keeps no memory
    next_ = 0;
  }
  const std::size_t count = building_.labels.size();
  if (!complete(count)) return false;
  building_.rows.resize(count);
  for (std::size_t i = 0; i < count; ++i) building_.rows[i] = memory_ + i * item_;
  const auto [its_pixels, type] = std::pair(building_.pixels, building_.type);
  std::swap(out, building_);
  building_.pixels = its_pixels;
  building_.type = type;
  building_.labels.clear();
  if (!lanes) return true;
  out.runs.assign(count > 0 ? 1 : 0, lanes->run(lane, step_));
  out.step = lanes->share.whole() ? StepRows{} : lanes->step(step_);
  due_ = lanes->rows_in_step(lane, ++step_);
  return true;
}

}  // namespace sluice::stages
