// sluice synth: a data set of made-up images, to be trained on like any other.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/files.hpp"

namespace sluice::apps::testing {
namespace {

namespace fs = std::filesystem;
using test::contents_of;
using test::Folder;

const Arguments small{"--train", "3000", "--test", "500", "--rows", "12", "--columns", "9", "--classes", "4"};
const std::vector<std::string> names{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                     "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};

TEST(Synth, WritesADataSetThatIsLearned) {
  const Folder folder;
  const Result r = sluice(Arguments{"synth", folder.path("new/data")} + small);
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.err, "");
  ASSERT_EQ(lines(r.out).size(), 4u) << r.out;
  EXPECT_TRUE(contains(r.out, "train-images-idx3-ubyte.gz: 3000 images, ")) << r.out;
  EXPECT_TRUE(contains(r.out, "t10k-labels-idx1-ubyte.gz: 500 labels, ")) << r.out;
  const json trained_on = trained({"train", "--data", folder.path("new/data"), "--epochs", "5"});
  EXPECT_EQ(trained_on["data"],
            (json{{"train", 3000}, {"test", 500}, {"planes", 1}, {"rows", 12}, {"columns", 9}, {"classes", 4}}));
  EXPECT_GT(trained_on["test_accuracy"].get<double>(), 0.75);
}

TEST(Synth, TheSameFilesForEveryNumberOfThreadsAndOthersForAnotherSeed) {
  const Folder folder;
  const auto write = [&](const std::string& name, const Arguments& more) {
    const Result r = sluice(Arguments{"synth", folder.path(name)} + small + more);
    EXPECT_EQ(r.code, 0) << r.err;
  };
  write("one", {"--threads", "1"});
  write("eight", {"--threads", "8"});
  write("seed", {"--seed", "7"});
  for (const std::string& name : names) {
    EXPECT_EQ(contents_of(folder.path("one/" + name)) == contents_of(folder.path("eight/" + name)), true) << name;
    EXPECT_NE(contents_of(folder.path("one/" + name)) == contents_of(folder.path("seed/" + name)), true) << name;
  }
}

TEST(Synth, AFileOfManyMembersIsReadByEveryDecoder) {
  const Folder folder;
  const Result r =
      sluice({"synth", folder.path(), "--train", "9000", "--test", "10", "--json"});  // 7 MB, in pieces of 2
  ASSERT_EQ(r.code, 0) << r.err;
  const json written = parsed_json(r.out);
  for (const json& file : written["files"])
    EXPECT_EQ(file["bytes"], fs::file_size(file["path"].get<std::string>())) << file;
  const Arguments train{"train", "--data", folder.path(), "--epochs", "1"};
  EXPECT_EQ(results_of(trained(train + Arguments{"--decoder", "zlib"})), results_of(trained(train)));
}

TEST(Synth, SaysWhatItWroteAsJson) {
  const Folder folder;
  const Result r = sluice(Arguments{"synth", folder.path(), "--json"} + small);
  ASSERT_EQ(r.code, 0) << r.err;
  const json object = parsed_json(r.out);
  EXPECT_EQ(object["command"], "synth");
  ASSERT_EQ(object["files"].size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(object["files"][i]["path"], folder.path(names[i]));
    EXPECT_EQ(object["files"][i]["items"], i < 2 ? 3000 : 500);
    EXPECT_EQ(object["files"][i]["bytes"], fs::file_size(folder.path(names[i])));
  }
}

TEST(Synth, FilesThatAreThereAreReplacedOnlyWhenAsked) {
  const Folder folder;
  folder.write(names[2], "precious");
  const Result refused = sluice(Arguments{"synth", folder.path()} + small);
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_TRUE(contains(refused.err, names[2] + ": exists already")) << refused.err;
  EXPECT_TRUE(contains(refused.err, "--force")) << refused.err;
  EXPECT_EQ(contents_of(folder.path(names[2])), "precious");
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_EQ(sluice(Arguments{"synth", folder.path(), "--force"} + small).code, 0);
  EXPECT_EQ(folder.files(), 4u);
  EXPECT_NE(contents_of(folder.path(names[2])), "precious");
}

TEST(Synth, AFolderThatCannotBeIsAnError) {
  const Folder folder;
  for (const std::string& path :
       {folder.write("file", "x"), folder.write("other", "x") + "/below", std::string("/proc/self/new")}) {
    const Result r = sluice(Arguments{"synth", path} + small);
    EXPECT_EQ(r.code, 2) << path;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(contains(r.err, path)) << r.err;
  }
}

TEST(Synth, ADiskThatIsFullEndsItAndLeavesNothingHalf) {
  const Folder folder;
  const Result r = run({"bash", "-c", "ulimit -f 100; exec '" + sluice_path() + "' synth '" + folder.path("d") + "'"});
  EXPECT_EQ(r.code, 1) << r.err;
  EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
  EXPECT_TRUE(contains(r.err, names[0] + ": cannot be written")) << r.err;
  EXPECT_TRUE(fs::is_empty(folder.path("d")));
}

TEST(Synth, ASignalEndsItWithItsNumberAndLeavesNothingHalf) {
  for (const auto& [name, number] : {std::pair{"SIGINT", SIGINT}, {"SIGTERM", SIGTERM}}) {
    const Folder folder;
    const Result r = run({"env", std::string("SLUICE_FAULT=write:1:") + name, "SLUICE_FAULT_PATH=" + folder.path(),
                          SLUICE_WITH_FAULTS, "synth", folder.path(), "--train", "5000000"});
    EXPECT_EQ(r.code, 128 + number) << r.signal;
    EXPECT_EQ(r.err, "sluice: interrupted: " + folder.path(names[0]) + " was not written\n");
    EXPECT_EQ(folder.files(), 0u);
  }
}

TEST(Synth, WrongUseIsAnErrorInWords) {
  const Folder folder;
  for (const auto& [arguments, part] :
       {std::pair{Arguments{"synth"}, "DIR"},
        {Arguments{"synth", folder.path(), "--train", "0"}, "--train: '0' is not a whole number from 1 to"},
        {Arguments{"synth", folder.path(), "--classes", "257"}, "--classes: '257' is not a whole number from 2 to 256"},
        {Arguments{"synth", folder.path(), "--rows", "0"}, "--rows: '0' is not a whole number from 1 to"},
        {Arguments{"synth", folder.path(), "--colums", "3"}, "did you mean '--columns'?"}}) {
    const Result r = sluice(arguments);
    EXPECT_EQ(r.code, 2);
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(contains(r.err, part)) << r.err;
  }
  EXPECT_EQ(folder.files(), 0u);
}

}  // namespace
}  // namespace sluice::apps::testing
