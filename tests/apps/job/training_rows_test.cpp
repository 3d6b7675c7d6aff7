#include "apps/job/training_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/stages/data_files.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/lanes.hpp>
#include "apps/job/data_preparation.hpp"
#include "tests/apps/data.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

// A batch as values.
struct Step {
  std::vector<std::string> rows;
  std::vector<std::uint16_t> labels;
  std::vector<stages::RowRun> runs;
  stages::StepRows step;
  bool operator==(const Step& other) const {
    return rows == other.rows && labels == other.labels && runs == other.runs;
  }
};

// 3001 images of 28 x 28 pixels: 2.4 MB in nine pieces.
class RowsOfTraining : public ::testing::Test {
 protected:
  RowsOfTraining() { EXPECT_EQ(sluice({"synth", folder_.path("data"), "--train", "3001", "--test", "10"}).code, 0); }
  void look() {
    preparation_ = data_preparation(true, stages::find_data_files({.folder = folder_.path("data")}), {}, Threads(2));
    set_ = preparation_->run().train;
  }
  // The epochs of one process, from a row on.
  std::vector<Step> steps(const stages::LaneShare& share, std::uint64_t epoch = 1, std::size_t first = 0,
                          std::size_t runs = 1) {
    TrainingRows rows;
    Graph g("rows", Threads(2));
    std::vector<Step> all;
    const auto batches = rows.wire(
        g, set_,
        {.batch_size = 500, .shuffle_buffer = 200, .lanes = share.lanes, .rank = share.rank, .ranks = share.ranks});
    g.sink(
        "keep",
        [&](const stages::Batch& batch) {
          Step step{.rows = {}, .labels = batch.labels, .runs = batch.runs, .step = batch.step};
          for (const std::uint8_t* row : batch.rows)
            step.rows.emplace_back(reinterpret_cast<const char*>(row), batch.pixels);
          all.push_back(std::move(step));
        },
        batches);
    for (std::size_t run = 0; run < runs; ++run) {
      all.clear();
      set_.decoded->all = 0;
      rows.epoch(epoch, first);
      g.run();
    }
    return all;
  }
  std::uint64_t decoded() const { return set_.decoded->all; }

  const Folder folder_;
  std::unique_ptr<DataPreparation> preparation_;
  LabelledSet set_;
};

TEST_F(RowsOfTraining, WhatProcessesHaveOfAStepIsTogetherTheStepOfOne) {
  look();
  for (const std::size_t lanes : {2u, 5u, 8u}) {
    const std::vector<Step> whole = steps({.lanes = lanes});
    for (const std::size_t ranks : {1u, 2u}) {
      std::vector<Step> together(whole.size());
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        const std::vector<Step> part = steps({.lanes = lanes, .rank = rank, .ranks = ranks});
        ASSERT_EQ(part.size(), whole.size());
        for (std::size_t k = 0; k < part.size(); ++k) {
          Step& to = together[k];
          if (ranks > 1) {
            EXPECT_EQ(part[k].step.rows, whole[k].rows.size());
            ASSERT_EQ(part[k].step.begins.size(), ranks + 1);
            EXPECT_EQ(part[k].step.blocks(), whole[k].runs.back().first_block + whole[k].runs.back().blocks());
            if (!part[k].runs.empty()) {
              EXPECT_EQ(part[k].step.begins[rank], part[k].runs.front().first_block);
            }
          }
          for (stages::RowRun run : part[k].runs) {
            run.first_row += to.rows.size();
            to.runs.push_back(run);
          }
          to.rows.insert(to.rows.end(), part[k].rows.begin(), part[k].rows.end());
          to.labels.insert(to.labels.end(), part[k].labels.begin(), part[k].labels.end());
        }
      }
      EXPECT_TRUE(together == whole) << lanes << " lanes, " << ranks << " processes";
    }
  }
}

TEST_F(RowsOfTraining, EachRunIsOfItsLaneAndEachRowComesOnce) {
  look();
  const std::string pixels = run({"gzip", "-dc", folder_.path("data/train-images-idx3-ubyte.gz")}).out.substr(16);
  std::multimap<std::string, std::size_t> places;  // rows may be alike
  for (std::size_t i = 0; i < 3001; ++i) places.emplace(pixels.substr(i * 784, 784), i);
  const stages::Lanes lanes{.rows = 3001, .batch_size = 500, .share = {.lanes = 5}};
  const std::vector<Step> all = steps(lanes.share);
  for (std::size_t k = 0; k < all.size(); ++k) {
    std::size_t lane = 0;
    for (const stages::RowRun& run : all[k].runs) {
      while (lanes.rows_in_step(lane, k) == 0) ++lane;
      for (std::size_t i = run.first_row; i < run.first_row + run.rows; ++i) {
        const auto [first, last] = places.equal_range(all[k].rows[i]);
        const auto its = std::find_if(first, last, [&](const auto& place) {
          return place.second >= lanes.first_row(lane) && place.second < lanes.first_row(lane + 1);
        });
        ASSERT_NE(its, last) << "not a row of lane " << lane << ", or a second time";
        places.erase(its);
      }
      ++lane;
    }
  }
  EXPECT_TRUE(places.empty());
}

TEST_F(RowsOfTraining, AnEpochThatGoesOnIsTheRestOfIt) {
  look();
  const stages::LaneShare share{.lanes = 3, .rank = 1, .ranks = 2};
  const std::vector<Step> whole = steps(share, 2);
  for (const std::size_t first : {500u, 1500u, 2500u, 3000u}) {
    const std::vector<Step> rest(whole.begin() + static_cast<std::ptrdiff_t>(first / 500), whole.end());
    for (const std::size_t runs : {1u, 2u})  // where the pieces are not known yet, and where they are
      EXPECT_TRUE(steps(share, 2, first, runs) == rest) << first;
  }
}

TEST_F(RowsOfTraining, AProcessDecodesItsOwnPartOfAnIndexedFile) {
  if (!stages::decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
  look();
  const std::vector<Step> expected = steps({.lanes = 4, .rank = 1, .ranks = 2});
  const std::uint64_t bytes = 3001 * 784 + 16, piece = 400'000;
  EXPECT_GE(decoded(), bytes) << "it is not known where its rows lie";
  const auto expect_half = [&](std::uint64_t more) {
    EXPECT_GE(decoded(), bytes / 2);
    EXPECT_LE(decoded(), bytes / 2 + more * piece);
  };
  // Where an epoch has found out where pieces lie. Both lanes have a piece that both need.
  EXPECT_TRUE(steps({.lanes = 4, .rank = 1, .ranks = 2}, 1, 0, 2) == expected);
  expect_half(3);
  steps({.lanes = 4, .rank = 0, .ranks = 2}, 1, 0, 2);
  expect_half(3);
  ASSERT_EQ(sluice({"index", folder_.path("data/train-images-idx3-ubyte.gz")}).code, 0);
  look();
  EXPECT_TRUE(steps({.lanes = 4, .rank = 1, .ranks = 2}) == expected);
  expect_half(5);
}

TEST_F(RowsOfTraining, ThereAreAsManyLanesAsProcesses) {
  look();
  EXPECT_THROW(steps({.lanes = 2, .rank = 0, .ranks = 3}), std::invalid_argument);
}

}  // namespace
}  // namespace sluice::apps::testing
