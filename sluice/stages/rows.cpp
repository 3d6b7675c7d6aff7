#include <sluice/stages/rows.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sluice::stages {

void Regroup::push(const Elements& elements) {
  if (count == 0) throw std::invalid_argument("runs of 0 items, expected at least 1");
  elements_ = elements;
  const std::uint64_t first = elements.first;
  const auto up_to = [&](std::uint64_t item) {
    return static_cast<std::size_t>(std::min<std::uint64_t>(elements.count, item > first ? item - first : 0));
  };
  elements_.count = up_to(end);
  next_ = std::min(up_to(begin), elements_.count);
}

bool Regroup::pull(Rows& out) {
  Rows& run = building_;
  if (next_ < elements_.count) {
    if (run.at.empty()) {
      run.at.reserve(count);
      run.shape = elements_.shape;
      run.type = elements_.type;
      run.first = elements_.first + next_;
    }
    const std::size_t bytes = elements_.item_bytes(), taken = std::min(elements_.count - next_, count - run.at.size());
    if (elements_.in_file == 0 && next_ == 0) run.begins.push_back(elements_.first);
    for (std::size_t i = 0; i < taken; ++i) run.at.push_back(elements_.data + (next_ + i) * bytes);
    if (run.owners.empty() || run.owners.back().get() != elements_.owner.get()) run.owners.push_back(elements_.owner);
    next_ += taken;
  }
  if (next_ == elements_.count) elements_ = {}, next_ = 0;  // keeps no memory
  if (run.at.size() < count && (run.at.empty() || !(finished_ || at_once))) return false;
  std::swap(out, run);
  run.at.clear();
  run.owners.clear();
  run.begins.clear();
  return true;
}

void Regroup::reset() {
  elements_ = {};
  next_ = 0;
  building_ = {};
  finished_ = false;
}

}  // namespace sluice::stages
