// What the tests of the training stages share: random batches and models, the way of a batch through the stages, and
// bytes to compare.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/gradient.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/optimizer.hpp>
#include <sluice/stages/plan.hpp>
#include <sluice/stages/reduce.hpp>
#include <sluice/stages/shard.hpp>
#include <sluice/stages/slice.hpp>
#include <sluice/stages/softmax.hpp>

namespace sluice::stages::testing {

using Sizes = std::vector<std::size_t>;

// A fixed sequence, the same on every machine.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint32_t whole(std::uint32_t below) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>((state_ >> 32) * below >> 32);
  }
  float between(float low, float high) { return low + (high - low) * static_cast<float>(whole(1u << 24)) / (1 << 24); }

 private:
  std::uint64_t state_;
};

// A batch with the pixels it points to.
struct Example {
  Example(std::size_t count, std::size_t pixels, std::size_t classes, std::uint64_t seed = 1) : memory(count * pixels) {
    Numbers numbers(seed);
    batch.pixels = pixels;
    for (auto& pixel : memory) pixel = static_cast<std::uint8_t>(numbers.whole(256));
    for (std::size_t i = 0; i < count; i++) {
      batch.rows.push_back(memory.data() + i * pixels);
      batch.labels.push_back(static_cast<std::uint16_t>(numbers.whole(static_cast<std::uint32_t>(classes))));
    }
  }

  // (rows x pixels), scaled to [0, 1]
  Matrix matrix() const {
    Matrix x(batch.rows.size(), batch.pixels);
    for (Eigen::Index r = 0; r < x.rows(); r++)
      for (Eigen::Index p = 0; p < x.cols(); p++)
        x(r, p) = static_cast<float>(batch.rows[static_cast<std::size_t>(r)][p]) / 255;
    return x;
  }

  std::vector<std::uint8_t> memory;
  Batch batch;
};

inline Weights example_weights(std::size_t pixels, std::size_t classes, float scale = 0.1f, std::uint64_t seed = 2) {
  Numbers numbers(seed);
  Weights weights;
  Model& model = weights.renew();
  model.pixels = pixels;
  model.classes = classes;
  model.weights.assign(kernels::weights_size(pixels, classes), 0.f);
  for (std::size_t p = 0; p < pixels; p++)
    for (std::size_t c = 0; c < classes; c++)
      model.weights[kernels::packed_index(p, c, classes)] = numbers.between(-scale, scale);
  for (std::size_t c = 0; c < classes; c++) model.bias.push_back(numbers.between(-scale, scale));
  return weights;
}

// (pixels x classes) of the packed layout
inline Matrix matrix_of(const float* packed, std::size_t pixels, std::size_t classes) {
  Matrix w(pixels, classes);
  for (std::size_t p = 0; p < pixels; p++)
    for (std::size_t c = 0; c < classes; c++)
      w(static_cast<Eigen::Index>(p), static_cast<Eigen::Index>(c)) = packed[kernels::packed_index(p, c, classes)];
  return w;
}

// (rows x classes) of the layout of delta: as that of weights with rows in the place of pixels
inline Matrix delta_of(const Scored& scored) {
  return matrix_of(scored.delta.data(), scored.shard.rows, scored.shard.model->classes);
}

template <class T>
Group<T> group_of(const std::vector<T>& shards) {
  return {static_cast<const std::byte*>(static_cast<const void*>(shards.data())), sizeof(T), ~std::uint64_t{0}, 0,
          shards.size()};
}

// One step of training, the batch cut into `parts` and the gradient into `slices`: what every stage made of it.
struct Step {
  Step(const Batch& batch, const Weights& weights, std::size_t parts, std::size_t slices = 1,
       const Optimizer& optimizer = {})
      : work(batch, weights), scored(parts), partial(parts) {
    for (std::size_t part = 0; part < parts; part++) {
      SoftmaxForward{}(Sharder{}(work, part, parts), scored[part]);
      SoftmaxGradient{}(scored[part], partial[part]);
    }
    Plan{}(group_of(partial), plan);
    std::vector<Updated> updated;
    for (std::size_t s = 0; s < slices; s++) {
      SliceSum sum;
      Reduce{}(Slicer{}(plan, s, slices), sum);
      gradient.insert(gradient.end(), sum.values, sum.values + (sum.end - sum.begin));
      updated.push_back(Update{optimizer}(sum));
    }
    next = Gather{}(group_of(updated));
    loss = CrossEntropy{}(group_of(scored));
  }

  Work work;
  std::vector<Scored> scored;
  std::vector<Shared<PartialGradient>> partial;
  GradientPlan plan;
  std::vector<float> gradient;  // the slices' sums, one behind the other
  Weights next;
  BatchLoss loss;
};

template <class Range>
std::string bytes_of(const Range& values) {
  std::string bytes(values.size() * sizeof(*values.data()), '\0');
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Goes back to the best level when the test ends.
struct ForcedLevel {
  explicit ForcedLevel(std::string_view name) { kernels::force(name); }
  ~ForcedLevel() { kernels::force(kernels::available()[0]->name); }
  ForcedLevel(const ForcedLevel&) = delete;
  ForcedLevel& operator=(const ForcedLevel&) = delete;
};

}  // namespace sluice::stages::testing
