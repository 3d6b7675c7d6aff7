#include <sluice/stages/shuffle_buffer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/philox.hpp>

namespace sluice::stages {
namespace {

using Order = std::vector<std::uint32_t>;

// A stream of rows of four pixels, which tell their index, in runs of `run`.
struct Stream {
  explicit Stream(std::size_t count) : pixels(4 * count), labels(count) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t b = 0; b < 4; ++b) pixels[4 * i + b] = static_cast<std::uint8_t>(i >> 8 * b);
      labels[i] = static_cast<std::uint8_t>(i % 10);
    }
  }
  LabelledRows rows(std::size_t first, std::size_t last) const {
    LabelledRows out;
    auto& [a, b] = out;
    a.shape.columns = 4;
    a.first = b.first = first;
    for (std::size_t i = first; i < last; ++i) a.at.push_back(&pixels[4 * i]), b.at.push_back(&labels[i]);
    return out;
  }

  // The rows of an epoch in the order of its batches.
  Order order(ShuffleBuffer& shuffle, std::size_t run = 7) const {
    Order all;
    std::vector<std::size_t> sizes;
    Batch out;
    const auto pull_all = [&] {
      while (shuffle.pull(out)) {
        sizes.push_back(out.count());
        EXPECT_EQ(out.pixels, 4u);
        EXPECT_EQ(out.labels.size(), out.count());
        for (std::size_t i = 0; i < out.count(); ++i) {
          const std::uint8_t* p = out.rows[i];
          all.push_back(static_cast<std::uint32_t>(p[0] | p[1] << 8 | p[2] << 16));
          EXPECT_EQ(out.labels[i], all.back() % 10);
        }
      }
    };
    shuffle.reset();
    for (std::size_t i = 0; i < labels.size(); i += run) {
      shuffle.push(rows(i, std::min(labels.size(), i + run)));
      pull_all();
    }
    shuffle.finish();
    pull_all();
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i) EXPECT_EQ(sizes[i], shuffle.batch_size);
    return all;
  }

  std::vector<std::uint8_t> pixels, labels;
};

ShuffleBuffer buffer(std::size_t rows, std::size_t batch_size = 16) {
  return {.rows = rows, .batch_size = batch_size, .seed = 5};
}

TEST(ShuffleBuffer, HoldsNoMoreMemoryThanItStates) {
  const Stream stream(1000);
  ShuffleBuffer shuffle = buffer(100, 23);  // a size that is no power of two: vectors grow by doubling
  shuffle.item_bytes = 4;
  Batch out;
  shuffle.reset();
  for (std::size_t i = 0; i < 1000; i += 10) {
    shuffle.push(stream.rows(i, i + 10));
    while (shuffle.pull(out)) {
      EXPECT_LE(out.rows.capacity() * sizeof(out.rows[0]) + out.labels.capacity() * sizeof(out.labels[0]) +
                    out.owners.front()->capacity + sizeof(out.owners[0]),
                shuffle.payload_bytes());
      EXPECT_LE(shuffle.slots_.capacity + shuffle.slot_labels_.capacity() * sizeof(std::uint16_t) +
                    shuffle.order_.capacity() * sizeof(std::uint32_t),
                shuffle.state_bytes());
    }
  }
  EXPECT_EQ(ShuffleBuffer{}.payload_bytes(), std::nullopt);
}

// Of an epoch that goes on, these rows and no others.
TEST(ShuffleBuffer, KnowsWhichRowsAnEpochThatGoesOnNeeds) {
  for (const std::size_t total : {1u, 40u, 300u, 1003u}) {
    const Stream stream(total);
    ShuffleBuffer shuffle = buffer(100);
    shuffle.epoch(3);
    const Order whole = stream.order(shuffle);
    for (std::size_t first = 0; first <= total; first += first < 160 ? 16 : 208) {
      Order left(whole.begin() + static_cast<std::ptrdiff_t>(first), whole.end());
      std::sort(left.begin(), left.end());
      const ShuffleBuffer::Needed needed = shuffle.needed(3, first, total);
      Order said(needed.held.begin(), needed.held.end());
      for (std::uint64_t row = needed.from; row < total; ++row) said.push_back(static_cast<std::uint32_t>(row));
      EXPECT_EQ(said, left) << total << " rows, from " << first;
      for (std::uint32_t row = 0; row < total; row += 7)
        EXPECT_EQ(
            needed.any(row, row + 3),
            std::any_of(left.begin(), left.end(), [&](std::uint32_t one) { return one >= row && one < row + 3; }) ||
                row + 3 > needed.from)
            << row;
    }
  }
}

