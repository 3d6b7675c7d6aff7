// --output, and a standard output that cannot be written.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include <sluice/stages/digest.hpp>
#include "apps/job/outputs.hpp"
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

namespace fs = std::filesystem;

// SHA-256 of the tensors of a safetensors file, weight first, found as the format says.
std::string sha_of_model(const std::string& path) {
  const std::string file = test::contents_of(path);
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(file.at(i));
  const json header = parsed_json(file.substr(8, length));
  stages::Sha256 digest;
  for (const char* name : {"weight", "bias"}) {
    EXPECT_EQ(header[name]["dtype"], "F32");
    const std::size_t begin = header[name]["data_offsets"][0], end = header[name]["data_offsets"][1];
    const std::string tensor = file.substr(8 + length).substr(begin, end - begin);
    digest.add(tensor.data(), tensor.size());
  }
  EXPECT_EQ(header["weight"]["shape"], json({3, 42}));
  EXPECT_EQ(header["bias"]["shape"], json({3}));
  return digest.hex();
}

TEST(Output, IsAModelWithTheWeightsThatTheResultNames) {
  const SmallData data;
  const std::string path = data.path("model.safetensors");
  const json r = trained(data.train() + Arguments{"--output", path});
  EXPECT_EQ(r["weights_sha256"], sha_of_model(path));
  EXPECT_EQ(r["options"]["output"], path);
}

TEST(Output, ReplacesAnOlderFileAndLeavesNothingElse) {
  const SmallData data;
  const std::string path = data.folder().write("model.safetensors", "older");
  const auto before = data.folder().files();
  const json r = trained(data.train() + Arguments{"--output", path});
  EXPECT_EQ(r["weights_sha256"], sha_of_model(path));
  EXPECT_EQ(data.folder().files(), before);
}

TEST(Output, IsNamedInTheText) {
  const SmallData data;
  const Result r = sluice(data.train() + Arguments{"--quiet", "--output", data.path("m")});
  EXPECT_TRUE(contains(r.out, data.path("m"))) << r.out;
}

TEST(Output, ThroughALinkReplacesTheFileThatItPointsTo) {
  const SmallData data;
  const std::string target = data.folder().write("target", "older"), link = data.path("link");
  fs::create_symlink("target", link);
  const json r = trained(data.train() + Arguments{"--output", link});
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(r["weights_sha256"], sha_of_model(target));
}

// Their names are all that is known of files that may not be looked at.
TEST(Output, ThatCannotBeLookedAtIsTheSameFileAsOneOfItsName) {
  const std::string deep = "/" + std::string(300, 'x') + "/";  // no folder has so long a name
  EXPECT_FALSE(same_file(deep + "a", deep + "b"));
  EXPECT_TRUE(same_file(deep + "a", deep + "b/../a"));
}

TEST(Output, ThatCannotBeWrittenIsFoundBeforeTraining) {
  const SmallData data;
  for (const std::string& path : {std::string("/nowhere/model"), data.folder().path(), std::string("/dev/full"),
                                  data.path("train-images-idx3-ubyte.gz/model")}) {
    const Result r = sluice(data.train() + Arguments{"--output", path});
    EXPECT_EQ(r.code, 2) << path;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << "an epoch was trained: " << r.err;
    EXPECT_TRUE(contains(r.err, path)) << r.err;
  }
  EXPECT_EQ(data.folder().files(), 4u);
}

TEST(Output, ThatIsAnInputIsRefused) {
  const SmallData data;
  const std::string labels = data.path("train-labels-idx1-ubyte.gz"), before = test::contents_of(labels);
  const Result r = sluice(data.train() + Arguments{"--output", data.path("./train-labels-idx1-ubyte.gz")});
  EXPECT_EQ(r.code, 2);
  EXPECT_TRUE(contains(r.err, "is the input")) << r.err;
  EXPECT_EQ(test::contents_of(labels), before);
}

TEST(Output, OfARunThatDivergedIsNotWritten) {
  const SmallData data;
  const std::string path = data.folder().write("model", "older");
  const Result r = sluice(data.train() + Arguments{"--quiet", "--lr", "1e38", "--output", path});
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.out, "");
  EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
  EXPECT_TRUE(contains(r.err, "epoch 1, step 2: the loss is")) << r.err;
  EXPECT_EQ(test::contents_of(path), "older");
}

