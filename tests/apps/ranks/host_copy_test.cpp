#include "apps/ranks/host_copy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

using nlohmann::json;

// Rows that do not lie in the order of their memory, as those of a part held out.
struct Held {
  Held() : memory(5 * 6) {
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::uint8_t>(i);
    for (stages::DataSet* const set : {&train, &test}) {
      set->rows = 2, set->columns = 3, set->classes = 4, set->path = "images", set->divisor = 255.f;
      set->labels = {3, 0, 1};
    }
    for (const std::size_t row : {4u, 0u, 1u}) train.images.push_back(memory.data() + row * 6);
    for (const std::size_t row : {1u, 2u, 3u}) test.images.push_back(memory.data() + row * 6);
    data.train = LabelledSet(train), data.test = LabelledSet(test);
    data.test.one_file = true;
    data.transform = {.fill = {0.1f}, .mean = {1e-30f, 3.3f}, .deviation = {7, 0}};
    data.table = {.words = {"no", "yes"}, .features = {"a"}, .bytes = true, .notes = {"a note"}};
    data.digests = {"1", "2", "3", "4", "", ""};
  }
  std::vector<std::uint8_t> memory;
  stages::DataSet train, test;
  JobData data;
};

void expect_same(const LabelledSet& taken, const LabelledSet& given) {
  const stages::DataSet &its = *taken.in_memory, &set = *given.in_memory;
  ASSERT_EQ(its.size(), set.size());
  EXPECT_EQ(taken.count, given.count);
  EXPECT_EQ(taken.one_file, given.one_file);
  EXPECT_EQ(its.labels, set.labels);
  EXPECT_EQ(its.divisor, set.divisor);
  EXPECT_EQ(its.path, set.path);
  EXPECT_EQ(taken.shape.pixels(), given.shape.pixels());
  EXPECT_EQ(taken.shape.classes, given.shape.classes);
  for (std::size_t i = 0; i < set.size(); ++i)
    EXPECT_EQ(std::memcmp(its.images[i], set.images[i], set.image_bytes()), 0) << i;
}

TEST(HostCopy, IsWhatWasLoaded) {
  HostCopy offered, taken;
  std::string offer;
  {
    Held held;
    offer = offered.offer(held.data);
    std::fill(held.memory.begin(), held.memory.end(), std::uint8_t{9});  // it is a copy
  }
  const JobData& data = taken.take(offer);
  const Held again;
  expect_same(data.train, again.data.train);
  expect_same(data.test, again.data.test);
  EXPECT_EQ(data.validation.in_memory, nullptr);
  EXPECT_EQ(data.transform, again.data.transform);
  EXPECT_EQ(data.table.words, again.data.table.words);
  EXPECT_EQ(data.table.features, again.data.table.features);
  EXPECT_EQ(data.table.notes, again.data.table.notes);
  EXPECT_TRUE(data.table.bytes);
  EXPECT_EQ(data.digests, again.data.digests);
}

TEST(HostCopy, LastsWhenWhoOfferedItIsGone) {
  HostCopy taken;
  const JobData* data = nullptr;
  {
    HostCopy offered;
    data = &taken.take(offered.offer(Held().data));
  }
  const Held held;
  expect_same(data->train, held.data.train);
}

TEST(HostCopy, OfAProcessThatHasEndedOrOfAnotherFileIsRefused) {
  const Held held;
  std::string gone;
  {
    HostCopy offered;
    gone = offered.offer(held.data);
  }
  HostCopy offered, taken;
  json other = json::parse(offered.offer(held.data));
  other["memory"]["number"] = other["memory"]["number"].get<std::uint64_t>() + 1;  // the same place, something else
  for (const std::string& offer : {gone, other.dump()}) {
    try {
      taken.take(offer);
      ADD_FAILURE() << "taken: " << offer;
    } catch (const stages::DataError& error) {
      EXPECT_TRUE(contains(error.what(), "--one-copy no lets each load its own")) << error.what();
    }
  }
}

}  // namespace
}  // namespace sluice::apps::testing
