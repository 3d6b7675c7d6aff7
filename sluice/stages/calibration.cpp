#include <sluice/stages/calibration.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {
namespace {

using kernels::lanes;
using Lanes = std::array<float, lanes>;

// Up to 16 rows that lie side by side in delta, a lane each.
struct Group {
  const float* delta;  // (classes x 16)
  std::size_t classes, rows;
  std::array<std::uint32_t, lanes> label{}, predicted{};
  Lanes of_label{};  // the probability of the label, which delta has only less 1
};

Group group_of(const Scored& scored, std::size_t first) {
  const std::size_t classes = scored.shard.model->classes;
  const std::size_t rows = std::min(lanes, scored.shard.rows - first);
  Group g{.delta = scored.delta.data() + first * classes, .classes = classes, .rows = rows};
  // As it was before 1 was taken from it: a float32 next to -1 has lost what is below 3e-8.
  kernels::active().exp(g.of_label.data(), scored.label_logit.data() + first, rows);
  for (std::size_t i = 0; i < rows; ++i) {
    g.label[i] = scored.shard.batch->labels[scored.shard.first_row + first + i];
    g.predicted[i] = scored.predicted[first + i];
    g.of_label[i] *= 1 / scored.exp_sum[first + i];
  }
  return g;
}

// How many classes are above the right one. The predicted class is the first whatever its probability: logits that
// differ may give the same one.
std::array<std::uint32_t, lanes> ranks_of(const Group& g) {
  std::array<std::uint32_t, lanes> above{};
  for (std::uint32_t c = 0; c < g.classes; ++c)
    for (std::size_t i = 0; i < lanes; ++i) {
      const float p = g.delta[c * lanes + i];  // of the label it is below 0, and not above itself
      const bool higher = p > g.of_label[i], first_of_equals = p == g.of_label[i] && c < g.label[i];
      above[i] += c != g.predicted[i] && (higher || first_of_equals) ? 1u : 0u;
    }
  for (std::size_t i = 0; i < lanes; ++i) above[i] = g.predicted[i] == g.label[i] ? 0 : above[i] + 1;
  return above;
}

// Far enough for all steps that are counted, and for a logarithm of normal numbers. NaN becomes the lowest.
float bounded(float odds) {
  constexpr float least = 1e-15f, most = 1e15f;
  return odds > least ? (odds < most ? odds : most) : least;
}

void count_log_odds(const Group& g, RocCounts& roc) {
  alignas(64) float values[RocCounts::most_classes * lanes];
  Lanes others{};  // all but the predicted class, the only one that may be next to 1
  for (std::uint32_t c = 0; c < g.classes; ++c)
    for (std::size_t i = 0; i < lanes; ++i) {
      const float p = c == g.label[i] ? g.of_label[i] : g.delta[c * lanes + i];
      values[c * lanes + i] = p;
      others[i] += c == g.predicted[i] ? 0 : p;
    }
  for (std::uint32_t c = 0; c < g.classes; ++c)
    for (std::size_t i = 0; i < lanes; ++i) {
      float& value = values[c * lanes + i];
      value = bounded(value / (c == g.predicted[i] ? others[i] : 1 - value));
    }
  kernels::active().log(values, values, g.classes * lanes);
  for (std::uint32_t c = g.classes == 2 ? 1 : 0; c < g.classes; ++c)
    for (std::size_t i = 0; i < g.rows; ++i) roc.add(c, c == g.label[i], values[c * lanes + i]);
}

std::optional<double> mean(double sum, std::uint64_t rows) {
  return rows == 0 ? std::nullopt : std::optional(sum / static_cast<double>(rows));
}

double gap(const Reliability::Bin& bin) {
  return std::abs(static_cast<double>(bin.hits) - bin.confidence);
}

}  // namespace

std::optional<double> Reliability::Bin::accuracy() const {
  return mean(static_cast<double>(hits), rows);
}

std::optional<double> Reliability::Bin::mean_confidence() const {
  return mean(confidence, rows);
}

void Reliability::add(float confidence, bool hit) {
  // In double the product is exact, and so is the bin. What is no number is in the first.
  const double place = static_cast<double>(confidence) * count;
  Bin& bin = bins[place > 0 ? static_cast<std::size_t>(std::min<double>(place, count - 1)) : 0];
  ++bin.rows;
  bin.hits += hit;
  bin.confidence += static_cast<double>(confidence);
}

Reliability::Bin Reliability::all() const {
  Bin sum;
  for (const Bin& bin : bins) sum.rows += bin.rows, sum.hits += bin.hits, sum.confidence += bin.confidence;
  return sum;
}

std::optional<double> Reliability::expected_error() const {
  double sum = 0;
  for (const Bin& bin : bins) sum += gap(bin);
  return mean(sum, all().rows);
}

std::optional<double> Reliability::largest_error() const {
  std::optional<double> largest;
  for (const Bin& bin : bins)
    if (const auto error = mean(gap(bin), bin.rows)) largest = std::max(largest.value_or(0), *error);
  return largest;
}

void Calibration::operator()(const Scored& scored) {
  const Shard& shard = scored.shard;
  const std::vector<std::uint16_t>& labels = shard.batch->labels;
  if (shard.model->classes != classes)
    throw std::invalid_argument(
        fmt::format("calibration: scores of {} classes, expected {}", shard.model->classes, classes));
  if (labels.size() < shard.first_row + shard.rows)
    throw std::invalid_argument(
        fmt::format("calibration: {} labels for {} rows", labels.size(), shard.first_row + shard.rows));
  for (std::size_t row = 0; row < shard.rows; ++row)
    if (labels[shard.first_row + row] >= classes)
      throw std::out_of_range(
          fmt::format("calibration: label {}, expected less than {}", labels[shard.first_row + row], classes));
  for (std::size_t first = 0; first < shard.rows; first += lanes) {
    const Group g = group_of(scored, first);
    const auto above = ranks_of(g);
    for (std::size_t i = 0; i < g.rows; ++i) {
      reliability.add(probability(scored, first + i, g.predicted[i]), g.predicted[i] == g.label[i]);
      if (above[i] < most_ranks) ++ranks[above[i]];
    }
    if (roc.counted()) count_log_odds(g, roc);
  }
}

void Calibration::reset() {
  reliability = {};
  ranks = {};
  roc.reset();
}

std::optional<double> Calibration::top(std::size_t k) const {
  double hits = 0;
  for (std::size_t rank = 0; rank < std::min(k, most_ranks); ++rank) hits += static_cast<double>(ranks[rank]);
  return mean(hits, reliability.all().rows);
}

}  // namespace sluice::stages
