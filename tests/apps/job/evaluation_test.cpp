#include "apps/job/evaluation.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include <sluice/stages/data_files.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include "apps/job/data_preparation.hpp"
#include "tests/apps/data.hpp"
#include "tests/apps/program.hpp"
#include "tests/stages/example.hpp"
#include "tests/support/thread_peers.hpp"

namespace sluice::apps::testing {
namespace {

// The loss is summed row block by row block: one that is cut would be other bits.
TEST(Evaluation, ABatchIsOfWholeRowBlocksOrSmallerThanOne) {
  for (std::size_t pixels = 1; pixels < 20'000; pixels += pixels < 3000 ? 1 : 97) {
    const std::size_t rows = evaluation_rows(pixels);
    EXPECT_GE(rows, 1u) << pixels;
    if (rows > kernels::row_block) {
      EXPECT_EQ(rows % kernels::row_block, 0u) << pixels;
    }
  }
  EXPECT_EQ(evaluation_rows(784), 512u);
}

bool same(const Metrics& one, const Metrics& other) {
  return one.loss == other.loss && one.accuracy == other.accuracy && one.count == other.count;
}

// Of a set that stays in its files each process reads its part, where the form lets it begin there.
TEST(Evaluation, OfSeveralProcessesHasTheBitsOfOneAndReadsItsPart) {
  constexpr std::size_t rows = 3001;  // six batches
  const Folder folder;
  ASSERT_EQ(sluice({"synth", folder.path("data"), "--train", "100", "--test", std::to_string(rows)}).code, 0);
  const std::string images = folder.path("data/t10k-images-idx3-ubyte.gz");
  const stages::Weights weights = stages::testing::example_weights(784, 10);
  std::optional<Metrics> first;
  for (const std::string form : {"as it is", "with an index", "not compressed"}) {
    SCOPED_TRACE(form);
    const bool indexed = form == "with an index";
    if (indexed) {
      ASSERT_EQ(sluice({"index", images}).code, 0);
    } else if (form == "not compressed") {
      ASSERT_EQ(run({"gunzip", images}).code, 0);
    }
    const auto preparation =
        data_preparation(true, stages::find_data_files({.folder = folder.path("data")}), {}, Threads(2));
    const JobData data = preparation->run();
    LabelledSet set = data.test;
    ASSERT_EQ(set.in_memory, nullptr);
    set.decoded = std::make_shared<stages::DecodedBytes>();
    Evaluation one(set, Threads(1));
    const Metrics whole = one.run(weights);
    if (!first) first = whole;
    EXPECT_TRUE(same(whole, *first));
    for (const std::size_t count : {2u, 3u, 7u}) {
      set.decoded->all = 0;
      sluice::testing::ThreadRanks ranks(count);
      ranks.run([&](stages::Peers& peers) {
        Evaluation part(set, Threads(1), "evaluate", &peers);
        for (int again = 0; again < 2; ++again) EXPECT_TRUE(same(part.run(weights), whole)) << count;
      });
      // Each begins where a piece does, and reads on to where one ends.
      if (indexed) {
        EXPECT_LT(set.decoded->all, 2 * (rows * 784 + 2 * count * (512 << 10))) << count;
      }
    }
  }
}

}  // namespace
}  // namespace sluice::apps::testing
