#include <sluice/stages/confusion.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace sluice::stages {
namespace {

std::uint32_t key(std::size_t label, std::size_t predicted) {
  return static_cast<std::uint32_t>(label << 16 | predicted);
}

}  // namespace

void Confusion::operator()(const Scored& scored) {
  const Shard& shard = scored.shard;
  if (shard.batch->labels.size() < shard.first_row + shard.rows)
    throw std::invalid_argument(
        fmt::format("confusion: {} labels for {} rows", shard.batch->labels.size(), shard.first_row + shard.rows));
  for (std::size_t i = 0; i < shard.rows; ++i) add(shard.batch->labels[shard.first_row + i], scored.predicted[i]);
}

void Confusion::add(std::size_t label, std::size_t predicted) {
  if (label >= classes || predicted >= classes)
    throw std::out_of_range(
        fmt::format("confusion: label {} and prediction {}, expected less than {}", label, predicted, classes));
  if (classes > most_dense) {
    ++sparse_[key(label, predicted)];
    return;
  }
  if (dense_.empty()) dense_.resize(classes * classes);
  ++dense_[label * classes + predicted];
}

void Confusion::reset() {
  dense_.clear();
  sparse_.clear();
}

std::uint64_t Confusion::at(std::size_t label, std::size_t predicted) const {
  if (label >= classes || predicted >= classes) return 0;
  if (classes <= most_dense) return dense_.empty() ? 0 : dense_[label * classes + predicted];
  const auto found = sparse_.find(key(label, predicted));
  return found == sparse_.end() ? 0 : found->second;
}

std::vector<Confusion::Pair> Confusion::pairs() const {
  std::vector<Pair> all;
  for (std::size_t i = 0; i < dense_.size(); ++i)
    if (dense_[i] > 0)
      all.push_back({static_cast<std::uint16_t>(i / classes), static_cast<std::uint16_t>(i % classes), dense_[i]});
  for (const auto& [pair, count] : sparse_)
    all.push_back({static_cast<std::uint16_t>(pair >> 16), static_cast<std::uint16_t>(pair & 0xffff), count});
  std::sort(all.begin(), all.end(), [](const Pair& a, const Pair& b) {
    return std::tie(a.label, a.predicted) < std::tie(b.label, b.predicted);
  });
  return all;
}

}  // namespace sluice::stages
