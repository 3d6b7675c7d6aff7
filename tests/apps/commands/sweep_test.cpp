// sluice sweep: that its jobs are those of sluice train, and what it makes of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>

#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/files.hpp"

namespace sluice::apps::testing {
namespace {

using test::contents_of;

class Sweeps : public ::testing::Test {
 protected:
  // With these defaults, where nothing else is said.
  Arguments sweep(const Arguments& more = {}) const {
    Arguments all{"sweep", "--data", data.folder().path()};
    for (const Arguments& usual : {Arguments{"--batch-size", "100"}, {"--epochs", "3"}})
      if (std::find(more.begin(), more.end(), usual[0]) == more.end()) all = all + usual;
    return all + more;
  }
  json swept(const Arguments& more) const {
    const Result r = sluice(sweep(more + Arguments{"--json", "--quiet"}));
    EXPECT_EQ(r.code, 0) << r.err;
    return parsed_json(r.out);
  }
  // Those of a job of its JSON.
  static json single(const json& job) {
    Arguments words;
    std::string word;
    for (const char c : job["command"].get<std::string>() + " ")
      if (c == ' ')
        words.push_back(word), word.clear();
      else
        word += c;
    words.erase(words.begin());
    return trained(words);
  }
  void refused(const Arguments& more, const std::string& what) const {
    const Result r = sluice(sweep(more));
    EXPECT_EQ(r.code, 2) << r.out;
    EXPECT_TRUE(contains(r.err, what)) << r.err;
  }

