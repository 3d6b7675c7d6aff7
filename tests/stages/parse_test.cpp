#include "stages/parse.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "stages/errors.hpp"
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

// A decoded stream, cut into chunks at given places.
class Pieces {
 public:
  using Output = Chunk;
  Pieces(std::string bytes, std::vector<std::size_t> sizes) : bytes_(std::move(bytes)), sizes_(std::move(sizes)) {}
  Pieces(std::string bytes, std::size_t size) : bytes_(std::move(bytes)), sizes_(bytes_.size() / size + 1, size) {}

  bool operator()(Chunk& out) {
    if (next_ == sizes_.size()) return false;
    const std::size_t size = std::min(sizes_[next_++], bytes_.size() - offset_);
    auto* target = out.owner.renew().reserve(size + 1);
    std::copy_n(bytes_.data() + offset_, size, target);
    out.data = target;
    out.size = size;
    out.offset = offset_;
    offset_ += size;
    return true;
  }
  std::size_t given() const { return next_; }

 private:
  std::string bytes_;
  std::vector<std::size_t> sizes_;
  std::size_t next_ = 0, offset_ = 0;
};

// All items one after the other; each Elements is checked for order and shape.
template <class Parser>
std::string items(Pieces pieces, const IdxShape& shape, const std::string& path = "f") {
  std::string bytes;
  std::uint64_t next = 0;
  drive(pieces, Parser{.path = path}, [&](const Elements& e) {
    EXPECT_EQ(e.first, next);
    EXPECT_GT(e.count, 0u);
    EXPECT_EQ(e.shape, shape);
    EXPECT_TRUE(e.owner);
    next += e.count;
    bytes.append(e.data, e.data + e.count * shape.item_bytes());
  });
  EXPECT_EQ(next, shape.count);
  return bytes;
}

TEST(Parse, GivesEveryImageOnceInOrderWhateverTheChunks) {
  const std::string file = images_file(20, 3, 5), expected = file.substr(16);
  for (const std::size_t size : Sizes{1, 2, 14, 15, 16, 17, 30, 31, 46, 100, 1000})
    EXPECT_EQ(items<ParseImages>({file, size}, {20, 3, 5}), expected) << size;
}

TEST(Parse, GivesEveryLabelOnceInOrderWhateverTheChunks) {
  const std::string file = labels_file(50, 10), expected = file.substr(8);
  for (const std::size_t size : Sizes{1, 2, 7, 8, 9, 100})
    EXPECT_EQ(items<ParseLabels>({file, size}, {50, 1, 1}), expected) << size;
}

TEST(Parse, EveryWayToSplitTheStreamInTwoGivesTheSame) {
  const std::string file = images_file(4, 3, 5), labels = labels_file(9, 3);
  for (std::size_t cut = 0; cut <= file.size(); ++cut)
    EXPECT_EQ(items<ParseImages>({file, {cut, file.size() - cut}}, {4, 3, 5}), file.substr(16)) << cut;
  for (std::size_t cut = 0; cut <= labels.size(); ++cut)
    EXPECT_EQ(items<ParseLabels>({labels, {cut, labels.size() - cut}}, {9, 1, 1}), labels.substr(8)) << cut;
}

TEST(Parse, EmptyChunksChangeNothing) {
  const std::string file = images_file(4, 3, 5);
  EXPECT_EQ(items<ParseImages>({file, {0, 10, 0, 6, 0, 7, 0, 53, 0}}, {4, 3, 5}), file.substr(16));
}

TEST(Parse, AnImageLargerThanManyChunksIsPutTogether) {
  const std::string file = images_file(2, 100, 100);
  EXPECT_EQ(items<ParseImages>({file, 64}, {2, 100, 100}), file.substr(16));
}

TEST(Parse, CopiesOnlyWhatStraddlesTwoChunks) {
  Pieces pieces(images_file(10, 2, 5), {16 + 25, 30, 45});
  ParseImages parse{.path = "f"};
  Chunk chunk;
  std::vector<std::size_t> counts, copied;
  while (pieces(chunk)) {
    parse.push(chunk);
    for (Elements e; parse.pull(e);) {
      counts.push_back(e.count);
      copied.push_back(e.owner.get() != chunk.owner.get());
      if (!copied.back()) {
        EXPECT_GE(e.data, chunk.data);
      }
    }
  }
  parse.finish();
  EXPECT_EQ(counts, (std::vector<std::size_t>{2, 1, 2, 1, 4}));
  EXPECT_EQ(copied, (std::vector<std::size_t>{0, 1, 0, 1, 0}));
}

