#include <sluice/stages/slice_gradient.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

// A step whose rows are scored by `parts` and whose gradient is taken by `slices` of the pixels.
struct BySlices {
  BySlices(const Batch& batch, const Weights& weights, std::size_t parts, std::size_t slices) : scored(parts) {
    {
      const Work work(batch, weights);
      for (std::size_t part = 0; part < parts; part++)
        SoftmaxForward{}(Sharder{.unit = kernels::lanes}(work, part, parts), scored[part]);
      GatherScored{}(group_of(scored), whole);
    }  // what the shards were cut from is gone
    std::vector<Updated> updated;
    for (std::size_t s = 0; s < slices; s++) {
      SliceGradientSum sum;
      SliceGradient{}(PixelSlicer{}(whole, s, slices), sum);
      if (sum.begin < sum.end) gradient.insert(gradient.end(), sum.values, sum.values + (sum.end - sum.begin));
      updated.push_back(Update{}(sum));
    }
    next = Gather{}(group_of(updated));
  }
  std::vector<Scored> scored;
  ScoredBatch whole;
  std::vector<float> gradient;
  Weights next;
};

TEST(SliceGradient, HasTheBitsOfTheShardsGradientsAddedUp) {
  for (const auto& level : kernels::available()) {
    const ForcedLevel forced(level->name);
    for (const std::size_t rows : Sizes{1, 16, 17, 64, 100, 256, 300, 449})
      for (const std::size_t pixels : Sizes{1, 16, 17, 100, 784}) {
        const Example example(rows, pixels, 10);
        const Weights weights = example_weights(pixels, 10);
        const Step step(example.batch, weights, 1);
        for (const std::size_t parts : Sizes{1, 3, 16})
          for (const std::size_t slices : Sizes{1, 2, 7, 16}) {
            const BySlices other(example.batch, weights, parts, slices);
            const std::string at = std::to_string(rows) + " x " + std::to_string(pixels) + ", " +
                                   std::to_string(parts) + " parts, " + std::to_string(slices) + " slices";
            EXPECT_EQ(bytes_of(other.gradient) == bytes_of(step.gradient), true) << at;
            EXPECT_EQ(weights_sha256(*other.next), weights_sha256(*step.next)) << at;
            EXPECT_EQ(BatchCrossEntropy{}(other.whole).sum, step.loss.sum) << at;
            EXPECT_EQ(BatchAccuracy{}(other.whole).hits, Accuracy{}(group_of(step.scored)).hits) << at;
            EXPECT_EQ(BatchAccuracy{}(other.whole).count, rows) << at;
          }
      }
  }
}

TEST(SliceGradient, ReadsFloat32RowsToo) {
  const Example example(130, 100, 10);
  std::vector<float> pixels(example.memory.begin(), example.memory.end());
  Batch batch = example.batch;
  batch.type = Pixel::float32;
  for (std::size_t r = 0; r < batch.rows.size(); r++)
    batch.rows[r] = reinterpret_cast<const std::uint8_t*>(pixels.data() + r * 100);
  const Weights weights = example_weights(100, 10);
  EXPECT_EQ(bytes_of(BySlices(batch, weights, 3, 5).gradient) == bytes_of(Step(batch, weights, 1).gradient), true);
}

TEST(PixelSlicer, SlicesAreRunsOf16PixelsThatCoverTheImageOnce) {
  const BySlices step(Example(64, 100, 10).batch, example_weights(100, 10), 1, 1);
  for (const std::size_t parts : Sizes{1, 2, 3, 7, 16}) {
    std::size_t at = 0;
    for (std::size_t part = 0; part < parts; part++) {
      const PixelSlice slice = PixelSlicer{}(step.whole, part, parts);
      EXPECT_EQ(slice.first, at);
      at += slice.pixels;
      if (slice.bias) {
        EXPECT_GT(slice.pixels, 0u);
      }
      EXPECT_EQ(slice.bias, part + 1 == parts);
      EXPECT_EQ(at == 100 || at % 16 == 0, true);
    }
    EXPECT_EQ(at, 100u);
  }
}

TEST(GatherScored, ABatchWithoutRowsIsRefused) {
  EXPECT_THROW(BySlices(Example(0, 20, 3).batch, example_weights(20, 3), 2, 2), std::invalid_argument);
}

TEST(SliceGradient, NoPayloadIsLargerThanStated) {
  EXPECT_EQ(SliceGradient{}.payload_bytes(), std::nullopt);
  EXPECT_EQ(GatherScored{}.payload_bytes(), std::nullopt);
  for (const std::size_t rows : Sizes{1, 64, 65, 256, 300, 1000})
    for (const std::size_t slices : Sizes{1, 3, 16}) {
      const Limits limits{.rows = rows, .pixels = 100, .classes = 3};
      const Example example(rows, 100, 3);
      const BySlices step(example.batch, example_weights(100, 3), 5, slices);
      GatherScored gather;
      gather.limits = limits;
      const Scored& scored = step.whole.scored;
      const Batch& batch = step.whole.batch;
      EXPECT_LE((scored.delta.size() + scored.label_logit.size() + scored.exp_sum.size()) * sizeof(float) +
                    scored.predicted.size() * sizeof(std::uint16_t) + batch.rows.capacity() * sizeof(batch.rows[0]) +
                    batch.labels.capacity() * sizeof(batch.labels[0]) + sizeof(Model) +
                    (step.next->weights.capacity() + step.next->bias.capacity()) * sizeof(float),
                gather.payload_bytes());
      for (std::size_t s = 0; s < slices; s++) {
        const SliceGradient gradient{.limits = limits, .slices = slices};
        SliceGradientSum sum;
        gradient(PixelSlicer{}(step.whole, s, slices), sum);
        EXPECT_LE((sum.sums.size() + sum.partial.values.size()) * sizeof(float) +
                      sum.results.capacity() * sizeof(float*) + sum.partial.nodes.capacity() * sizeof(BlockNode) +
                      sum.nodes.capacity() * sizeof(float*) + sum.additions.capacity() * sizeof(Addition),
                  gradient.payload_bytes())
            << rows << " rows, slice " << s << " of " << slices;
      }
    }
}

}  // namespace
}  // namespace sluice::stages::testing
