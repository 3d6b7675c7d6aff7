#include <gtest/gtest.h>

#include <string>

#include <sluice/stages/gzip_pieces.hpp>
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/gzip.hpp"

namespace sluice::apps::testing {
namespace {

class Inspect : public ::testing::Test {
 protected:
  // What --json says of one file.
  json inspected(const std::string& path, int code = 0) const {
    const Result r = sluice({"inspect", "--json", path});
    EXPECT_EQ(r.code, code) << r.err;
    EXPECT_EQ(r.err, "");
    const json all = parsed_json(r.out);
    EXPECT_EQ(all["files"].size(), 1u) << r.out;
    const json file = all["files"][0];
    EXPECT_EQ(file["path"], path);
    EXPECT_EQ(file["sound"], code == 0);
    EXPECT_EQ(file.contains("error"), code != 0);
    return file;
  }
  const SmallData data;
};

TEST_F(Inspect, AnIdxFileHasATypeAndAShape) {
  const json images = inspected(data.path("train-images-idx3-ubyte.gz"));
  EXPECT_EQ(images["kind"], "idx");
  EXPECT_EQ(images["compressed"], true);
  EXPECT_EQ(images["compression"], "gzip");
  EXPECT_EQ(images["element_type"], "uint8");
  EXPECT_EQ(images["shape"], (json{500, 6, 7}));
  EXPECT_EQ(images["bytes"], 16 + 500 * 42);
  // The digest is of what it decodes to, however it is compressed.
  const json plain = inspected(data.folder().write("plain", train_images()));
  EXPECT_EQ(plain["compressed"], false);
  EXPECT_EQ(plain["compression"], "none");
  EXPECT_EQ(plain["sha256"], images["sha256"]);
}

TEST_F(Inspect, AnIndexHasPoints) {
  if (!stages::decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
  const std::string images = data.path("train-images-idx3-ubyte.gz"), path = data.path("train-images-idx3-ubyte.gzi");
  ASSERT_EQ(sluice({"index", images}).code, 0);
  const json index = inspected(path);
  EXPECT_EQ(index["kind"], "gzip index");
  EXPECT_EQ(index["points"], 1);
  EXPECT_EQ(index["decoded_bytes"], 16 + 500 * 42);
  EXPECT_EQ(index["largest_piece"], 16 + 500 * 42);
  const std::string whole = test::contents_of(path);
  const json cut = inspected(data.folder().write("cut.gzi", whole.substr(0, whole.size() - 1)), 3);
  EXPECT_EQ(cut["kind"], "gzip index");
}

TEST_F(Inspect, EveryElementTypeAndRankIsKnown) {
  const std::pair<int, std::pair<const char*, int>> types[] = {{0x08, {"uint8", 1}},   {0x09, {"int8", 1}},
                                                               {0x0b, {"int16", 2}},   {0x0c, {"int32", 4}},
                                                               {0x0d, {"float32", 4}}, {0x0e, {"float64", 8}}};
  for (const auto& [code, type] : types)
    for (const std::vector<std::uint32_t>& sizes : {std::vector<std::uint32_t>{12}, {3, 4}, {3, 2, 2}, {1, 3, 2, 2}}) {
      const std::string header =
          test::idx_header(static_cast<std::uint8_t>(sizes.size()), sizes, static_cast<std::uint8_t>(code));
      const std::string whole = header + std::string(static_cast<std::size_t>(12 * type.second), 'x');
      const json file = inspected(data.folder().write("a", whole));
      EXPECT_EQ(file["element_type"], type.first);
      EXPECT_EQ(file["shape"], json(sizes));
      for (const std::string& wrong : {whole + "x", whole.substr(0, whole.size() - 1), header})
        EXPECT_EQ(inspected(data.folder().write("b", wrong), 3)["kind"], "idx");
    }
  const std::string huge = test::idx_header(3, {0xffffffff, 0xffffffff, 0xffffffff}, 0x0e);
  EXPECT_TRUE(contains(inspected(data.folder().write("a", huge), 3)["error"], "expected 2^64 or more"));
  EXPECT_EQ(inspected(data.folder().write("a", test::idx_header(1, {0})))["bytes"], 8);
}

TEST_F(Inspect, AModelAndACheckpointAreTold) {
  const json run = trained(data.train() + Arguments{"--output", data.path("m"), "--checkpoint", data.path("c")});
  for (const auto& [name, kind] : {std::pair{"m", "model"}, {"c", "checkpoint"}}) {
    const json file = inspected(data.path(name));
    EXPECT_EQ(file["kind"], kind);
    EXPECT_EQ(file["shape"], (json{3, 42}));
    EXPECT_EQ(file["checksum"], "right");
    EXPECT_EQ(file["weights_sha256"], run["weights_sha256"]);
  }
  const json checkpoint = inspected(data.path("c"));
  EXPECT_EQ(checkpoint["epochs_done"], 2);
  EXPECT_EQ(checkpoint["job"]["--lr"], 0.1);
  const std::string bytes = test::contents_of(data.path("c"));
  for (std::size_t at = 0; at < bytes.size(); at += 61) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    inspected(data.folder().write("damaged", damaged), 3);
  }
}

TEST_F(Inspect, DamageIsSaidOfItsFileAndTheOthersAreLookedAtToo) {
  const std::string whole = test::gzip(train_images());
  const std::string cut = data.folder().write("cut.gz", whole.substr(0, whole.size() / 2));
  const std::string text = data.folder().write("text", "hello, world");
  const std::string packed = data.folder().write("text.gz", test::gzip("hello, world"));
  EXPECT_EQ(inspected(packed)["kind"], "gzip");
  const Result r = sluice(
      {"inspect", cut, "/nowhere/x", text, data.folder().path(), packed, data.path("t10k-labels-idx1-ubyte.gz")});
  EXPECT_EQ(r.code, 3);
  EXPECT_TRUE(contains(r.out, cut + ": gzip, NOT SOUND: ends at byte ")) << r.out;
  EXPECT_TRUE(contains(r.out, "/nowhere/x: unknown, NOT SOUND: cannot be opened")) << r.out;
  EXPECT_TRUE(contains(r.out, text + ": unknown, NOT SOUND: begins like nothing that is known here")) << r.out;
  EXPECT_TRUE(contains(r.out, data.folder().path() + ": unknown, NOT SOUND: is a folder")) << r.out;
  EXPECT_TRUE(contains(r.out, packed + ": gzip, sound\n")) << r.out;
  EXPECT_TRUE(contains(r.out, "t10k-labels-idx1-ubyte.gz: idx, sound\n")) << r.out;
}

TEST_F(Inspect, AModelWhoseNamesEvalRefusesIsNotSound) {
  trained(data.train() + Arguments{"--output", data.path("m"), "--class-names", "a,b,c"});
  EXPECT_EQ(inspected(data.path("m"))["scale"], "1/255");
  std::string bytes = test::contents_of(data.path("m"));
  const std::string names = R"([\"a\",\"b\",\"c\"])";
  const std::size_t at = bytes.find(names);
  ASSERT_NE(at, std::string::npos);
  for (const std::string& wrong : {std::string(R"([\"a\",\"bbbbbbb\"])"), std::string(names.size(), 'x')}) {
    ASSERT_EQ(wrong.size(), names.size());
    bytes.replace(at, names.size(), wrong);
    // Without the checksum, which would be found first.
    std::string unchecked = bytes;
    unchecked.replace(unchecked.find("sluice.sha256"), 6, "other_");
    EXPECT_TRUE(contains(inspected(data.folder().write("n", unchecked), 3)["error"], "sluice.class_names"));
  }
}

TEST_F(Inspect, TensorsOfAnotherKindAreSoundAndSaidToBeNoModel) {
  const std::string header = R"({"__metadata__":{"format":"pt"},"fc1.weight":{"dtype":"F16","shape":[3,2],)"
                             R"("data_offsets":[0,12]},"scale":{"dtype":"F32","shape":[],"data_offsets":[12,16]}})";
  std::string whole(1, static_cast<char>(header.size()));
  whole += std::string(7, '\0') + header + std::string(16, 'x');
  const std::string path = data.folder().write("other", whole);
  const json file = inspected(path);
  EXPECT_EQ(file["kind"], "safetensors");
  EXPECT_EQ(file["tensors"][0], (json{{"name", "fc1.weight"}, {"element_type", "F16"}, {"shape", {3, 2}}}));
  EXPECT_EQ(file["metadata"], (json{{"format", "pt"}}));
  EXPECT_TRUE(contains(file["no_model"], "has a tensor 'fc1.weight', expected 'weight' and 'bias'"));
  const std::string text = sluice({"inspect", path}).out;
  EXPECT_TRUE(contains(text, path + ": safetensors, sound\n")) << text;
  EXPECT_TRUE(contains(text, "tensors        2: fc1.weight, F16, 3 x 2; scale, F32, one value\n")) << text;
  EXPECT_TRUE(contains(inspected(data.folder().write("cut", whole.substr(0, whole.size() - 1)), 3)["error"],
                       "'scale' lies at bytes 12 to 16 of 15"));
}

// One reader judges: a header that hides bytes behind a NUL, or has some before it, is nobody's model.
TEST_F(Inspect, AModelIsSoundForAllCommandsOrForNone) {
  trained(data.train() + Arguments{"--output", data.path("m")});
  const std::string model = test::contents_of(data.path("m"));
  const std::size_t length = static_cast<unsigned char>(model[0]) + 256u * static_cast<unsigned char>(model[1]);
  const std::string header = model.substr(8, length), tensors = model.substr(8 + length);
  const auto with = [&](std::string other) {
    other.append((8 - other.size() % 8) % 8, ' ');
    std::string bytes;
    for (unsigned b = 0; b < 8; ++b) bytes += static_cast<char>(other.size() >> 8 * b & 0xff);
    return data.folder().write("changed", bytes + other + tensors);
  };
  std::string unchecked = header;
  unchecked.replace(unchecked.find("sluice.sha256"), 6, "other_");
  inspected(with(unchecked));
  for (const std::string& wrong : {unchecked + std::string("\0{\"hidden\":1}", 13), " " + unchecked,
                                   "\xEF\xBB\xBF" + unchecked, unchecked + "{}"}) {
    const std::string path = with(wrong);
    inspected(path, 3);
    EXPECT_EQ(sluice(Arguments{"eval", "--model", path, "--data", data.folder().path()}).code, 3);
    EXPECT_EQ(sluice({"predict", "--model", path, "--images", data.path("t10k-images-idx3-ubyte.gz")}).code, 3);
  }
}

TEST_F(Inspect, NoNameReachesTheTerminalAsACommand) {
  const std::string path = data.folder().write("clear\x1b[2J\x1b]0;title\x07", train_images());
  const std::string missing = data.folder().path() + "/no\x1b[2J\nsuch";
  const Result sound = sluice({"inspect", path}), lost = sluice({"eval", "--model", missing});
  EXPECT_EQ(sound.code, 0);
  EXPECT_EQ(lost.code, 3);
  EXPECT_TRUE(contains(sound.out, "/clear\uFFFD[2J\uFFFD]0;title\uFFFD: idx, sound\n")) << sound.out;
  EXPECT_TRUE(contains(lost.err, "/no\uFFFD[2J\uFFFDsuch: cannot be opened")) << lost.err;
  for (const Result& r :
       {sound, lost, sluice({"train", "--data", missing}), sluice({"inspect", missing}),
        sluice({"train", "--capacity", "\x1b[2J=3"}), sluice({"\x1b[2J"}), sluice({"train", "--\x1b[2J"}),
        sluice({"train", "--lr", "\x1b[2J"}), sluice(data.train() + Arguments{"--dump-flags", "--train-images", path})})
    EXPECT_EQ((r.out + r.err).find_first_of("\x1b\x07"), std::string::npos) << r.out + r.err;
}

TEST_F(Inspect, AHeaderThatIsCutShortAndOtherCompressionsAreSaid) {
  for (const std::string& start : {train_images().substr(0, 10), test::gzip(train_images().substr(0, 10))}) {
    const json file = inspected(data.folder().write("start", start), 3);
    EXPECT_EQ(file["kind"], "idx");
    EXPECT_EQ(file["error"], "ends after 10 bytes, expected an IDX header of 16: was it cut short?");
  }
  // Within gzip.
  const std::pair<const char*, std::string> others[] = {{"zstd", test::gzip("\x28\xb5\x2f\xfd....")},
                                                        {"xz", test::gzip("\xfd\x37zXZ....")},
                                                        {"bzip2", test::gzip("BZh9....")}};
  for (const auto& [name, bytes] : others) {
    const std::string path = data.folder().write("c", bytes), said = std::string("is compressed by ") + name;
    EXPECT_TRUE(contains(inspected(path, 3)["error"], said));
    const Result read = sluice(data.train() + Arguments{"--train-images", path});
    EXPECT_EQ(read.code, 3);
    EXPECT_TRUE(contains(read.err, said)) << read.err;
  }
  const Result model = sluice({"eval", "--model", data.path("t10k-images-idx3-ubyte.gz")});
  EXPECT_EQ(model.code, 3);
  EXPECT_TRUE(contains(model.err, "begins as gzip does, expected a safetensors file")) << model.err;
}

// What stands behind -- is a file, whatever it looks like.
TEST_F(Inspect, AFileMayHaveTheNameOfAFlag) {
  const Result r = sluice({"inspect", "--", "--json=1"});
  EXPECT_EQ(r.code, 3) << r.err;
  EXPECT_TRUE(contains(r.out + r.err, "--json=1: unknown, NOT SOUND: cannot be opened")) << r.out << r.err;
}

TEST_F(Inspect, NeedsAFile) {
  const Result r = sluice({"inspect"});
  EXPECT_EQ(r.code, 2);
  EXPECT_TRUE(contains(r.err, "FILE")) << r.err;
}

}  // namespace
}  // namespace sluice::apps::testing