  const SmallData data;
};

TEST_F(Sweeps, AreSingleRunsBitForBit) {
  for (const Arguments& more :
       {Arguments{"--optimizer", "sgd,adam", "--lr", "0.01,0.1", "--seed", "0..1"},
        {"--preset", "chapter,best", "--validation", "0.2", "--keep", "best"},
        {"--folds", "3", "--schedule", "cosine,step", "--average", "0,0.5", "--class-weight", "balanced"},
        {"--epochs", "1,4", "--batch-size", "50,500", "--patience", "1", "--validation", "2/3", "--lr", "20"}}) {
    const json all = swept(more);
    ASSERT_FALSE(all["jobs"].empty());
    for (const json& job : all["jobs"]) {
      const json alone = single(job);
      EXPECT_EQ(job["weights_sha256"], alone["weights_sha256"]) << job["command"];
      EXPECT_EQ(job["test_loss"], alone["test_loss"]);
      EXPECT_EQ(job["epochs"].size(), alone["epochs"].size());
      EXPECT_EQ(job.value("validation_loss", 0.0), alone.value("validation_loss", 0.0));
    }
  }
}

TEST_F(Sweeps, AreTheSameWhateverTheThreads) {
  const auto digests = [&](const char* threads) {
    const json all = swept({"--lr", "0.1,0.2,0.3", "--seed", "0..2", "--threads", threads});
    std::string text;
    for (const json& job : all["jobs"]) text += job["weights_sha256"].get<std::string>();
    return text;
  };
  const std::string one = digests("1");
  EXPECT_EQ(one.size(), 9u * 64);
  for (const char* threads : {"2", "5", "16"}) EXPECT_EQ(digests(threads), one) << threads;
}

TEST_F(Sweeps, AreAGridInOrderOfWhichAFlagWithoutEffectIsLeftOut) {
  const json all = swept({"--optimizer", "sgd,momentum", "--momentum", "0.5,0.9", "--lr", "0.1,0.2"});
  std::vector<json> flags;
  for (const json& one : all["configurations"]) flags.push_back(one["flags"]);
  const std::vector<json> expected{{{"--optimizer", "sgd"}, {"--lr", "0.1"}},
                                   {{"--optimizer", "sgd"}, {"--lr", "0.2"}},
                                   {{"--optimizer", "momentum"}, {"--lr", "0.1"}, {"--momentum", "0.5"}},
                                   {{"--optimizer", "momentum"}, {"--lr", "0.1"}, {"--momentum", "0.9"}},
                                   {{"--optimizer", "momentum"}, {"--lr", "0.2"}, {"--momentum", "0.5"}},
                                   {{"--optimizer", "momentum"}, {"--lr", "0.2"}, {"--momentum", "0.9"}}};
  EXPECT_EQ(flags, expected);
  EXPECT_TRUE(all["best_by"].is_null());
  EXPECT_TRUE(all["best"].is_null());
}

TEST_F(Sweeps, CompareByTheMeanOverSeedsAndFolds) {
  const json all = swept({"--lr", "0.001,0.5", "--seed", "0..1", "--folds", "2"});
  EXPECT_EQ(all["configurations"][0]["flags"]["--lr"], "0.5");
  EXPECT_EQ(all["configurations"][0]["runs"].size(), 4u);
  double sum = 0;
  std::set<std::string> parts;
  for (const json& job : all["jobs"])
    if (job["flags"]["--lr"] == "0.5") {
      sum += job["validation_loss"].get<double>();
      parts.insert(job["seed"].dump() + job["validation"].get<std::string>());
    }
  EXPECT_EQ(parts.size(), 4u);
  EXPECT_NEAR(all["configurations"][0]["validation_loss"]["mean"].get<double>(), sum / 4, 1e-12);
  EXPECT_TRUE(contains(all["best"].get<std::string>(), " --lr 0.5 ")) << all["best"];
  // Not by what is the smallest number.
  const json by_accuracy = swept({"--lr", "0.001,0.5", "--validation", "0.2", "--best-by", "accuracy"});
  EXPECT_EQ(by_accuracy["configurations"][0]["flags"]["--lr"], "0.5");
}

TEST_F(Sweeps, TakeSomeAtRandomTheSameEachTime) {
  const Arguments more{"--lr", "0.1,0.2,0.3,0.4,0.5", "--batch-size", "50,100,200", "--random", "4", "--seed", "0..1"};
  const json all = swept(more);
  EXPECT_EQ(all["configurations"].size(), 4u);
  EXPECT_EQ(all["jobs"].size(), 8u);
  EXPECT_EQ(results_of(swept(more))["configurations"], results_of(all)["configurations"]);
}

TEST_F(Sweeps, HalveUntilTheBestAreLeft) {
  const Arguments more{"--lr", "0.0001,0.001,0.01,0.05,0.1,0.2,0.4,0.5,0.6", "--validation", "0.2", "--epochs", "9"};
  const json all = swept(more + Arguments{"--halving"});
  std::multiset<std::size_t> epochs;
  for (const json& job : all["jobs"]) epochs.insert(job["epochs"].size());
  EXPECT_EQ(epochs, (std::multiset<std::size_t>{1, 1, 1, 1, 1, 1, 3, 3, 9}));
  for (const json& job : all["jobs"])
    if (job["epochs"].size() == 9) {
      EXPECT_EQ(single(job)["weights_sha256"], job["weights_sha256"]);
    }
  EXPECT_EQ(all["jobs"][all["configurations"][0]["runs"][0].get<std::size_t>()]["epochs"].size(), 9u);
}

TEST_F(Sweeps, GoOnFromWhatIsDone) {
  const std::string state = data.path("state");
  const Arguments two{"--lr", "0.1,0.2", "--state", state}, four{"--lr", "0.1,0.2,0.3,0.4", "--state", state};
  swept(two);
  const std::string before = contents_of(state);
  EXPECT_EQ(lines(before).size(), 3u);
  const Result more = sluice(sweep(four));
  EXPECT_EQ(more.code, 0) << more.err;
  EXPECT_TRUE(contains(more.err, "going on from " + state + ": 2 of 4 jobs are in it")) << more.err;
  EXPECT_TRUE(contents_of(state).starts_with(before));
  const json whole = swept({"--lr", "0.1,0.2,0.3,0.4"}), restored = swept(four);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(whole["jobs"][i]["weights_sha256"], restored["jobs"][i]["weights_sha256"]);
  EXPECT_EQ(lines(contents_of(state)).size(), 5u);
  // A line that was cut is written again.
  const std::string all = contents_of(state);
  for (const std::size_t cut : {all.size() - 1, all.size() - 30, all.find('\n') + 5, all.find('\n') - 3}) {
    std::ofstream(state, std::ios::binary) << all.substr(0, cut);
    swept(four);
    EXPECT_EQ(lines(contents_of(state)).size(), 5u) << cut;
  }
  for (const auto& [text, what] : {std::pair{std::string("a diary\n"), std::string(":1: is no line of a sweep")},
                                   {"a diary", "is no file of a sweep, and would be replaced"},
                                   {all.substr(0, all.find('\n') + 1) + "{}\n", ":2: is no run of a sweep"}}) {
    std::ofstream(state, std::ios::binary) << text;
    const Result r = sluice(sweep(four));
    EXPECT_EQ(r.code, 3);
    EXPECT_TRUE(contains(r.err, what)) << r.err;
    EXPECT_EQ(contents_of(state), text);
  }
  std::ofstream(state, std::ios::binary) << all;
  const Result other = sluice(sweep(four + Arguments{"--scale", "1/100"}));
  EXPECT_EQ(other.code, 3);
  EXPECT_TRUE(contains(other.err, "is of a sweep over other data")) << other.err;
}

TEST_F(Sweeps, AJobThatDivergesIsToldAndTheOthersGoOn) {
  const json all = swept({"--lr", "1e38,0.1", "--validation", "0.2"});
  EXPECT_TRUE(contains(all["jobs"][0]["error"].get<std::string>(), "expected finite numbers"));
  EXPECT_EQ(all["configurations"][0]["flags"]["--lr"], "0.1");
  EXPECT_GT(all["jobs"][1]["test_accuracy"].get<double>(), 0.3);
}

TEST_F(Sweeps, WriteALineAJobAsCsv) {
  swept({"--lr", "0.1,1e38", "--validation", "0.2", "--csv", data.path("jobs.csv")});
  const std::vector<std::string> all = lines(contents_of(data.path("jobs.csv")));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0],
            "lr,seed,validation,epochs_done,result_epoch,validation_loss,validation_accuracy,test_loss,test_accuracy,"
            "train_loss,seconds,weights_sha256,error");
  EXPECT_TRUE(all[1].starts_with("0.1,0,0.2,3,3,0.")) << all[1];
  EXPECT_TRUE(contains(all[2], "expected finite numbers")) << all[2];
  EXPECT_EQ(std::count(all[1].begin(), all[1].end(), ','), 12);
}

