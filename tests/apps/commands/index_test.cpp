// sluice index, and what uses what it wrote.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <sluice/stages/gzip_pieces.hpp>
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

namespace fs = std::filesystem;

// Made-up images, enough for some pieces, and a model of them.
class IndexCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!stages::decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
    ASSERT_EQ(sluice({"synth", data, "--train", "3000", "--test", "3000"}).code, 0);
    trained({"train", "--data", data, "--epochs", "1", "--output", model});
  }
  std::string file(const std::string& name) const { return data + "/" + name + ".gz"; }
  std::string index(const std::string& name) const { return data + "/" + name + ".gzi"; }
  std::vector<std::string> all() const {
    return {file("train-images-idx3-ubyte"), file("train-labels-idx1-ubyte"), file("t10k-images-idx3-ubyte"),
            file("t10k-labels-idx1-ubyte")};
  }
  Arguments eval(const Arguments& more = {}) const {
    return Arguments{"eval", "--model", model, "--data", data, "--json"} + more;
  }
  Arguments predict(const Arguments& more = {}) const {
    return Arguments{"predict", "--model", model, "--images", file("t10k-images-idx3-ubyte")} + more;
  }
  Arguments train(const Arguments& more = {}) const {
    return Arguments{"train", "--stream", "--data", data, "--epochs", "2"} + more;
  }
  const Folder folder;
  const std::string data = folder.path("data"), model = folder.path("model");
};

TEST_F(IndexCommand, WritesOneBesideEachFileAndChangesNoResult) {
  const std::string evaluated = sluice(eval()).out, predicted = sluice(predict()).out;
  const json of_stream = results_of(trained(train()));
  const Result r = sluice(Arguments{"index"} + all());
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(lines(r.out).size(), 4u);
  EXPECT_TRUE(contains(r.out, index("t10k-images-idx3-ubyte") + ": ") && contains(r.out, " of 2352016 decoded bytes"));
  for (const char* threads : {"1", "2", "5"}) {
    EXPECT_EQ(sluice(eval({"--threads", threads})).out, evaluated);
    EXPECT_EQ(sluice(predict({"--threads", threads})).out, predicted);
    EXPECT_EQ(results_of(trained(train({"--threads", threads}))), of_stream);
  }
  EXPECT_TRUE(
      contains(sluice({"graph", "--stream", "--data", data}).out, "inflate.train-images -> verify.train-images"));
  EXPECT_FALSE(contains(sluice({"graph", "--stream", "--data", data, "--no-index"}).out, "verify"));
}

TEST_F(IndexCommand, OnesInAFolderAreFoundThere) {
  const std::string cache = folder.path("cache");
  fs::create_directory(cache);
  const Result r = sluice(Arguments{"index", "--index-cache", cache, "--json"} + all());
  ASSERT_EQ(r.code, 0) << r.err;
  const json written = parsed_json(r.out)["files"];
  ASSERT_EQ(written.size(), 4u);
  EXPECT_EQ(written[2]["file"], all()[2]);
  EXPECT_EQ(written[2]["index"], cache + "/t10k-images-idx3-ubyte.gzi");
  EXPECT_EQ(written[2]["decoded_bytes"], 2352016);
  EXPECT_EQ(written[2]["bytes"], fs::file_size(cache + "/t10k-images-idx3-ubyte.gzi"));
  EXPECT_FALSE(fs::exists(index("t10k-images-idx3-ubyte")));
  EXPECT_FALSE(contains(sluice({"graph", "--stream", "--data", data}).out, "verify"));
  EXPECT_TRUE(contains(sluice({"graph", "--stream", "--data", data, "--index-cache", cache}).out, "verify"));
  EXPECT_EQ(sluice(eval({"--index-cache", cache})).out, sluice(eval()).out);
  EXPECT_EQ(sluice(eval({"--index-cache", cache, "--no-index"})).code, 2);
}

