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
  const std::string text = data.folder().write("text", "hello world");
  const std::string packed = data.folder().write("text.gz", test::gzip("hello world"));
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

struct TableCase {
  std::string text;
  Arguments flags;  // with which train reads it, or says what is wrong
  const char* wrong = nullptr;
};

// A header that is longer than what is read of a file at once.
std::string wide_table() {
  std::string names, values;
  for (int column = 0; column < 9000; ++column)
    names += "a_name_of_" + std::to_string(column) + ",", values += std::to_string(column % 7) + ",";
  return names + "label\n" + values + "0\n" + values + "1\n";
}

std::string late_word() {
  std::string text = "a,note,label\n";
  for (int row = 0; row < 25; ++row) text += "1,NA,0\n";
  return text + "2,late,1\n";
}

TEST_F(Inspect, ATableIsSoundWhereTrainReadsItAndOtherwiseSaysTheSame) {
  const Arguments last{"--label-column", "-1"};
  const TableCase all[] = {
      {"a,label\n1,0\n2,1\n", {}},
      {"\xef\xbb\xbf"
       "1,2\n3,4\nxx,6\n",
       {"--label-column", "1"}},
      {"a,t,b,label\n1,\"x\ny\",2,0\nzzz,\"z\nw\",4,1\n", {"--ignore-columns", "a,t"}},
      {"a,w,1,2,3,label\n1,x,3,4,5,0\n2,y,6,7,8,1\n", {"--ignore-columns", "w"}},
      {late_word(), {"--ignore-columns", "note"}},
      {wide_table(), {}},
      {"\na,label\n1,0\n2,1\n", {}},
      {"1,2,0\n", last},
      {"a,5,2\n1,2,0\n3,4,1\n", last + Arguments{"--header", "yes"}},
      {"0,1,2,3\n5,6,7,1\n", last + Arguments{"--header", "no"}},
      {",a,label\n0,5,0\n1,6,1\n", {"--ignore-columns", "1"}},
      {"a,a,b,label\n1,2,3,0\n3,4,5,1\n", {"--ignore-columns", "1,2"}},
      {"label,y,a\n1,2,0\n0,4,1\n", {"--label-column", "label"}},
      {"PAR1,GIF8,label\n1,2,0\n3,4,1\n", {}},
      {"a,label\n,0\nNA,1\n2,1\n", {"--missing", "zero"}},
      {"a,b,label\n1e99,1,0\n2,2,1\n", {"--ignore-columns", "a"}},
      {"\xff\xfe"
       "a,b",
       {},
       "is text in UTF-16"},
      {"sep=,\na,label\n1,0\n", {}, "begins with a line for spreadsheets alone"},
      {"caf\xe9,label\n1,0\n2,1\n", {}, "has a name that is no UTF-8"},
      {"\"a,label\n1,0\n2,1\n", last, "column 1 of its first row opens a quote"},
      {"a,label\n", {}, "has a header and no rows"},
      {"\n\n\n", {}, "has no rows"},
      {"a,label\r1,0\r2,1\r", {}, "its lines end with CR alone"},
      {"a,label\n1,0\n2\n", {}, "line 3: 1 cell, expected 2"},
      {"a,b\nx,z\ny,w\n", last, "line 2, column 1 (a): 'x'"},
      {"\"a,b\"\n1\n", last, "1 column"},
      {"a,b\n,\nNA,NA\n", last, ""},
  };
  for (const auto& [text, flags, wrong] : all) {
    const std::string path = data.folder().write("t.csv", text), begins = text.substr(0, 60);
    const json file = inspected(path, wrong ? 3 : 0);
    EXPECT_EQ(file["kind"], "table") << begins;
    const Result train = sluice(Arguments{"train", "--train", path, "--test", path, "--epochs", "1"} + flags);
    EXPECT_EQ(train.code, wrong ? 3 : 0) << begins << train.err;
    if (wrong) {
      EXPECT_TRUE(contains(file["error"], wrong)) << begins << file;
      EXPECT_TRUE(contains(train.err, wrong)) << begins << train.err;
    }
    EXPECT_FALSE(flags.empty() && file.contains("train_asks")) << file;
    // Through a pipe, which can be read only once, it is the same but for what only a file tells, and its name.
    const Result piped = run({"sh", "-c", "cat '" + path + "' | '" + sluice_path() + "' inspect --json /dev/stdin"});
    EXPECT_EQ(piped.code, wrong ? 3 : 0) << piped.err;
    json through = parsed_json(piped.out)["files"][0], expected = file;
    for (const char* other : {"path", "error", "compressed", "compression"})
      through.erase(other), expected.erase(other);
    EXPECT_EQ(through, expected);
  }
}

TEST_F(Inspect, TheColumnsOfATableThatHaveWordsAreNamed) {
  const json mixed = inspected(data.folder().write("t.csv", "a,t,b,label\n1,\"x\ny\",2,0\nzzz,\"z\nw\",4,1\n"));
  EXPECT_EQ(mixed["columns_of_words"], (json{"t"}));
  EXPECT_EQ(mixed["numbers_and_words"], (json{{{"column", "a"}, {"words", 1}, {"line", 4}, {"first", "zzz"}}}));
  EXPECT_EQ(mixed["rows"], 2);
  const std::string late = data.folder().write("late.csv", late_word());
  EXPECT_EQ(inspected(late)["columns_of_words"], (json{"note"}));
  EXPECT_EQ(inspected(late)["missing"], 25);
  // By its position, where the name does not tell it.
  const std::string same = data.folder().write("same.csv", "a,a,label\nx,1,0\nNA,2,1\n");
  EXPECT_EQ(inspected(same)["columns_of_words"], (json{"1"}));
  EXPECT_TRUE(contains(inspected(same)["train_asks"], "columns 1 and 2 are both called 'a'"));
  EXPECT_TRUE(contains(inspected(data.folder().write("u.csv", "1,2,0\n"))["train_asks"], "which column is the label?"));
  const std::string text = sluice({"inspect", data.path("t.csv")}).out;
  EXPECT_TRUE(contains(text, "numbers_and_words a: 1 of them words, the first in line 4, 'zzz'\n")) << text;
}

TEST_F(Inspect, WhatIsNoTextIsNoTable) {
  for (const std::string& bytes : {std::string("a,\x01\nb\n"), std::string("\xfe\xed,\x02,\x03\nb,\n")})
    EXPECT_EQ(inspected(data.folder().write("f", bytes), 3)["kind"], "unknown");
}

TEST_F(Inspect, AStandardizedModelIsSaidToBeOne) {
  trained(data.train() + Arguments{"--standardize", "--output", data.path("m")});
  EXPECT_EQ(inspected(data.path("m"))["standardized"], "42 features");
  EXPECT_FALSE(inspected(data.path("m")).contains("missing_values"));
  const std::string table = data.folder().write("t.csv", "a,b,label\n1,,0\n2,3,1\n4,5,0\n");
  trained({"train", "--train", table, "--test", table, "--missing", "mean", "--output", data.path("n")});
  EXPECT_EQ(inspected(data.path("n"))["missing_values"], "means kept");
  EXPECT_FALSE(inspected(data.path("n")).contains("standardized"));
  EXPECT_TRUE(contains(sluice({"inspect", data.path("m")}).out, "standardized   42 features\n"));
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