// Its batches have room for as many as were announced.
TEST(ShuffleBuffer, RowsThatAreUsedUpKeepNoMemory) {
  const Stream stream(20);
  LabelledRows rows = stream.rows(0, 7);
  Shared<Bytes> images, labels;
  images.renew(), labels.renew();
  std::get<0>(rows).owners.push_back(images);
  std::get<1>(rows).owners.push_back(labels);
  ShuffleBuffer shuffle{.rows = 10, .batch_size = 5};
  shuffle.pixels = 4, shuffle.item_bytes = 4, shuffle.most_rows = 20;
  shuffle.push(rows);
  rows = {};
  EXPECT_FALSE(images.unique() || labels.unique());
  Batch out;
  while (shuffle.pull(out)) {
  }
  EXPECT_TRUE(images.unique() && labels.unique()) << "while it waits for the next";
}

TEST(ShuffleBuffer, AStreamWithMoreRowsThanThereShouldBeIsRefused) {
  const Stream stream(20);
  ShuffleBuffer shuffle = buffer(5);
  shuffle.images = "its file", shuffle.most_rows = 10;
  shuffle.reset();
  shuffle.push(stream.rows(0, 7));
  Batch out;
  EXPECT_FALSE(shuffle.pull(out));
  try {
    shuffle.push(stream.rows(7, 11));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("its file: more than 10 images", 0), 0u) << error.what();
  }
  shuffle.reset();  // another epoch is another count
  shuffle.push(stream.rows(0, 10));
}

TEST(ShuffleBuffer, ImagesOfAnotherSizeAreRefused) {
  const Stream stream(10);
  ShuffleBuffer shuffle = buffer(5);
  shuffle.images = "its file", shuffle.pixels = 5;
  shuffle.reset();
  try {
    shuffle.push(stream.rows(0, 10));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("its file: images of 1 x 4 pixels, expected 5 pixels", 0), 0u)
        << error.what();
  }
}

TEST(ShuffleBuffer, GivesEveryRowOnceWhateverTheSizes) {
  for (const std::size_t count : {1u, 15u, 16u, 17u, 100u, 1000u}) {
    const Stream stream(count);
    for (const std::size_t rows : {1u, 2u, 16u, 99u, 100u, 5000u})
      for (const std::size_t batch : {1u, 16u, 100u}) {
        ShuffleBuffer shuffle = buffer(rows, batch);
        shuffle.epoch(1);
        Order all = stream.order(shuffle);
        std::sort(all.begin(), all.end());
        Order expected(count);
        std::iota(expected.begin(), expected.end(), 0u);
        EXPECT_EQ(all, expected) << count << " rows, " << rows << " in the buffer, batches of " << batch;
      }
  }
}

TEST(ShuffleBuffer, TheOrderDependsOnSeedEpochAndBufferAndOnNothingElse) {
  const Stream stream(1000);
  ShuffleBuffer shuffle = buffer(100);
  shuffle.epoch(3);
  const Order order = stream.order(shuffle);
  for (const std::size_t run : {1u, 16u, 100u, 256u, 5000u}) EXPECT_EQ(stream.order(shuffle, run), order);
  ShuffleBuffer other = buffer(100, 7);
  other.epoch(3);
  EXPECT_EQ(stream.order(other), order) << "other batches";
  shuffle.epoch(4);
  EXPECT_NE(stream.order(shuffle), order);
  shuffle.epoch(3);
  EXPECT_EQ(stream.order(shuffle), order);
  other.seed = 6;
  EXPECT_NE(stream.order(other), order);
  other = buffer(101);
  other.epoch(3);
  EXPECT_NE(stream.order(other), order);
}