TEST(Parse, KeepsNoChunkThatItHasUsedUp) {
  // chunks that end within the header, after an item and within one
  for (const auto& sizes : {Sizes{7, 9, 20, 30, 50}, Sizes{36, 30, 50}, Sizes{41, 30, 45}}) {
    Pieces pieces(images_file(10, 2, 5), sizes);
    ParseImages parse{.path = "f"};
    Chunk chunk;
    std::set<const Bytes*> owners;
    while (pieces(chunk)) {
      owners.insert(chunk.owner.get());
      parse.push(chunk);
      for (Elements e; parse.pull(e);) continue;
    }
    parse.finish();
    EXPECT_EQ(owners.size(), 1u);
  }
}

TEST(Parse, FewerItemsThanPromisedAreAnErrorThatSaysHowMany) {
  const std::string file = images_file(4, 3, 5), labels = labels_file(9, 3);
  for (std::size_t size = 16; size < file.size(); ++size)
    expect_error<DataError>(
        [&] {
          items<ParseImages>({file.substr(0, size), 10}, {4, 3, 5});
        },
        {"f: the header promises 4 images, the file ends after " + std::to_string((size - 16) / 15)});
  for (std::size_t size = 8; size < labels.size(); ++size)
    expect_error<DataError>(
        [&] {
          items<ParseLabels>({labels.substr(0, size), 10}, {9, 1, 1});
        },
        {"f: the header promises 9 labels, the file ends after " + std::to_string(size - 8)});
}

TEST(Parse, AFileThatEndsWithinItsHeaderIsAnError) {
  const std::string file = images_file(4, 3, 5), labels = labels_file(9, 3);
  for (std::size_t size = 0; size < 16; ++size)
    expect_error<DataError>(
        [&] {
          items<ParseImages>({file.substr(0, size), 10}, {});
        },
        {"f: ends after " + std::to_string(size) + " bytes, expected an IDX header of 16"});
  for (std::size_t size = 0; size < 8; ++size)
    expect_error<DataError>(
        [&] {
          items<ParseLabels>({labels.substr(0, size), 10}, {});
        },
        {"f: ends after " + std::to_string(size) + " bytes, expected an IDX header of 8"});
}

TEST(Parse, AWrongFileIsToldByItsMagicEvenIfItIsTooShortForAHeader) {
  expect_error<DataError>([] { items<ParseImages>({labels_file(3, 2), 1}, {}); }, {"0x00000801", "swapped?"});
  expect_error<DataError>([] { items<ParseImages>({header({0x801}), 4}, {}); }, {"0x00000801", "swapped?"});
}

TEST(Parse, BytesAfterTheLastItemAreAnErrorAsSoonAsTheyCome) {
  for (const std::size_t size : Sizes{1, 10, 30, 1000}) {
    Pieces pieces(images_file(4, 3, 5) + std::string(1000, '\0'), size);
    expect_error<DataError>([&] { drive(std::ref(pieces).get(), ParseImages{.path = "f"}, [](const Elements&) {}); },
                            {"f: goes on after 4 images, expected its end there", "something appended?"});
    EXPECT_EQ(pieces.given(), 76 / size + 1);
  }
}

TEST(Parse, MemoryFollowsTheBytesThatCameAndNotTheHeader) {
  // 4 billion images of 64 MiB each
  ParseImages parse{.path = "f"};
  Pieces pieces(header({0x803, 0xffffffff, 8192, 8192}) + pixels(1000), 100);
  expect_error<DataError>([&] { drive(pieces, parse, [](const Elements&) { ADD_FAILURE(); }); },
                          {"f: the header promises 4294967295 images, the file ends after 0"});
  EXPECT_LE(parse.state_.partial.capacity(), 4000u);
}

TEST(Parse, StartsAgainAfterReset) {
  ParseLabels parse{.path = "f"};
  for (int run = 0; run < 2; ++run) {
    std::size_t count = 0;
    drive(Pieces(labels_file(9, 3), 4), parse, [&](const Elements& e) { count += e.count; });
    EXPECT_EQ(count, 9u);
    parse.reset();
  }
}

}  // namespace
}  // namespace sluice::stages::testing
