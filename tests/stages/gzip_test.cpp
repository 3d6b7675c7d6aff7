#include <sluice/stages/gzip.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

Chunk chunk_of(const std::string& bytes) {
  Chunk chunk;
  std::uint8_t* const data = chunk.owner.renew().reserve(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), data);
  chunk.data = data;
  chunk.size = bytes.size();
  return chunk;
}
std::string compressed(const std::string& bytes, const Gzip& stage = {}) {
  Chunk out;
  stage(chunk_of(bytes), out);
  return {out.data, out.data + out.size};
}

TEST(Gzip, MembersOneAfterTheOtherAreAFileOfAllTheBytes) {
  const Folder folder;
  const std::string a = pixels(5000), b = "", c(100'000, 'c');
  for (int level = 1; level <= 9; ++level) {
    const Gzip stage{.level = level};
    const std::string path = folder.write("a.gz", compressed(a, stage) + compressed(b, stage) + compressed(c, stage));
    EXPECT_EQ(decoded(path), a + b + c);
  }
}

TEST(Gzip, TheSameBytesFromTheSameInput) {
  EXPECT_EQ(compressed(pixels(1000)), compressed(pixels(1000)));
  EXPECT_EQ(compressed("x").substr(4, 4), std::string(4, '\0')) << "no time of day";
}

TEST(Gzip, NoMemberOwnsMoreThanIsStatedAlsoWhereNothingCompresses) {
  for (const std::size_t size : Sizes{0, 1, 100, 70'000, 1'000'000}) {
    const Gzip stage{.level = 1, .chunk_bytes = size};
    Chunk out;
    stage(chunk_of(sluice::test::noise(size)), out);
    if (size > 0) {
      EXPECT_LE(out.owner->capacity, stage.payload_bytes());
      EXPECT_GE(out.size, size);
    }
  }
  EXPECT_EQ(Gzip{}.payload_bytes(), std::nullopt);
}

TEST(Gzip, UsesAnEarlierMembersMemoryAgain) {
  Chunk out;
  const Gzip stage;
  stage(chunk_of(pixels(1000)), out);
  const auto* const place = out.data;
  stage(chunk_of(pixels(900)), out);
  EXPECT_EQ(out.data, place);
}

TEST(Gzip, ALevelOutOfRangeIsRefused) {
  for (const int level : {-1, 0, 10})
    expect_error<std::invalid_argument>([&] { compressed("x", {.level = level}); },
                                        {std::to_string(level), "expected 1 to 9"});
}

}  // namespace
}  // namespace sluice::stages::testing