TEST(ShuffleBuffer, IsWhatItsDescriptionSays) {
  // A plain list: draw a random place of the next 100, put the next row there.
  const Stream stream(1000);
  ShuffleBuffer shuffle = buffer(100);
  shuffle.epoch(2);
  Order places(100), expected;
  std::iota(places.begin(), places.end(), 0u);
  std::uint32_t next = 100;
  for (std::uint64_t k = 0; k < 1000; ++k) {
    const std::uint32_t word = philox({5, Purpose::shuffle_buffer, 2}, k / 4)[k % 4];
    const std::size_t place = below(word, static_cast<std::uint32_t>(places.size()));
    expected.push_back(places[place]);
    if (next < 1000) {
      places[place] = next++;
    } else {
      places[place] = places.back();
      places.pop_back();
    }
  }
  EXPECT_EQ(stream.order(shuffle), expected);
}

TEST(ShuffleBuffer, AnEpochThatBeginsLaterIsTheRestOfIt) {
  const Stream stream(1000);
  ShuffleBuffer shuffle = buffer(100);
  shuffle.epoch(1);
  const Order whole = stream.order(shuffle);
  for (const std::size_t first : {16u, 160u, 992u, 1008u}) {
    shuffle.epoch(1, first);
    const std::size_t skipped = std::min<std::size_t>(first, 1000);
    EXPECT_EQ(stream.order(shuffle), Order(whole.begin() + static_cast<std::ptrdiff_t>(skipped), whole.end()));
  }
  shuffle.epoch(1, 17);
  EXPECT_THROW(shuffle.reset(), std::invalid_argument);
}

TEST(ShuffleBuffer, ABufferForAllRowsMakesEveryOrderAsLikely) {
  const Stream stream(4);
  std::map<Order, int> seen;
  ShuffleBuffer shuffle = buffer(4);
  for (std::uint64_t epoch = 0; epoch < 24 * 200; ++epoch) {
    shuffle.epoch(epoch);
    ++seen[stream.order(shuffle)];
  }
  EXPECT_EQ(seen.size(), 24u);
  for (const auto& [order, times] : seen) EXPECT_NEAR(times, 200, 5 * std::sqrt(200.0));
}

TEST(ShuffleBuffer, ARowComesAtMostABufferTooEarly) {
  const Stream stream(5000);
  ShuffleBuffer shuffle = buffer(200);
  shuffle.epoch(1);
  const Order order = stream.order(shuffle);
  double distance = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    EXPECT_LT(order[k], k + 200);
    distance += std::abs(static_cast<double>(order[k]) - static_cast<double>(k));
  }
  EXPECT_GT(distance / 5000, 100) << "rows are moved far";
}

// A lane of a set, whose rows are the stream.
struct LaneOf {
  Lanes lanes;
  std::size_t lane;

  ShuffleBuffer buffer(std::size_t rows) const {
    return {.rows = rows, .seed = 5, .most_rows = lanes.rows_of(lane), .lanes = lanes, .lane = lane};
  }
  std::vector<Batch> batches(ShuffleBuffer& shuffle, std::size_t run = 7) const {
    const std::size_t count = lanes.rows_of(lane);
    const Stream stream(count);
    std::vector<Batch> all;
    const auto pull_all = [&] {
      for (Batch out; shuffle.pull(out); out = {}) all.push_back(out);
    };
    shuffle.reset();
    for (std::size_t i = 0; i < count; i += run) {
      shuffle.push(stream.rows(i, std::min(count, i + run)));
      pull_all();
    }
    shuffle.finish();
    pull_all();
    return all;
  }
  static Order order(const std::vector<Batch>& batches) {
    Order all;
    for (const Batch& batch : batches)
      for (const std::uint8_t* p : batch.rows) all.push_back(static_cast<std::uint32_t>(p[0] | p[1] << 8));
    return all;
  }
};

TEST(ShuffleBuffer, OfALaneABatchIsWhatTheLaneHasInAStep) {
  for (const std::size_t count : {2u, 3u, 8u})
    for (const std::uint64_t rows : {17u, 100u, 1003u})
      for (const std::size_t batch_size : {8u, 100u})
        for (std::size_t lane = 0; lane < count; ++lane) {
          const LaneOf of{{.rows = rows, .batch_size = batch_size, .share = {.lanes = count}}, lane};
          ShuffleBuffer shuffle = of.buffer(20);
          shuffle.epoch(1);
          const std::vector<Batch> all = of.batches(shuffle);
          ASSERT_EQ(all.size(), of.lanes.steps());
          for (std::size_t step = 0; step < all.size(); ++step) {
            const RowRun run = of.lanes.run(lane, step);
            EXPECT_EQ(all[step].count(), run.rows);
            EXPECT_EQ(all[step].runs, run.rows ? std::vector{run} : std::vector<RowRun>{});
            EXPECT_EQ(all[step].step.rows, 0u);
          }
          Order sorted = LaneOf::order(all), expected(of.lanes.rows_of(lane));
          std::sort(sorted.begin(), sorted.end());
          std::iota(expected.begin(), expected.end(), 0u);
          EXPECT_EQ(sorted, expected);
        }
}

