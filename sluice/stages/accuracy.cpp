#include <sluice/stages/accuracy.hpp>

namespace sluice::stages {
namespace {

void add(BatchHits& sum, const Scored& scored) {
  const std::size_t rows = scored.shard.rows;
  const std::uint16_t* labels = scored.shard.batch->labels.data() + scored.shard.first_row;
  std::size_t hits = 0;
  for (std::size_t i = 0; i < rows; i++) hits += scored.predicted[i] == labels[i];
  sum.hits += hits;
  sum.count += rows;
}

}  // namespace

BatchHits Accuracy::operator()(const Scored& scored) const {
  BatchHits sum;
  add(sum, scored);
  return sum;
}

BatchHits Accuracy::operator()(Group<Scored> shards) const {
  BatchHits sum;
  for (const Scored& scored : shards) add(sum, scored);
  return sum;
}

}  // namespace sluice::stages
