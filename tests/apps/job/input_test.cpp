// What users really meet, and what attackers send: every wrong input ends with one line on stderr that names the file,
// what was found, what was expected and the remedy; nothing on stdout, no file made, none touched. The same words from
// every decoder.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

using test::gzip;
using test::idx_header;
using test::idx_images;
using test::idx_labels;

// Trains with one of the four files replaced, writing to a new file and over an existing one.
void expect_refused(const std::string& flag, const std::string& file, const std::vector<std::string>& parts,
                    const Arguments& more = {}) {
  const SmallData data;
  const std::string fresh = data.path("new.safetensors"), old = data.folder().write("old.safetensors", "as it was");
  const auto before = data.folder().files();
  std::string said;
  for (const auto& [output, decoder] : {std::pair{fresh, "auto"}, {old, "zlib"}}) {
    SCOPED_TRACE(flag + " " + file + " --output " + output + " --decoder " + decoder);
    const Result r =
        sluice(data.train() + Arguments{"--json", "--output", output, "--decoder", decoder, flag, file} + more);
    if (!said.empty()) {
      EXPECT_EQ(r.err, said);
    }
    said = r.err;
    EXPECT_EQ(r.code, 3) << r.err;
    EXPECT_EQ(r.signal, 0);
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(r.err.starts_with("sluice: ")) << r.err;
    for (const std::string& part : parts)
      EXPECT_TRUE(contains(r.err, part)) << "missing: " << part << "\nin: " << r.err;
    EXPECT_EQ(data.folder().files(), before) << "a file was made";
    EXPECT_EQ(test::contents_of(old), "as it was");
  }
}

class Input : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& bytes) { return folder_.write(name, bytes); }
  std::string missing(const std::string& name) const { return folder_.path(name); }

 private:
  Folder folder_;
};

TEST_F(Input, AMissingFile) {
  for (const char* flag : {"--train-images", "--train-labels", "--test-images", "--test-labels"})
    expect_refused(flag, missing("a.gz"), {missing("a.gz"), "No such file", "is the path right?"});
}

TEST_F(Input, AFolder) {
  expect_refused("--train-images", missing(""), {"is a folder, expected a file"});
}

TEST_F(Input, AnEmptyFile) {
  expect_refused("--train-labels", file("a.gz", ""), {"a.gz: is empty, expected data", "interrupted?"});
}

TEST_F(Input, AnHtmlPageSavedAsGz) {
  expect_refused("--train-images", file("a.gz", "<!DOCTYPE html>\n<html>\n"),
                 {"a.gz: begins with bytes 3c 21", "expected 1f 8b", "an HTML page", "download it again"});
}

TEST_F(Input, ATruncatedGzip) {
  const std::string whole = gzip(train_images());
  for (const std::size_t size : {whole.size() / 2, whole.size() - 1})
    expect_refused("--train-images", file("a.gz", whole.substr(0, size)),
                   {"a.gz: ends at byte " + std::to_string(size), "expected the rest", "interrupted?"});
}

TEST_F(Input, AFlippedByte) {
  std::string damaged = gzip(train_images());
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  expect_refused("--train-images", file("a.gz", damaged), {"a.gz: is damaged at byte ", "download it again"});
  damaged = gzip(test_labels());
  damaged[damaged.size() - 6] = static_cast<char>(~damaged[damaged.size() - 6]);
  expect_refused("--test-labels", file("b.gz", damaged), {"b.gz: is damaged at byte ", "incorrect data check"});
}

// A sample of what tests/stages/damaged_input_test.cpp has whole.
TEST_F(Input, AFlippedBitAnywhereIsSaidOfTheFileThatHasIt) {
  const auto expect_each_refused = [&](const char* flag, const std::string& whole,
                                       const std::vector<std::size_t>& places) {
    for (const std::size_t at : places) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
      expect_refused(flag, file("a.gz", damaged), {"sluice: " + missing("a.gz") + ": "});
    }
  };
  // ID1, CM, reserved flags, the data of images (those of labels repeat themselves: another distance may give the same
  // bytes), the checksum and the length.
  for (const auto& [flag, whole] :
       {std::pair{"--train-images", gzip(train_images())}, {"--test-images", gzip(test_images())}})
    expect_each_refused(
        flag, whole,
        {0, 2, 3, whole.size() / 8, whole.size() / 2, whole.size() * 7 / 8, whole.size() - 8, whole.size() - 1});
  for (const auto& [flag, whole] :
       {std::pair{"--train-labels", gzip(train_labels())}, {"--test-labels", gzip(test_labels())}})
    expect_each_refused(flag, whole, {0, 2, 3, whole.size() - 8, whole.size() - 1});
}