TEST(Output, InAFolderThatMayNotBeWrittenIsFoundBeforeTraining) {
  const SmallData data;
  const Folder locked;
  ASSERT_EQ(::chmod(locked.path().c_str(), 0555), 0);
  Arguments program{sluice_path()};
  if (::geteuid() == 0) {  // root may write everywhere
    ASSERT_EQ(::chmod(data.folder().path().c_str(), 0755), 0);
    program = Arguments{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"} + program;
    if (run(program + Arguments{"--version"}).code != 0) GTEST_SKIP() << "nobody but root can reach the program";
  }
  const Result r = run(program + data.train() + Arguments{"--output", locked.path("model")});
  EXPECT_NE(r.code, 0);
  EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
  ::chmod(locked.path().c_str(), 0755);
}

TEST(Stdout, ThatIsFullIsAFailure) {
  const SmallData data;
  for (const Arguments& a :
       {data.train(), data.train() + Arguments{"--json"}, Arguments{"graph", "--data", data.folder().path()},
        Arguments{"--help"}, Arguments{"--version"}}) {
    const Result r = run(Arguments{sluice_path()} + a, "/dev/full");
    EXPECT_EQ(r.code, 1) << a[0] << r.err;
    EXPECT_EQ(r.signal, 0);
    EXPECT_TRUE(contains(r.err, "sluice: cannot write to the standard output")) << r.err;
  }
}

TEST(Stdout, OfWhichNobodyReadsMoreIsNoErrorAndNothingElseIsLost) {
  const SmallData data;
  const std::string model = data.path("model");
  const std::string images = data.path("train-images-idx3-ubyte.gz");
  for (const Arguments& a : std::vector<Arguments>{data.train() + Arguments{"--quiet", "--output", model},
                                                   data.train() + Arguments{"--quiet", "--json"},
                                                   {"graph", "--data", data.folder().path()},
                                                   {"inspect", images},
                                                   {"inspect", images, "--json"},
                                                   {"synth", data.path("more"), "--train", "10", "--test", "10"},
                                                   {"--help"}}) {
    const Result r = run_unread(Arguments{sluice_path()} + a);
    EXPECT_EQ(r.code, 0) << a[0];
    EXPECT_EQ(r.err, "") << a[0];
    EXPECT_EQ(r.signal, 0);
  }
  EXPECT_EQ(trained(data.train())["weights_sha256"], sha_of_model(model));
  EXPECT_TRUE(std::filesystem::exists(data.path("more/t10k-labels-idx1-ubyte.gz")));
  // What a file is counts all the same.
  data.folder().write("train-images-idx3-ubyte.gz", "none");
  EXPECT_EQ(run_unread({sluice_path(), "inspect", images}).code, 3);
}

TEST(Stdout, ThatIsClosedIsAFailureAndNothingIsWrittenIntoAnotherFile) {
  const SmallData data;
  const std::string path = data.path("model");
  const Result r = run(Arguments{"sh", "-c", "exec \"$0\" \"$@\" >&-", sluice_path()} + data.train() +
                       Arguments{"--quiet", "--output", path});
  EXPECT_EQ(r.code, 1) << r.err;
  EXPECT_TRUE(contains(r.err, "sluice: cannot write to the standard output")) << r.err;
  EXPECT_EQ(trained(data.train())["weights_sha256"], sha_of_model(path));
}

TEST(Stderr, ThatIsFullChangesNothing) {
  const SmallData data;
  const auto to_full = [](const Arguments& a) {
    return run(Arguments{"sh", "-c", "exec \"$0\" \"$@\" 2>/dev/full", sluice_path()} + a);
  };
  const Result trained_one = to_full(data.train());
  EXPECT_EQ(trained_one.code, 0);
  EXPECT_EQ(lines(trained_one.out).size(), 3u);
  EXPECT_EQ(to_full({"train", "--bogus"}).code, 2);
}

TEST(Stdout, AClosedStderrChangesNothing) {
  const SmallData data;
  const Result r = run(Arguments{"sh", "-c", "exec \"$0\" \"$@\" 2>&-", sluice_path()} + data.train() +
                       Arguments{"--output", data.path("model")});
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(trained(data.train())["weights_sha256"], sha_of_model(data.path("model")));
}

TEST(Stdout, ThatFailsLeavesTheModelWritten) {
  const SmallData data;
  const std::string path = data.path("model");
  run(Arguments{sluice_path()} + data.train() + Arguments{"--output", path}, "/dev/full");
  EXPECT_EQ(trained(data.train())["weights_sha256"], sha_of_model(path));
}

}  // namespace
}  // namespace sluice::apps::testing
