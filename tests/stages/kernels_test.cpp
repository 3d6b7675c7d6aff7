#include <sluice/stages/kernels/kernels.hpp>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <tuple>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

TEST(Kernels, AtLeastThePortableLevelIsAvailableAndTheBestOneIsActive) {
  ASSERT_FALSE(kernels::available().empty());
  EXPECT_STREQ(kernels::available().back()->name, "portable");
  EXPECT_STREQ(kernels::active().name, kernels::available()[0]->name);
}

TEST(Kernels, ALevelCanBeForcedByItsName) {
  for (const kernels::Table* table : kernels::available()) {
    ForcedLevel level(table->name);
    EXPECT_EQ(&kernels::active(), table);
  }
}

TEST(Kernels, AnUnknownLevelIsRefusedAndTheAvailableOnesAreNamed) {
  try {
    kernels::force("x86-64-v9");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("x86-64-v9"), std::string::npos);
    for (const kernels::Table* table : kernels::available())
      EXPECT_NE(std::string(error.what()).find(table->name), std::string::npos) << error.what();
  }
}

class Shapes : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

TEST_P(Shapes, EveryLevelComputesTheSameBits) {
  const auto [pixels, classes] = GetParam();
  for (const std::size_t rows : Sizes{1, 2, 63, 64, 65, 256, 300}) {
    const Example example(rows, pixels, classes);
    const Weights weights = example_weights(pixels, classes);
    std::string first;
    for (const kernels::Table* table : kernels::available()) {
      ForcedLevel level(table->name);
      const Step step(example.batch, weights, 1);
      std::string bytes;
      bytes += bytes_of(step.scored[0].delta) + bytes_of(step.scored[0].label_logit);
      bytes += bytes_of(step.scored[0].exp_sum) + bytes_of(step.scored[0].predicted);
      bytes += bytes_of(step.gradient) + bytes_of(step.next->weights) + bytes_of(step.next->bias);
      bytes += bytes_of(std::vector{step.loss.sum});
      if (first.empty()) first = bytes;
      EXPECT_EQ(first == bytes, true) << table->name << " differs with " << rows << " rows";
    }
  }
}

