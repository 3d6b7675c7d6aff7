// A batch as training meets it: rows in random order out of a data set much larger than the caches. The pixels are
// made up, with as many zeros as a picture of clothes has; their values cost the kernels nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <sluice/stages/batch.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/shard.hpp>

namespace sluice::bench {

struct Example {
  Example(std::size_t pixels, std::size_t classes, std::size_t batch_rows)
      : memory(data_rows(pixels) * pixels), batch_rows_(batch_rows) {
    std::uint64_t state = 1;
    const auto next = [&](std::uint64_t below) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return (state >> 33) % below;
    };
    for (auto& pixel : memory) pixel = next(2) ? static_cast<std::uint8_t>(next(256)) : std::uint8_t{0};
    const std::size_t count = data_rows(pixels) / batch_rows * batch_rows;
    for (std::size_t i = 0; i < count; i++) order.push_back(memory.data() + i * pixels);
    for (std::size_t i = count; i > 1; i--) std::swap(order[i - 1], order[next(i)]);
    for (std::size_t i = 0; i < count; i++) labels.push_back(static_cast<std::uint16_t>(next(classes)));
    stages::Weights handle;
    stages::Model& model = handle.renew();
    model.pixels = pixels;
    model.classes = classes;
    model.weights.assign(kernels::weights_size(pixels, classes), 0.f);
    for (std::size_t p = 0; p < pixels; p++)
      for (std::size_t c = 0; c < classes; c++)
        model.weights[kernels::packed_index(p, c, classes)] = static_cast<float>(next(2001)) / 1e5f - 0.01f;
    model.bias.assign(classes, 0.f);
    stages::Batch batch;
    batch.pixels = pixels;
    work = {batch, handle};
    advance();
  }

  // The next batch_rows rows of the order, from its start again at the end.
  void advance() {
    stages::Batch& batch = std::get<stages::Batch>(work);
    if (at_ + batch_rows_ > order.size()) at_ = 0;
    const auto from = static_cast<std::ptrdiff_t>(at_), to = static_cast<std::ptrdiff_t>(at_ + batch_rows_);
    batch.rows.assign(order.begin() + from, order.begin() + to);
    batch.labels.assign(labels.begin() + from, labels.begin() + to);
    at_ += batch_rows_;
  }

  std::vector<std::uint8_t> memory;
  std::vector<const std::uint8_t*> order;
  std::vector<std::uint16_t> labels;
  stages::Work work;

 private:
  // 64 MB, more than the caches of most machines hold.
  static std::size_t data_rows(std::size_t pixels) { return (std::size_t{64} << 20) / pixels; }

  std::size_t batch_rows_;
  std::size_t at_ = 0;
};

}  // namespace sluice::bench