TEST_F(Sweeps, AreAPage) {
  const json all = swept({"--lr", "0.1,0.2", "--batch-size", "50,100", "--seed", "0..2", "--folds", "2", "--report",
                          data.path("sweep.html")});
  const std::string page = contents_of(data.path("sweep.html"));
  for (const char* id : {"summary", "curves", "map", "jobs"})
    EXPECT_TRUE(contains(page, std::string("<section id=\"") + id + "\"")) << id;
  const std::string begin = "<script type=\"application/json\" id=\"sluice-sweep\">";
  const std::size_t from = page.find(begin) + begin.size();
  const json within = parsed_json(page.substr(from, page.find("</script>", from) - from));
  EXPECT_EQ(within["configurations"], all["configurations"]);
  EXPECT_EQ(within["best"], all["best"]);
  const auto count = [&](const std::string& part) {
    std::size_t times = 0;
    for (std::size_t at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) ++times;
    return times;
  };
  EXPECT_EQ(count("class=\"curve one\""), 24u);
  EXPECT_EQ(count("class=\"band\""), 4u);
  EXPECT_EQ(count("class=\"hit\""), 4u);
  EXPECT_EQ(count("class=\"dot\""), 24u);
  EXPECT_EQ(count("<th>"), 0u);  // each says of what it is the header
  EXPECT_EQ(count("<th "), count("<th scope=\"col\"") + count("<th scope=\"row\""));
  // One flag is no map, and without a validation nothing is chosen.
  swept({"--lr", "0.1,0.2", "--report", data.path("one.html")});
  const std::string one = contents_of(data.path("one.html"));
  EXPECT_FALSE(contains(one, "id=\"map\""));
  EXPECT_TRUE(contains(one, "Nothing is chosen"));
}

TEST_F(Sweeps, AreATableWhoseColumnsStandBelowEachOther) {
  for (const Arguments& more : {Arguments{"--validation", "0.2"}, {"--seed", "0..2"}, {"--folds", "2"}}) {
    const Result r = sluice(sweep(more + Arguments{"--lr", "0.1,0.025", "--quiet"}));
    ASSERT_EQ(r.code, 0) << r.err;
    const std::vector<std::string> table = lines(r.out);
    ASSERT_GE(table.size(), 3u);
    EXPECT_EQ(table[1].size(), table[0].size()) << r.out;
    EXPECT_EQ(table[2].size(), table[0].size()) << r.out;
  }
}

