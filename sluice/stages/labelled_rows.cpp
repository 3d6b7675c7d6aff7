#include <sluice/stages/labelled_rows.hpp>

#include <tuple>

namespace sluice::stages {

void RegroupLabelled::push(const LabelledElements& elements) {
  images.push(elements.images);
  labels.push(elements.labels);
}

// Both have as many, so that both have a run or none has.
bool RegroupLabelled::pull(LabelledRows& out) {
  auto& [rows, their_labels] = out;
  const bool has_rows = images.pull(rows), has_labels = labels.pull(their_labels);
  if (has_rows && !has_labels) their_labels = {};  // there are none
  return has_rows;
}

std::optional<std::size_t> RegroupLabelled::payload_bytes() const {
  const std::optional<std::size_t> of_images = images.payload_bytes(), of_labels = labels.payload_bytes();
  return of_images && of_labels ? std::optional(*of_images + *of_labels) : std::nullopt;
}

}  // namespace sluice::stages
