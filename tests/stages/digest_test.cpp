#include <sluice/stages/digest.hpp>

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include <sluice/stages/inflate.hpp>
#include "tests/support/files.hpp"
#include "tests/support/gzip.hpp"

namespace sluice::stages {
namespace {

std::string digest(std::initializer_list<std::string> pieces) {
  Sha256 sha;
  for (const auto& piece : pieces) sha.add(piece.data(), piece.size());
  return sha.hex();
}

TEST(Digest, GivesTheExamplesOfTheStandard) {
  EXPECT_EQ(digest({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest({"abc"}), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest({"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"}),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Digest, PiecesAreTheSameAsTheWhole) {
  EXPECT_EQ(digest({"a", "", "bc"}), digest({"abc"}));
}

TEST(Digest, OfAFileIsThatOfWhatItDecodesTo) {
  const test::Folder folder;
  const std::string contents = test::noise(100000, 1);
  Digest whole;
  for (const std::string& file : {contents, test::gzip(contents), test::gzip("") + test::gzip(contents)}) {
    Inflate inflate{.path = folder.write("file", file), .chunk_bytes = 777};
    whole.reset();
    Chunk chunk;
    while (inflate(chunk)) whole(chunk);
    whole.finish();
    EXPECT_EQ(whole.hex(), digest({contents}));
  }
}

}  // namespace
}  // namespace sluice::stages