// What only the data tell is told before the first job, and of a flag that was given.
TEST_F(Sweeps, SayWhatIsWrongBeforeTheyBegin) {
  const auto wrong = [&](const Arguments& more, const std::string& what) {
    const Result r = sluice(sweep(more));
    EXPECT_EQ(r.code, 2) << r.out;
    EXPECT_TRUE(contains(r.err, what)) << r.err;
    EXPECT_FALSE(contains(r.err, "job 1")) << r.err;
  };
  wrong({"--epochs", "9,1", "--warmup", "3e"}, "--warmup 3e: expected fewer than the 1 of --epochs");
  wrong({"--batch-size", "50,500", "--warmup", "5"}, "--warmup 5: expected fewer than the 3 steps of the run");
  wrong({"--folds", "400"}, "--folds 400: of class 0, which has");
  wrong({"--validation", "0.0001"}, "--validation 0.0001: of class 0, which has");
}

TEST_F(Sweeps, SayTheResultBeforeWhatIsWrittenBehindIt) {
  const Arguments job = sweep({"--lr", "0.1,0.2", "--csv", data.path("c"), "--report", data.path("p.html")});
  const Result r = run(Arguments{"sh", "-c", "ulimit -f 0; exec \"$0\" \"$@\"", sluice_path()} + job);
  EXPECT_EQ(r.code, 1) << r.err;
  EXPECT_TRUE(contains(r.out, "test accuracy")) << r.out;
  EXPECT_TRUE(contains(r.err, data.path("c"))) << r.err;
  refused({"--csv", data.path("x"), "--report", data.path("x")}, "is the file of --csv, too");
  refused({"--csv", data.path("x"), "--state", data.path("x")}, "is the file of --csv, too");
}

TEST_F(Sweeps, TheLinesToCopyAreOfWhatTheySay) {
  const auto commands = [&](const Arguments& more) { return swept(more + Arguments{"--lr", "0.1,0.2"}); };
  const json held = commands({"--validation", "0.2", "--keep", "last", "--patience", "0"});
  const std::string all = held["best_of_all_rows"];
  EXPECT_FALSE(contains(all, "--validation") || contains(all, "--keep") || contains(all, "--patience")) << all;
  EXPECT_FALSE(commands({"--validation", "0.2", "--keep", "best"}).contains("best_of_all_rows"));
  EXPECT_FALSE(commands({"--validation-images", data.path("t10k-images-idx3-ubyte.gz"), "--validation-labels",
                         data.path("t10k-labels-idx1-ubyte.gz")})
                   .contains("best_of_all_rows"));
}

TEST_F(Sweeps, KeepEachJobAsSoonAsItEnds) {
  const std::string state = data.path("state");
  const Arguments job = sweep({"--batch-size", "1", "--epochs", "1000000,1,2,3", "--state", state, "--threads", "2"});
  Process process(Arguments{sluice_path()} + job);
  EXPECT_TRUE(process.says("job 3/4:"));  // while the first goes on
  const Result other = sluice(job);
  EXPECT_EQ(other.code, 3);
  EXPECT_TRUE(contains(other.err, "another sweep writes it")) << other.err;
  process.signal(15);
  const Result r = process.wait();
  EXPECT_EQ(r.code, 143) << r.err;
  EXPECT_TRUE(contains(r.err, "interrupted: 3 of 4 jobs are done, and in")) << r.err;
  EXPECT_EQ(lines(contents_of(state)).size(), 4u);
}

// A job that an earlier sweep has for more epochs is left behind for as many as the others.
TEST_F(Sweeps, HalveTheSameWithWhatAnEarlierOneLeft) {
  const std::string state = data.path("state");
  const Arguments job{"--lr", "0.0001,0.001,0.1,0.2", "--validation", "0.2", "--epochs", "9"};
  const auto configurations = [](json all) {
    all = results_of(all)["configurations"];
    return all;
  };
  const json fresh = swept(job + Arguments{"--halving"});
  swept({"--lr", "0.0001", "--validation", "0.2", "--epochs", "9", "--state", state});
  EXPECT_EQ(configurations(swept(job + Arguments{"--halving", "--state", state})), configurations(fresh));
  EXPECT_EQ(configurations(swept(job + Arguments{"--halving", "--state", state})), configurations(fresh));
}

