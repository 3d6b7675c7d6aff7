#include <sluice/stages/sgd.hpp>

#include <algorithm>
#include <utility>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {

Updated Sgd::operator()(const SliceSum& sum) const {
  const auto [begin, end] = std::pair(sum.begin, sum.end);
  const Model& from = *sum.of->weights;
  Model& to = *sum.of->to;
  const kernels::Table& kernel = kernels::active();
  const auto rows = static_cast<float>(sum.of->rows);
  // The bias' gradient lies behind that of the weights.
  const std::size_t weights = from.weights.size(), both = weights + from.bias.size();
  if (begin < weights)
    kernel.update(to.weights.data() + begin, from.weights.data() + begin, sum.values, rate / (from.divisor * rows),
                  std::min(end, weights) - begin);
  const std::size_t first = std::max(begin, weights), last = std::min(end, both);
  if (first < last)
    kernel.update(to.bias.data() + (first - weights), from.bias.data() + (first - weights),
                  sum.values + (first - begin), rate / rows, last - first);
  return {sum.of};
}

}  // namespace sluice::stages