// A job whose numbers are no longer finite ends at the same step with every level: what is no number is one on all of
// them, and all else has the same bits.
TEST(Kernels, EveryLevelHasTheSameNumbersWhereOneIsNone) {
  const Example example(65, 17, 10);
  for (const std::size_t wrong : Sizes{0, 4, 9}) {
    Weights weights;
    weights.renew() = *example_weights(17, 10);
    const_cast<Model&>(*weights).bias[wrong] = std::nanf("");
    std::string first;
    for (const kernels::Table* table : kernels::available()) {
      ForcedLevel level(table->name);
      const Step step(example.batch, weights, 1);
      std::string bytes = bytes_of(step.scored[0].predicted);
      const auto add = [&](const auto& all) {
        for (std::size_t i = 0; i < all.size(); ++i)
          bytes += std::isnan(all[i]) ? std::string("none") : bytes_of(std::vector<float>{all[i]});
      };
      add(step.scored[0].delta), add(step.scored[0].label_logit), add(step.scored[0].exp_sum);
      if (first.empty()) first = bytes;
      EXPECT_EQ(first == bytes, true) << table->name << " differs with class " << wrong;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Shapes,
                         ::testing::Combine(::testing::Values(1, 15, 16, 17, 784, 3072),
                                            ::testing::Values(2, 3, 10, 26, 63, 200)),
                         [](const auto& shape) {
                           return std::to_string(std::get<0>(shape.param)) + "x" +
                                  std::to_string(std::get<1>(shape.param));
                         });

TEST(Kernels, ExpIsWithinTwoUlpAndTheSameAtEveryLevel) {
  std::vector<float> x;
  for (float v = -80; v <= 88; v += 0.0037f) x.push_back(v);
  std::string first;
  for (const kernels::Table* table : kernels::available()) {
    std::vector<float> y(x.size());
    table->exp(y.data(), x.data(), x.size());
    for (std::size_t i = 0; i < x.size(); i++) {
      const double exact = std::exp(static_cast<double>(x[i]));
      const double ulp = std::ldexp(1.0, std::ilogb(exact) - 23);
      ASSERT_LE(std::abs(static_cast<double>(y[i]) - exact), 2 * ulp) << table->name << ": exp(" << x[i] << ")";
    }
    if (first.empty()) first = bytes_of(y);
    EXPECT_EQ(first == bytes_of(y), true) << table->name;
  }
}

TEST(Kernels, ExpIsExactlyOneAtZeroAndZeroBelowMinus80) {
  for (const kernels::Table* table : kernels::available()) {
    const float x[] = {0, -0.f, -80.5f, -1e4f, -3e38f, -INFINITY};
    float y[6];
    table->exp(y, x, 6);
    EXPECT_EQ(std::vector<float>(y, y + 6), (std::vector<float>{1, 1, 0, 0, 0, 0})) << table->name;
  }
}

TEST(Kernels, LogIsWithinTwoUlpAndTheSameAtEveryLevel) {
  std::vector<float> x;
  for (float v = 1; v < 70000; v *= 1.00011f) x.push_back(v);
  for (float v = 1; v > 1e-30f; v *= 0.9987f) x.push_back(v);
  std::string first;
  for (const kernels::Table* table : kernels::available()) {
    std::vector<float> y(x.size());
    table->log(y.data(), x.data(), x.size());
    for (std::size_t i = 0; i < x.size(); i++) {
      const double exact = std::log(static_cast<double>(x[i]));
      const double ulp = x[i] == 1 ? 0 : std::ldexp(1.0, std::ilogb(exact) - 23);
      ASSERT_LE(std::abs(static_cast<double>(y[i]) - exact), 2 * ulp) << table->name << ": log(" << x[i] << ")";
    }
    if (first.empty()) first = bytes_of(y);
    EXPECT_EQ(first == bytes_of(y), true) << table->name;
  }
}

TEST(Kernels, AddAndUpdateWorkInPlaceForEveryCount) {
  for (const kernels::Table* table : kernels::available())
    for (const std::size_t count : Sizes{0, 1, 7, 8, 15, 16, 17, 100}) {
      std::vector<float> a(count + 1, -1), b(count);
      for (std::size_t i = 0; i < count; i++) a[i] = static_cast<float>(i), b[i] = 0.5f * static_cast<float>(i + 1);
      std::vector<float> sum = a, step = a;
      table->add(sum.data(), sum.data(), b.data(), count);
      table->update(step.data(), step.data(), b.data(), 0.1f, count);
      for (std::size_t i = 0; i < count; i++) {
        EXPECT_EQ(sum[i], a[i] + b[i]) << table->name;
        EXPECT_EQ(step[i], std::fma(b[i], -0.1f, a[i])) << table->name;
      }
      EXPECT_EQ(sum[count], -1);
      EXPECT_EQ(step[count], -1);
    }
}

// Numbers of many sizes, all with bits in their last places.
std::vector<float> numbers_of_all_sizes(std::size_t count, std::uint64_t seed) {
  Numbers numbers(seed);
  std::vector<float> all(count);
  for (float& x : all) x = std::ldexp(numbers.between(-1, 1), static_cast<int>(numbers.whole(40)) - 30);
  return all;
}

// What an optimiser's kernel is given, and what it makes of it: w, m, v, one behind the other, and a number behind
// each.
struct OptimizerNumbers {
  explicit OptimizerNumbers(std::size_t its_count) : count(its_count) {
    for (float& x : v) x = std::abs(x);
    w[count] = m[count] = v[count] = -1;
  }
  void momentum(const kernels::Table& table) {
    table.momentum({.gradient = g.data(),
                    .weights = w.data(),
                    .moment = m.data(),
                    .next_weights = w.data(),
                    .next_moment = m.data(),
                    .count = count,
                    .scale = 0.3f,
                    .decay = decay,
                    .momentum = 0.9f,
                    .by_gradient = 0.1f,
                    .by_moment = 0.09f});
  }
  void adam(const kernels::Table& table) {
    table.adam({.gradient = g.data(),
                .weights = w.data(),
                .moments = {m.data(), v.data()},
                .next_weights = w.data(),
                .next_moments = {m.data(), v.data()},
                .count = count,
                .scale = 0.3f,
                .decay = decay,
                .beta1 = 0.9f,
                .share1 = 0.1f,
                .beta2 = 0.999f,
                .share2 = 0.001f,
                .rate = 0.01f,
                .epsilon = 1e-8f});
  }
  std::string bytes() const { return bytes_of(w) + bytes_of(m) + bytes_of(v); }

  std::size_t count;
  float decay = 0.01f;
  std::vector<float> g = numbers_of_all_sizes(count, 1), w = numbers_of_all_sizes(count + 1, 2),
                     m = numbers_of_all_sizes(count + 1, 3), v = numbers_of_all_sizes(count + 1, 4);
};

TEST(Kernels, OptimizersComputeTheSameBitsInPlaceForEveryCountAtEveryLevel) {
  for (const std::size_t count : Sizes{0, 1, 7, 8, 9, 15, 16, 17, 33, 100, 7850}) {
    const kernels::Table& portable = *kernels::available().back();
    const OptimizerNumbers before(count);
    OptimizerNumbers momentum = before, adam = before;
    momentum.momentum(portable), adam.adam(portable);
    std::vector<float> mean(count);
    portable.average(mean.data(), before.m.data(), before.w.data(), 0.3f, count);
    for (std::size_t i = 0; i < count; i++) {
      const float g = std::fma(0.01f, before.w[i], 0.3f * before.g[i]);
      const float m = std::fma(0.9f, before.m[i], g) + 0x1p-100f - 0x1p-100f;
      EXPECT_EQ(momentum.m[i], m);
      EXPECT_EQ(momentum.w[i], std::fma(-0.09f, m, std::fma(-0.1f, g, before.w[i])));
      EXPECT_EQ(mean[i], std::fma(before.w[i] - before.m[i], 0.3f, before.m[i]));
    }
    EXPECT_EQ(momentum.w[count], -1);
    EXPECT_EQ(adam.w[count], -1);
    EXPECT_EQ(adam.v[count], -1);
    for (const kernels::Table* table : kernels::available()) {
      OptimizerNumbers other = before;
      other.momentum(*table);
      EXPECT_EQ(other.bytes() == momentum.bytes(), true) << table->name << " momentum of " << count;
      other = before;
      other.adam(*table);
      EXPECT_EQ(other.bytes() == adam.bytes(), true) << table->name << " adam of " << count;
      other = before;
      table->average(other.m.data(), other.m.data(), other.w.data(), 0.3f, count);
      other.m.resize(count);
      EXPECT_EQ(bytes_of(other.m) == bytes_of(mean), true) << table->name << " average of " << count;
    }
  }
}

// Of pixels that few images have: their gradient is zero for thousands of steps.
TEST(Kernels, MomentsThatDecayDoNotBecomeDenormal) {
  for (const kernels::Table* table : kernels::available()) {
    OptimizerNumbers with_momentum(16), with_adam(16);
    for (OptimizerNumbers* n : {&with_momentum, &with_adam}) {
      n->decay = 0;
      std::fill(n->g.begin(), n->g.end(), 0.f);
      std::fill(n->v.begin(), n->v.end(), 1e-33f);
    }
    for (int i = 0; i < 3000; i++) {
      with_momentum.momentum(*table), with_adam.adam(*table);
      for (std::size_t k = 0; k < 16; k++)
        for (const float moment : {with_momentum.m[k], with_adam.m[k], with_adam.v[k]})
          ASSERT_NE(std::fpclassify(moment), FP_SUBNORMAL) << table->name << " step " << i;
    }
    for (std::size_t k = 0; k < 16; k++) EXPECT_LT(std::abs(with_momentum.m[k]), 1e-35f);
  }
}

TEST_P(Shapes, PixelsAsFloat32GiveTheBitsOfTheSameAsBytes) {
  const auto [pixels, classes] = GetParam();
  for (const std::size_t rows : Sizes{1, 63, 65, 300}) {
    const Example example(rows, pixels, classes);
    const std::vector<float> values(example.memory.begin(), example.memory.end());
    Batch floats = example.batch;
    floats.type = Pixel::float32;
    for (std::size_t i = 0; i < rows; ++i)
      floats.rows[i] = reinterpret_cast<const std::uint8_t*>(values.data() + i * pixels);
    const Weights weights = example_weights(pixels, classes);
    for (const kernels::Table* table : kernels::available()) {
      ForcedLevel level(table->name);
      const Step bytes(example.batch, weights, 1), step(floats, weights, 1);
      EXPECT_EQ(bytes_of(step.scored[0].delta) == bytes_of(bytes.scored[0].delta), true) << table->name;
      EXPECT_EQ(bytes_of(step.next->weights) == bytes_of(bytes.next->weights), true) << table->name;
      EXPECT_EQ(bytes_of(step.next->bias) == bytes_of(bytes.next->bias), true) << table->name;
    }
  }
}

// Pixels that are multiplied and a divisor that is multiplied by the same power of two.
TEST(Kernels, TheModelsDivisorScalesPixelsAndGradient) {
  const Example example(100, 33, 10);
  std::vector<float> values(example.memory.begin(), example.memory.end());
  for (float& value : values) value *= 4;
  Batch floats = example.batch;
  floats.type = Pixel::float32;
  for (std::size_t i = 0; i < 100; ++i) floats.rows[i] = reinterpret_cast<const std::uint8_t*>(values.data() + i * 33);
  const Weights weights = example_weights(33, 10);
  Weights scaled;
  scaled.renew() = *weights;
  scaled.renew().divisor = 4 * 255;
  for (const kernels::Table* table : kernels::available()) {
    ForcedLevel level(table->name);
    const Step bytes(example.batch, weights, 1), step(floats, scaled, 1);
    EXPECT_EQ(bytes_of(step.scored[0].delta) == bytes_of(bytes.scored[0].delta), true) << table->name;
    EXPECT_EQ(bytes_of(step.next->weights) == bytes_of(bytes.next->weights), true) << table->name;
    EXPECT_EQ(step.next->divisor, 4 * 255);
  }
}

// A row that ends where readable memory ends.
class RowAtTheEndOfAPage {
 public:
  explicit RowAtTheEndOfAPage(std::size_t pixels) : size_((pixels + page_ - 1) / page_ * page_) {
    base_ = static_cast<std::uint8_t*>(
        mmap(nullptr, size_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + size_, page_, PROT_NONE);
    row = base_ + size_ - pixels;
    for (std::size_t i = 0; i < pixels; i++) row[i] = static_cast<std::uint8_t>(i * 7);
  }
  ~RowAtTheEndOfAPage() { munmap(base_, size_ + page_); }
  RowAtTheEndOfAPage(const RowAtTheEndOfAPage&) = delete;
  RowAtTheEndOfAPage& operator=(const RowAtTheEndOfAPage&) = delete;

  std::uint8_t* row;

 private:
  std::size_t page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::size_t size_;
  std::uint8_t* base_;
};

TEST(Kernels, NoByteIsReadPastARow) {
  for (const kernels::Table* table : kernels::available()) {
    ForcedLevel level(table->name);
    for (const std::size_t pixels : Sizes{1, 7, 15, 16, 17, 31, 33, 100, 784}) {
      RowAtTheEndOfAPage memory(pixels);
      Batch batch;
      batch.pixels = pixels;
      batch.rows.assign(70, memory.row);
      batch.labels.assign(70, 1);
      const Step step(batch, example_weights(pixels, 10), 1);
      EXPECT_EQ(step.plan.rows, 70u);
      RowAtTheEndOfAPage floats(4 * pixels);
      std::memset(floats.row, 0, 4 * pixels);
      batch.rows.assign(70, floats.row);
      batch.type = Pixel::float32;
      EXPECT_EQ(Step(batch, example_weights(pixels, 10), 1).plan.rows, 70u);
    }
  }
}

TEST(Kernels, UpcomingRowsChangeNothing) {
  const Example example(64, 100, 10), next(64, 100, 10, 9);
  const Weights weights = example_weights(100, 10);
  const Step step(example.batch, weights, 1);
  std::vector<float> out(kernels::gradient_size(100, 10));
  for (const kernels::Table* table : kernels::available()) {
    table->gradient_block({.rows = example.batch.rows.data(),
                           .type = Pixel::uint8,
                           .count = 64,
                           .first_pixel = 0,
                           .pixels = 100,
                           .classes = 10,
                           .bias = true,
                           .delta = step.scored[0].delta.data(),
                           .merge = nullptr,
                           .merges = 0,
                           .out = out.data(),
                           .upcoming = next.batch.rows.data(),
                           .upcoming_count = 64});
    EXPECT_EQ(bytes_of(out) == bytes_of(step.gradient), true) << table->name;
  }
}

}  // namespace
}  // namespace sluice::stages::testing
