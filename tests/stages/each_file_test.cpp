#include <sluice/stages/each_file.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

class EachFileTest : public ::testing::Test {
 protected:
  EachFile<Inflate> files(const std::vector<std::string>& paths) const {
    EachFile<Inflate> all;
    for (const std::string& path : paths) all.files.push_back({.path = path, .chunk_bytes = 40});
    return all;
  }
  // Bytes of each file, in the order in which they came.
  static std::vector<std::pair<std::size_t, std::string>> bytes(EachFile<Inflate>& all) {
    std::vector<std::pair<std::size_t, std::string>> seen;
    Chunk chunk;
    while (all(chunk)) {
      if (seen.empty() || seen.back().first != chunk.file) seen.emplace_back(chunk.file, "");
      EXPECT_EQ(chunk.offset, seen.back().second.size());
      seen.back().second.append(chunk.data, chunk.data + chunk.size);
    }
    return seen;
  }
  const Folder folder;
  const std::string a = pixels(100), b = pixels(33);
  const std::string first = folder.write("a.gz", gzip(a)), second = folder.write("b", b);
};

TEST_F(EachFileTest, GivesTheFilesOneAfterTheOtherWithTheirIndex) {
  EachFile<Inflate> all = files({first, second, first});
  const std::vector<std::pair<std::size_t, std::string>> expected{{0, a}, {1, b}, {2, a}};
  EXPECT_EQ(bytes(all), expected);
  Chunk chunk;
  EXPECT_FALSE(all(chunk)) << "the end stays the end";
  all.reset();
  EXPECT_EQ(bytes(all), expected);
}

TEST_F(EachFileTest, ResetInTheMiddleStartsAtTheFirst) {
  EachFile<Inflate> all = files({second, first});
  Chunk chunk;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(all(chunk));
  EXPECT_EQ(chunk.file, 1u);
  all.reset();
  EXPECT_EQ(bytes(all).front(), std::pair(std::size_t{0}, b));
}

TEST_F(EachFileTest, OfNoFilesIsEmptyAndAMissingOneIsAnErrorWhenItsTurnComes) {
  EachFile<Inflate> none;
  Chunk chunk;
  EXPECT_FALSE(none(chunk));
  EachFile<Inflate> all = files({second, folder.path("missing")});
  ASSERT_TRUE(all(chunk));
  expect_error<DataError>([&] { all(chunk); }, {folder.path("missing"), "cannot be opened"});
}

TEST_F(EachFileTest, StatesTheLargestPayload) {
  EachFile<Inflate> all = files({first, second});
  all.files[1].chunk_bytes = 70;
  EXPECT_EQ(all.payload_bytes(), 70u);
}

TEST_F(EachFileTest, BehindWhatIsWantedOfAFileComesTheNext) {
  EachFile<Inflate> all = files({first, second, first});
  all.ends = {1, 33, 41};
  const std::vector<std::pair<std::size_t, std::string>> expected{{0, a.substr(0, 40)}, {1, b}, {2, a.substr(0, 80)}};
  EXPECT_EQ(bytes(all), expected);
  all.reset();
  EXPECT_EQ(bytes(all), expected);
}

}  // namespace
}  // namespace sluice::stages::testing
