#include <sluice/stages/loss.hpp>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {
namespace {

void add(BatchLoss& loss, const Scored& scored) {
  const std::size_t rows = scored.shard.rows;
  loss.sum = kernels::active().loss(scored.label_logit.data(), scored.exp_sum.data(), rows, loss.sum);
  loss.count += rows;
}

}  // namespace

BatchLoss CrossEntropy::operator()(const Scored& scored) const {
  BatchLoss loss;
  add(loss, scored);
  return loss;
}

BatchLoss CrossEntropy::operator()(Group<Scored> shards) const {
  BatchLoss loss;
  for (const Scored& scored : shards) add(loss, scored);
  return loss;
}

}  // namespace sluice::stages