TEST_F(Input, TrailingBytes) {
  const std::string whole = gzip(train_labels());
  expect_refused("--train-labels", file("a.gz", whole + "tail"),
                 {"a.gz: has bytes 74 61 at byte " + std::to_string(whole.size()), "expected the end", "appended"});
  expect_refused("--train-labels", file("plain", train_labels() + "x"), {"plain: goes on after 500 labels"});
}

TEST_F(Input, AWrongMagic) {
  expect_refused("--train-images", file("a.gz", gzip(std::string(100, 'x'))),
                 {"a.gz: IDX magic 0x78787878, expected 0x00000803", "is it an IDX file, or one of NumPy's?"});
  expect_refused("--train-images", file("b.gz", gzip(idx_header(3, {500, 6, 7}, 0x0a) + std::string(84000, 'x'))),
                 {"b.gz: IDX magic 0x00000a03", "is it an IDX file, or one of NumPy's?"});
  expect_refused("--train-images", file("c.gz", gzip(gzip(train_images()))), {"c.gz: ", "compressed twice?"});
}

TEST_F(Input, ImagesAndLabelsSwapped) {
  const SmallData other;
  expect_refused("--train-images", other.path("train-labels-idx1-ubyte.gz"),
                 {"IDX magic 0x00000801, expected 0x00000803: are images and labels swapped?"});
  expect_refused("--train-labels", other.path("train-images-idx3-ubyte.gz"),
                 {"IDX magic 0x00000803, expected 0x00000801: are images and labels swapped?"});
}

TEST_F(Input, ImagesAndLabelsOfDifferentCounts) {
  expect_refused("--train-labels", file("a.gz", gzip(test_labels())),
                 {"has 500 images", "a.gz has 200 labels", "belong together?"});
}

TEST_F(Input, ATestSetOfAnotherImageSize) {
  expect_refused("--test-images", file("a.gz", gzip(idx_images(std::string(200 * 42, 'x'), 7, 6))),
                 {"a.gz: images of 7 x 6 pixels, expected 6 x 7", "belong together?"});
}

TEST_F(Input, AHeaderThatPromisesTerabytesOrOverflows) {
  const std::uint32_t most = 0xffffffff;
  expect_refused("--train-images", file("a.gz", gzip(idx_header(3, {most, 6, 7}) + pixel_bytes(500, 1))),
                 {"a.gz: the header promises 4294967295 images, the file ends after 500", "cut short?"});
  for (const auto& sizes : {std::vector{most, most, most}, {65536u, 65536u, 65536u}, {2u, 0x80000000u, 2u}})
    expect_refused("--train-images", file("b.gz", gzip(idx_header(3, sizes) + pixel_bytes(500, 1))),
                   {"b.gz: the header promises images of ", "expected at most 67108864 pixels"});
  expect_refused("--train-labels", file("c.gz", gzip(idx_header(1, {most}) + "abc")),
                 {"c.gz: the header promises 4294967295 labels, the file ends after 3"});
}

TEST_F(Input, ABombBehindASmallHeader) {
  expect_refused("--train-images", file("a.gz", test::gzip_zeros(std::size_t{1} << 28, train_images())),
                 {"a.gz: goes on after 500 images", "expected its end there"});
}

TEST_F(Input, ABombTakesNoMoreMemoryThanWhatItsHeaderDeclares) {
  const SmallData data;
  const std::string log = missing("log");
  // In bytes, of a program that ended well or did not.
  const auto peak_of = [&](const Arguments& command, int code, const std::string& said) {
    const Result r = run(Arguments{"env", "SLUICE_PEAK_LOG=" + log} + command);
    EXPECT_EQ(r.code, code) << r.err;
    EXPECT_TRUE(contains(r.err, said)) << r.err;
    const std::size_t peak = std::stoull(test::contents_of(log)) * 1024;
    std::filesystem::remove(log);
    return peak;
  };
  const Arguments train = Arguments{SLUICE_WITH_FAULTS} + data.train() + Arguments{"--quiet"};
  const std::size_t usual = peak_of(train, 0, ""), most = usual + (std::size_t{64} << 20);
  const std::string bomb = file("a.gz", test::gzip_zeros(std::size_t{1} << 30, train_images()));
  for (const char* decoder : {"auto", "zlib"}) {
    const Arguments named = train + Arguments{"--decoder", decoder, "--train-images"};
    EXPECT_LT(peak_of(named + Arguments{bomb}, 3, ": goes on after 500 images"), most);
    const Arguments from_pipe{"bash", "-c", "exec \"$@\" <(cat '" + bomb + "')", "bash"};
    EXPECT_LT(peak_of(from_pipe + named, 3, ": goes on after 500 images"), most);
  }
}