// By what a run that is out of patience ended decides its result, also where the last epoch is kept.
TEST_F(Sweeps, KnowARunByWhatItsPatienceGoesBy) {
  const std::string state = data.path("state");
  const auto job = [&](const char* by) {
    return Arguments{"--lr",       "50", "--epochs",  "40", "--validation", "0.2",
                     "--patience", "2",  "--best-by", by,   "--state",      state};
  };
  swept(job("loss"));
  swept(job("accuracy"));
  EXPECT_EQ(lines(contents_of(state)).size(), 3u);
  swept(job("loss"));
  EXPECT_EQ(lines(contents_of(state)).size(), 3u);
}

TEST_F(Sweeps, DrawAsManyConfigurationsAsAreAskedFor) {
  const Arguments more{"--optimizer", "sgd,adam", "--beta1", "0.5,0.6,0.7,0.8,0.9", "--epochs", "1", "--random"};
  for (const char* n : {"1", "4", "6"})
    EXPECT_EQ(swept(more + Arguments{n})["configurations"].size(), static_cast<std::size_t>(std::stoi(n)));
  EXPECT_EQ(swept(more + Arguments{"100"})["configurations"].size(), 6u);
}

TEST_F(Sweeps, AreRefusedWhatIsInTheirFileAndCannotBe) {
  const std::string state = data.path("state");
  const Arguments job{"--lr", "0.1", "--validation", "0.2", "--state", state};
  swept(job);
  std::string text = contents_of(state);
  const std::size_t at = text.find("\"validation\":{");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 12, "\"validatoin\"");
  std::ofstream(state, std::ios::binary) << text;
  const Result r = sluice(sweep(job));
  EXPECT_EQ(r.code, 3);
  EXPECT_TRUE(contains(r.err, "has a run that cannot be read")) << r.err;
}

TEST_F(Sweeps, RefuseWhatIsNoGrid) {
  refused({"--lr", "0.1,x"}, "--lr: 'x' is not a number");
  refused({"--lr", "0.1,,0.2"}, "--lr: '0.1,,0.2' has no value between two commas");
  refused({"--lr", "0.1,0.1"}, "--lr: the value 0.1 is there twice");
  refused({"--seed", "4..1"}, "--seed: '4..1' is no range of whole numbers");
  refused({"--seed", "0..1000000"}, "has more than 10000 values");
  refused({"--seed", "0..9999", "--lr", "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1,2"}, "more than 10000 combinations");
  refused({"--momentum", "0.5,0.9"}, "--momentum: has no effect with --optimizer sgd");
  refused({"--halving", "--lr", "0.1,0.2"}, "--halving: has no effect without --validation or --folds");
  refused({"--folds", "3", "--validation", "0.1"}, "give one of them");
  refused({"--patience", "3"}, "--patience: has no effect without --validation");
  refused({"--stream"}, "--stream: a sweep holds its data in memory");
  refused({"--warmup", "0,3e"}, "--warmup 3e: expected fewer than the 3 of --epochs");
}

TEST_F(Sweeps, AreInterruptedBetweenSteps) {
  const std::string state = data.path("state");
  const Arguments more{"--lr", "0.1,0.2", "--state", state};
  Process process(Arguments{sluice_path()} + sweep(more + Arguments{"--batch-size", "1", "--epochs", "1,1000000"}));
  EXPECT_TRUE(process.says("job 2/4:"));  // the short ones, whichever come first
  process.signal(2);
  const Result r = process.wait();
  EXPECT_EQ(r.code, 130) << r.err;
  EXPECT_TRUE(contains(r.err, "interrupted: 2 of 4 jobs are done, and in " + state + ": the same command goes on"))
      << r.err;
  EXPECT_EQ(lines(contents_of(state)).size(), 3u);
}

}  // namespace
}  // namespace sluice::apps::testing
