#include <sluice/stages/rows.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/idx.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

// The runs that a file's items come in, each as its bytes.
template <class Parser>
std::vector<std::string> runs(const std::string& file, std::size_t chunk_bytes, Regroup regroup,
                              std::vector<Rows>* kept = nullptr) {
  const Folder folder;
  const std::string path = folder.write("f", file);
  std::vector<std::string> all;
  std::uint64_t next = 0;
  Rows out;
  const auto pull_all = [&] {
    while (regroup.pull(out)) {
      EXPECT_EQ(out.first, next);
      next += out.count();
      std::string bytes;
      for (const auto* item : out.at) bytes.append(item, item + out.shape.pixels());
      all.push_back(bytes);
      if (kept) kept->push_back(out);
    }
  };
  drive(Inflate{.path = path, .chunk_bytes = chunk_bytes}, Parser{.paths = {path}}, [&](const Elements& elements) {
    regroup.push(elements);
    pull_all();
  });
  regroup.finish();
  pull_all();
  return all;
}

TEST(Rows, AreRunsOfAsManyItemsWhateverTheChunks) {
  const std::string file = images_file(20, 3, 5), expected = file.substr(16);
  for (const std::size_t chunk : Sizes{1, 15, 16, 46, 100, 1000})
    for (const std::size_t count : Sizes{1, 3, 4, 19, 20, 21}) {
      const std::vector<std::string> all = runs<ParseImages>(file, chunk, {.count = count});
      std::string bytes;
      for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].size() / 15, i + 1 < all.size() ? count : 20 - (all.size() - 1) * count);
        bytes += all[i];
      }
      EXPECT_EQ(bytes, expected);
    }
}

TEST(Rows, KeepNoMoreMemoryThanTheyState) {
  struct Case {
    std::string file;
    std::size_t item_bytes;
  };
  const std::vector<std::uint8_t> header =
      idx_header(ItemKind::images, {.count = 500, .rows = 3, .columns = 5, .type = ElementType::float64});
  for (const Case& c : {Case{images_file(500, 3, 5), 15},
                        {std::string(header.begin(), header.end()) + std::string(500 * 15 * 8, '\0'), 60}})
    for (const std::size_t chunk : Sizes{60, 100, 1000, 1 << 18})
      for (const std::size_t count : Sizes{1, 3, 64, 500}) {
        const Folder folder;
        const std::string path = folder.write("f", c.file);
        Regroup regroup{.count = count, .item_bytes = c.item_bytes, .chunk_bytes = chunk};
        Rows out;
        drive(Inflate{.path = path, .chunk_bytes = chunk}, ParseImages{.paths = {path}, .chunk_bytes = chunk},
              [&](const Elements& elements) {
                regroup.push(elements);
                while (regroup.pull(out)) {
                  std::size_t bytes = out.at.capacity() * sizeof(out.at[0]) + out.owners.size() * sizeof(out.owners[0]);
                  for (const auto& owner : out.owners) bytes += owner->capacity;
                  EXPECT_LE(bytes, regroup.payload_bytes()) << chunk << " " << count;
                }
              });
      }
  EXPECT_EQ(Regroup{}.payload_bytes(), std::nullopt);
}

TEST(Rows, KeepWhatTheyLieIn) {
  const std::string file = images_file(20, 3, 5);
  std::vector<Rows> kept;
  runs<ParseImages>(file, 40, {.count = 6}, &kept);
  std::string bytes;  // the chunks' memory would have been used again
  for (const Rows& rows : kept)
    for (const auto* item : rows.at) bytes.append(item, item + 15);
  EXPECT_EQ(bytes, file.substr(16));
}

TEST(Rows, AtOnceEndsARunWhereItsElementsEnd) {
  const std::string file = images_file(20, 3, 5);
  const std::vector<std::string> all = runs<ParseImages>(file, 16 + 45, {.count = 2, .at_once = true});
  std::vector<std::size_t> sizes;
  for (const std::string& run : all) sizes.push_back(run.size() / 15);
  EXPECT_EQ(sizes[0], 2u);
  EXPECT_EQ(sizes[1], 1u);  // the first chunk has three
}

TEST(Rows, OfNoItemsAreRefused) {
  Regroup regroup{.count = 0};
  EXPECT_THROW(regroup.push({}), std::invalid_argument);
}

TEST(Rows, OfAPartOfTheItemsHaveTheirIndexes) {
  const std::string file = images_file(20, 3, 5), items = file.substr(16);
  for (const std::size_t chunk : Sizes{1, 46, 100, 1000})
    for (const auto& part : {std::pair{0u, 20u}, {0u, 7u}, {7u, 13u}, {13u, 20u}, {19u, 25u}, {5u, 6u}}) {
      const auto begin = part.first, end = part.second;
      const Folder folder;
      Regroup regroup{.count = 4, .begin = begin, .end = end};
      std::string bytes;
      Rows out;
      const auto pull_all = [&] {
        while (regroup.pull(out)) {
          EXPECT_EQ(out.first, begin + bytes.size() / 15);
          EXPECT_EQ(out.begins,
                    bytes.empty() && begin == 0 ? std::vector<std::uint64_t>{0} : std::vector<std::uint64_t>{});
          for (const auto* item : out.at) bytes.append(item, item + 15);
        }
      };
      drive(Inflate{.path = folder.write("f", file), .chunk_bytes = chunk}, ParseImages{.paths = {"f"}},
            [&](const Elements& elements) {
              regroup.push(elements);
              pull_all();
            });
      regroup.finish();
      pull_all();
      EXPECT_EQ(bytes, items.substr(begin * 15, (end - begin) * 15));
    }
}

}  // namespace
}  // namespace sluice::stages::testing