TEST(ShuffleBuffer, LanesDrawEachForItselfAndTheFirstAsWithoutLanes) {
  const Lanes lanes{.rows = 3000, .batch_size = 60, .share = {.lanes = 3}};
  ShuffleBuffer whole = buffer(100);
  whole.epoch(2);
  const Order expected = Stream(1000).order(whole);
  std::vector<Order> all;
  for (std::size_t lane = 0; lane < 3; ++lane) {
    const LaneOf of{lanes, lane};
    ShuffleBuffer shuffle = of.buffer(100);
    shuffle.epoch(2);
    all.push_back(LaneOf::order(of.batches(shuffle)));
    EXPECT_EQ(LaneOf::order(of.batches(shuffle, 1)), all.back());
  }
  EXPECT_EQ(all[0], expected);
  EXPECT_NE(all[1], expected);
  EXPECT_NE(all[2], all[1]);
}

TEST(ShuffleBuffer, AnEpochOfALaneThatBeginsLaterIsTheRestOfItAndKnowsItsRows) {
  for (const std::size_t lane : {0u, 2u}) {
    const LaneOf of{{.rows = 1000, .batch_size = 100, .share = {.lanes = 3}}, lane};
    ShuffleBuffer shuffle = of.buffer(50);
    shuffle.epoch(3);
    const std::vector<Batch> whole = of.batches(shuffle);
    for (std::size_t step = 0; step <= 10; ++step) {
      shuffle.epoch(3, step * 100);
      const std::vector<Batch> rest(whole.begin() + static_cast<std::ptrdiff_t>(step), whole.end());
      const Order left = LaneOf::order(of.batches(shuffle));
      EXPECT_EQ(left, LaneOf::order(rest));
      const ShuffleBuffer::Needed needed = shuffle.needed(3, step * 100, of.lanes.rows_of(lane));
      Order said(needed.held.begin(), needed.held.end()), sorted = left;
      for (std::uint64_t row = needed.from; row < of.lanes.rows_of(lane); ++row)
        said.push_back(static_cast<std::uint32_t>(row));
      std::sort(sorted.begin(), sorted.end());
      EXPECT_EQ(said, sorted);
    }
  }
}

TEST(ShuffleBuffer, OfALaneThatSharesStepsWithOtherProcessesABatchSaysWhatTheStepIs) {
  const LaneOf of{{.rows = 1000, .batch_size = 300, .share = {.lanes = 3, .rank = 1, .ranks = 2}}, 1};
  ShuffleBuffer shuffle = of.buffer(50);
  const std::vector<Batch> all = of.batches(shuffle);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].step.rows, 300u);
  EXPECT_EQ(all[0].step.begins, (std::vector<std::size_t>{0, 2, 6}));
  EXPECT_EQ(all[3].step.rows, 100u);
  EXPECT_EQ(all[3].step.begins, (std::vector<std::size_t>{0, 1, 3}));
}

TEST(ShuffleBuffer, AStreamWithFewerRowsThanItsLaneIsRefused) {
  const LaneOf of{{.rows = 100, .batch_size = 30, .share = {.lanes = 2}}, 1};
  ShuffleBuffer shuffle = of.buffer(5);
  shuffle.images = "its file";
  const Stream stream(49);
  shuffle.reset();
  shuffle.push(stream.rows(0, 49));
  Batch out;
  while (shuffle.pull(out)) {
  }
  shuffle.finish();
  EXPECT_THROW(while (shuffle.pull(out)){}, DataError);
}

TEST(ShuffleBuffer, RefusesWhatCannotBe) {
  EXPECT_THROW(buffer(0).reset(), std::invalid_argument);
  EXPECT_THROW(buffer(10, 0).reset(), std::invalid_argument);
}

}  // namespace
}  // namespace sluice::stages