TEST_F(IndexCommand, OneThatIsDamagedOrOfAnotherFileChangesNothing) {
  const std::string evaluated = sluice(eval()).out;
  ASSERT_EQ(sluice(Arguments{"index"} + all()).code, 0);
  const std::string name = index("t10k-images-idx3-ubyte"), whole = test::contents_of(name);
  for (const std::string& other : {std::string("nothing"), whole.substr(0, whole.size() / 2),
                                   test::contents_of(index("train-images-idx3-ubyte")), std::string()}) {
    folder.write("data/t10k-images-idx3-ubyte.gzi", other);
    const Result r = sluice(eval());
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.out, evaluated);
  }
}

TEST_F(IndexCommand, AFileThatIsDamagedIsRefusedInTheSameWordsWithOneAndWithout) {
  ASSERT_EQ(sluice(Arguments{"index"} + all()).code, 0);
  const std::string name = "data/t10k-images-idx3-ubyte.gz";
  std::string damaged = test::contents_of(folder.path(name));
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 16);
  folder.write(name, damaged);
  const Result with = sluice(eval()), without = sluice(eval({"--no-index"}));
  EXPECT_EQ(with.code, 3);
  EXPECT_EQ(without.code, 3);
  EXPECT_EQ(with.err, without.err);
}

TEST_F(IndexCommand, WhatCannotHaveOneIsToldAndTheOthersGetTheirs) {
  const std::string stored = folder.write("data/stored.gz", test::gzip(test_images(), 0)),
                    of = folder.path("data/stored.gzi");
  const Result r = sluice({"index", folder.write("data/empty.gz", test::gzip("")), all()[0]});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(contains(r.err, "data/empty.gz: no index")) << r.err;
  EXPECT_TRUE(fs::exists(index("train-images-idx3-ubyte")));
  folder.write("data/stored.gzi", "somebody's");
  EXPECT_EQ(sluice({"index", stored}).code, 2) << "nothing but an index is replaced";
  EXPECT_EQ(test::contents_of(of), "somebody's");
}

TEST_F(IndexCommand, FlagsWithoutEffectAreErrorsAndTheDumpedLineRuns) {
  EXPECT_EQ(sluice({"train", "--data", data, "--decoder", "zlib", "--no-index"}).code, 2);
  EXPECT_EQ(sluice({"train", "--data", data, "--stream", "--decoder", "zlib", "--no-index"}).code, 2);
  EXPECT_EQ(sluice(eval({"--decoder", "zlib", "--index-cache", data})).code, 2);
  const std::string set = "SLUICE_INDEX_CACHE='" + data + "' '" + sluice_path() + "' ";
  const Result dumped =
      run({"sh", "-c", set + "train --stream --epochs 1 --no-index --dump-flags --data '" + data + "'"});
  EXPECT_EQ(dumped.code, 0) << dumped.err;
  EXPECT_FALSE(contains(dumped.out, "--index-cache")) << dumped.out;
  EXPECT_TRUE(contains(dumped.out, "--no-index")) << dumped.out;
  EXPECT_EQ(
      run({"sh", "-c",
           "SLUICE_INDEX_CACHE=/nowhere '" + sluice_path() + "' train --decoder zlib --epochs 1 --data '" + data + "'"})
          .code,
      0)
      << "it looks for none";
}

TEST_F(IndexCommand, WhatHasNoneIsAnErrorThatLeavesNothing) {
  const std::string plain = folder.write("plain", test_images()), html = folder.write("page.gz", "<html>");
  const std::string cut = folder.write("cut.gz", test::contents_of(all()[0]).substr(0, 1000));
  for (const std::string& wrong : {plain, html, cut, folder.path("missing.gz"), folder.path()}) {
    const Result r = sluice({"index", wrong});
    EXPECT_EQ(r.code, 3) << wrong;
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(contains(r.err, wrong)) << r.err;
  }
  EXPECT_EQ(sluice({"index", all()[0], "--index-cache", folder.path("no")}).code, 2);
  EXPECT_EQ(sluice(eval({"--index-cache", folder.path("no")})).code, 2);
  const std::string same = folder.write("data/train-images-idx3-ubyte", test::contents_of(all()[0]));
  EXPECT_EQ(sluice({"index", all()[0], same}).code, 2) << "both would have one";
  for (const auto& entry : fs::directory_iterator(folder.path())) EXPECT_NE(entry.path().extension(), ".gzi");
}

}  // namespace
}  // namespace sluice::apps::testing