TEST_F(Input, ALabelOutsideTheClasses) {
  std::vector<std::uint8_t> labels = label_bytes(200);
  labels[17] = 3;
  expect_refused("--test-labels", file("a.gz", gzip(idx_labels(labels))),
                 {"a.gz: label 3 of image 17, expected 0 to 2", "3 classes"});
  expect_refused("--classes", "2", {"expected 0 to 1", "2 classes", "--classes"});
}

TEST_F(Input, ZeroImagesRowsOrColumns) {
  expect_refused("--train-images", file("a.gz", gzip(idx_header(3, {0, 6, 7}))),
                 {"a.gz: the header promises 0 images"});
  expect_refused("--train-labels", file("b.gz", gzip(idx_header(1, {0}))), {"b.gz: the header promises 0 labels"});
  expect_refused("--train-images", file("c.gz", gzip(idx_header(3, {500, 0, 7}))),
                 {"c.gz: ", "images of 0 x 7 pixels"});
  expect_refused("--train-images", file("d.gz", gzip(idx_header(3, {500, 6, 0}))),
                 {"d.gz: ", "images of 6 x 0 pixels"});
}

TEST_F(Input, AHeaderCutShort) {
  expect_refused("--train-images", file("a.gz", gzip(idx_header(3, {500, 6}))), {"a.gz: ends after 12 bytes"});
}

TEST_F(Input, AFolderOfAnotherKind) {
  const Folder other;
  const std::string path = other.write("file", "");
  for (const auto& [folder, text] : {std::pair{other.path(), "has no train-images-idx3-ubyte, compressed or plain"},
                                     {other.path("missing"), "not found, expected a folder"},
                                     {path, "is no folder, expected a folder"}}) {
    const Result r = sluice({"train", "--data", folder});
    EXPECT_EQ(r.code, 3);
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(r.err.starts_with("sluice: " + folder + ": " + text)) << r.err;
  }
}

TEST(InputFiles, MayBePlainOrCompressedAndNamedOneByOne) {
  const SmallData data;
  const Folder plain;
  const Arguments named{"train",
                        "--train-images",
                        plain.write("a", train_images()),
                        "--train-labels",
                        plain.write("b", gzip(train_labels().substr(0, 9)) + gzip(train_labels().substr(9))),
                        "--test-images",
                        plain.write("c", test_images()),
                        "--test-labels",
                        plain.write("d", test_labels()),
                        "--batch-size",
                        "100",
                        "--epochs",
                        "2"};
  const Result one = sluice(data.train() + Arguments{"--quiet"}), other = sluice(named + Arguments{"--quiet"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(other.code, 0) << other.err;
  for (const char* beginning : {"train loss ", "weights sha256 "})
    EXPECT_EQ(line_with(one.out, beginning), line_with(other.out, beginning));
}

TEST(InputFiles, EveryDecoderGivesTheSameResult) {
  const SmallData data;
  const json by_zlib = trained(data.train() + Arguments{"--decoder", "zlib"});
  EXPECT_EQ(by_zlib["options"]["decoder"], "zlib");
  const json by_default = trained(data.train());
  EXPECT_EQ(results_of(by_default), results_of(by_zlib));
  const bool built_with_libdeflate = !contains(sluice({"--version"}).out, "libdeflate none");
  EXPECT_EQ(by_default["options"]["decoder"], built_with_libdeflate ? "libdeflate" : "zlib");
  const Result asked = sluice(data.train() + Arguments{"--decoder", "libdeflate", "--quiet"});
  EXPECT_EQ(asked.code, built_with_libdeflate ? 0 : 2) << asked.err;
}

TEST(InputFiles, MayComeThroughPipes) {
  const SmallData data;
  const Result r = run({"bash", "-c",
                        "'" + sluice_path() + "' train --quiet --batch-size 100 --epochs 2 --train-images <(cat '" +
                            data.path("train-images-idx3-ubyte.gz") + "') --train-labels <(zcat '" +
                            data.path("train-labels-idx1-ubyte.gz") + "') --data '" + data.folder().path() + "'"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(line_with(r.out, "weights sha256 "),
            line_with(sluice(data.train() + Arguments{"--quiet"}).out, "weights sha256 "));
}

}  // namespace
}  // namespace sluice::apps::testing
