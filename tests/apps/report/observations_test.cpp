// What a run shows of itself: progress, log, profile, trace, pictures, and what is left of an interrupted one.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <fstream>
#include <future>
#include <iterator>
#include <set>
#include <string>

#include "apps/job/metrics.hpp"
#include "apps/report/advice.hpp"
#include "apps/report/progress.hpp"
#include "apps/terminal/log.hpp"
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

using stages::Compression;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// Columns of a line on a terminal: code points, without what begins with an escape.
std::size_t columns_of(const std::string& line) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      while (i < line.size() && !std::isalpha(static_cast<unsigned char>(line[i]))) ++i;
      continue;
    }
    count += (static_cast<unsigned char>(line[i]) & 0xc0) != 0x80;
  }
  return count;
}

// On a terminal of its own, 80 columns wide unless said otherwise; what came out on it.
std::string on_terminal(const std::string& environment, const Arguments& arguments) {
  std::string command = environment + " '" + sluice_path() + "'";
  for (const std::string& a : arguments) command += " '" + a + "'";
  const Result r = run({"script", "-qec", command, "/dev/null"});
  EXPECT_EQ(r.code, 0) << r.out;
  return r.out;
}

TEST(ProgressLine, FitsEveryWidth) {
  const Epoch last{3, {0.4473, 0.8479, 60'000}, {0.4776, 0.8349, 10'000}, 0.0365};
  for (const bool utf8 : {false, true})
    for (const bool colour : {false, true})
      for (std::size_t width = 1; width < 150; ++width) {
        const LogStyle style{LogStyle::Form::line, utf8, colour};
        const std::string line = progress_line(style, width, 4, 10, 0.5, last, 1.6e6, 75);
        EXPECT_LE(columns_of(line), width) << line;
        if (!utf8) {
          EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c > 0; })) << line;
        }
        if (!colour) {
          EXPECT_FALSE(contains(line, "\x1b")) << line;
        }
      }
}

TEST(ProgressLine, ShowsEverythingWhereThereIsRoom) {
  const Epoch last{3, {0.4473, 0.8479, 60'000}, {0.4776, 0.8349, 10'000}, 0.0365};
  EXPECT_EQ(
      progress_line({LogStyle::Form::line, false, false}, 110, 4, 10, 0.5, last, 1.6e6, 75),
      "epoch 4/10 [###############---------------]  loss 0.4473  accuracy 0.8479  test 0.8349  1.60 M/s  ETA 1:15");
  EXPECT_EQ(progress_line({LogStyle::Form::line, true, false}, 24, 1, 2, 0.5, {}, 0, 0), "epoch 1/2 ━━━━━━──────");
}

TEST(ProgressLine, TellsTheTimeLeftByTheEpochsOfThisRunAlone) {
  for (const std::size_t rows_before : {std::size_t{0}, std::size_t{300}}) {
    // Eight epochs of ten were done before, and of the ninth so many rows of 600.
    RunState state{.plan = {.epochs = 10, .batch_size = 100, .train_images = 600}};
    for (std::size_t e = 1; e <= 8; ++e) state.training.epochs.push_back({e, {}, {}, 1});
    state.training.sums.add({0, 0, static_cast<double>(rows_before)});
    std::atomic<int> seconds = 0;
    std::promise<void> drawn;
    ::testing::internal::CaptureStderr();
    {
      Progress progress({LogStyle::Form::line, false, false}, state,
                        [&] { return Progress::Clock::time_point(std::chrono::seconds(seconds)); });
      progress.epoch_begins(9, [&, times = 0]() mutable -> std::size_t {
        if (++times == 2) drawn.set_value();  // what was drawn the first time is there by then
        return 600;
      });
      seconds = rows_before ? 50 : 100;  // a hundred for an epoch
      drawn.get_future().wait();
      progress.ends(state, false);
    }
    const std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(contains(text, "6 /s  ETA 1:40")) << text;
    EXPECT_TRUE(text.rfind("ETA ") == text.rfind("ETA 1:40")) << text;
  }
}

// Whenever it is asked.
TEST(ProgressOutput, TellsTheRowsOfAnEpochAlsoBehindIt) {
  const RunState state{.plan = {.epochs = 2, .batch_size = 100, .train_images = 600}};
  ::testing::internal::CaptureStderr();
  {
    Progress progress({LogStyle::Form::lines, false, false}, state);
    progress.status();
    progress.epoch_begins(1, [] { return std::size_t{300}; });
    progress.status();
    progress.epoch_ends({1, {0.5, 0.8, 600}, {0.6, 0.7, 100}, 1});
    progress.status();
    progress.ends(state, false);
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  for (const char* line : {"epoch 0 of 2, 0 of 600 rows\n", "epoch 1 of 2, 300 of 600 rows\n",
                           "epoch 1 of 2, 600 of 600 rows; epoch 1: train loss 0.5000, test accuracy 0.7000\n"})
    EXPECT_TRUE(contains(text, line)) << text;
}

TEST(ProgressOutput, IsALineOfKeysAndValuesForEachEpochWhereStderrIsNoTerminal) {
  const SmallData data;
  const Result r = sluice({"train", "--data", data.folder().path(), "--epochs", "3", "--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const auto progress = lines(r.err);
  ASSERT_EQ(progress.size(), 3u) << r.err;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(progress[i].starts_with("epoch=" + std::to_string(i + 1) + "/3 train_loss=")) << progress[i];
    for (const char* key : {" train_accuracy=", " test_loss=", " test_accuracy=", " seconds=", " samples_per_second="})
      EXPECT_TRUE(contains(progress[i], key)) << progress[i];
  }
  EXPECT_EQ(sluice(data.train() + Arguments{"--no-progress"}).err, "");
}

TEST(ProgressOutput, IsOneLineThatIsRedrawnOnATerminal) {
  const SmallData data;
  const std::string shown = on_terminal("TERM=xterm LC_ALL=C.UTF-8 COLUMNS=60", data.train());
  EXPECT_TRUE(contains(shown, "\r\x1b[Kepoch 2/2 ")) << shown;
  EXPECT_TRUE(contains(shown, "━")) << shown;
  EXPECT_TRUE(contains(shown, "\x1b[32m")) << shown;
  EXPECT_FALSE(contains(shown, "epoch=")) << shown;
  const std::string plain = on_terminal("TERM=xterm LC_ALL=C NO_COLOR=1 COLUMNS=60", data.train());
  EXPECT_TRUE(contains(plain, "epoch 2/2 [####")) << plain;
  EXPECT_FALSE(contains(plain, "\x1b[32m")) << plain;
  EXPECT_TRUE(contains(on_terminal("TERM=dumb", data.train()), "epoch=2/2 "));
  EXPECT_FALSE(contains(on_terminal("TERM=xterm", data.train() + Arguments{"--quiet"}), "epoch "));
}

TEST(LogFormat, JsonlIsAnObjectForEachEvent) {
  const SmallData data;
  const Result r = sluice(data.train() + Arguments{"--log-format", "jsonl"});
  ASSERT_EQ(r.code, 0) << r.err;
  std::vector<std::string> events;
  for (const std::string& line : lines(r.err)) {
    const json event = parsed_json(line);
    ASSERT_TRUE(event.is_object()) << line;
    EXPECT_EQ(event["schema"], 1);
    events.push_back(event["event"]);
  }
  EXPECT_EQ(events, (std::vector<std::string>{"start", "epoch", "epoch", "end"}));
  EXPECT_EQ(sluice(data.train() + Arguments{"--log-format", "xml"}).code, 2);
}

TEST(LogFormat, JsonlSaysWhenACheckpointIsThere) {
  const SmallData data;
  const std::string path = data.path("checkpoint");
  const Result r =
      sluice(data.train() + Arguments{"--log-format", "jsonl", "--checkpoint", path, "--checkpoint-every", "3"});
  std::vector<std::pair<int, int>> saved;  // epochs, and steps of five in the next one
  for (const std::string& line : lines(r.err)) {
    const json event = parsed_json(line);
    if (event["event"] != "checkpoint") continue;
    EXPECT_EQ(event["path"], path);
    saved.emplace_back(event["epochs_done"], event["steps_done"]);
  }
  EXPECT_EQ(saved, (std::vector<std::pair<int, int>>{{0, 3}, {1, 1}, {1, 4}, {2, 0}}));
}

TEST(LogFormat, JsonlSaysWhenACheckpointOfSomeEpochsIsThere) {
  const SmallData data;
  const Result r = sluice({"train", "--data", data.folder().path(), "--epochs", "5", "--log-format", "jsonl",
                           "--checkpoint", data.path("state"), "--checkpoint-every", "2e"});
  std::vector<int> saved;
  for (const std::string& line : lines(r.err)) {
    const json event = parsed_json(line);
    if (event["event"] == "checkpoint") saved.push_back(event["epochs_done"].get<int>());
  }
  EXPECT_EQ(saved, (std::vector<int>{2, 4, 5}));
}

TEST(LogFormat, JsonlHasErrorsAsEventsToo) {
  const SmallData data;
  const auto last_of = [](const Result& r) {
    json last;
    for (const std::string& line : lines(r.err)) {
      last = parsed_json(line);
      EXPECT_TRUE(last.is_object()) << line;
    }
    EXPECT_EQ(last["event"], "error") << r.err;
    EXPECT_EQ(last["exit_code"], r.code);
    return last["message"].get<std::string>();
  };
  const Arguments train = data.train() + Arguments{"--log-format", "jsonl"};
  EXPECT_TRUE(last_of(sluice(train + Arguments{"--lr", "1e38"})).starts_with("epoch 1, step 2: "));
  EXPECT_TRUE(last_of(sluice(train + Arguments{"--capacity", "forwards=2"})).starts_with("--capacity forwards=2: "));
  data.folder().write("t10k-images-idx3-ubyte.gz", test::gzip(test_images()).substr(0, 900));
  EXPECT_TRUE(last_of(sluice(train)).starts_with(data.path("t10k-images-idx3-ubyte.gz")));
}

// Unlike what the kernel says of whatever a process was before it became this one.
TEST(PeakMemory, IsThatOfTheProgramAndNotOfWhoStartedIt) {
  const SmallData data;
  const std::size_t size = std::size_t{600} << 20;
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const json of_run = trained(data.train());
  ::munmap(memory, size);
  EXPECT_GT(of_run["peak_rss_bytes"].get<std::size_t>(), std::size_t{1} << 20);
  EXPECT_LT(of_run["peak_rss_bytes"].get<std::size_t>(), size / 2);
  EXPECT_EQ(of_run["peak_rss_bytes"].get<std::size_t>() % 1024, 0u) << "the kernel counts KiB";
}

TEST(Profile, IsATableAndAVerdictForEachGraph) {
  const SmallData data;
  const Result r = sluice(data.train() + Arguments{"--profile", "--quiet"});
  ASSERT_EQ(r.code, 0) << r.err;
  std::size_t verdicts = 0;
  for (const std::string& line : lines(r.err)) verdicts += line.starts_with("bottleneck: ");
  EXPECT_EQ(verdicts, 3u) << r.err;
  for (const char* stage : {"inflate.train-images ", "forward ", "gradient ", "sgd ", "accumulate "})
    line_with(r.err, stage);
  EXPECT_TRUE(contains(r.err, "feedback 'weights'")) << r.err;
}

TEST(Profile, IsInTheJsonToo) {
  const SmallData data;
  const Result r = sluice(data.train() + Arguments{"--profile", "--json"});
  const json profile = parsed_json(r.out)["profile"];
  ASSERT_EQ(profile.size(), 3u) << r.out;
  EXPECT_EQ(profile[1]["graph"], "train");
  EXPECT_EQ(profile[1]["runs"], 2);
  // What is told of the whole run has all runs of its graphs in it.
  const json seconds = parsed_json(r.out)["seconds"];
  EXPECT_GE(seconds["load"].get<double>(), profile[0]["wall"].get<double>());
  EXPECT_GE(seconds["train"].get<double>(), profile[1]["wall"].get<double>());
  EXPECT_GE(seconds["eval"].get<double>(), profile[2]["wall"].get<double>());
  EXPECT_TRUE(profile[1]["verdict"]["text"].get<std::string>().starts_with("bottleneck: "));
  for (const json& graph : profile)
    for (const json& stage : graph["stages"]) EXPECT_EQ(stage["queued"], 0) << "when all is done: " << stage;
  for (const json& stage : profile[1]["stages"])
    if (stage["name"] == "accumulate") {
      EXPECT_EQ(stage["items"], 10);
    }
}

TEST(Profile, OfLoadingIsThereWithItsStagesSetOtherwise) {
  const SmallData data;
  const Result r = sluice(data.train() + Arguments{"--profile", "--json", "--capacity", "parse=3"});
  const json load = parsed_json(r.out)["profile"][0];
  EXPECT_EQ(load["runs"], 1);
  for (const json& stage : load["stages"])
    if (stage["name"] == "parse.train-images") {
      EXPECT_EQ(stage["capacity"], 3);
      EXPECT_GT(stage["items"], 0);
    }
}

GraphStats one_stage(const char* graph, double wall) {
  GraphStats stats{graph, 1, wall, 2, {}};
  StageStats stage;
  stage.name = std::string("stage-of-") + graph, stage.verb = Verb::source, stage.items = 10, stage.busy = 0.95 * wall;
  stats.stages.push_back(stage);
  return stats;
}

TEST(WhereTheTimeGoes, IsSaidOfTheLongestGraphFirst) {
  const auto load = one_stage("load", 6), train = one_stage("train", 3), test = one_stage("evaluate", 1);
  auto said = where_the_time_goes({load, train, test});
  ASSERT_EQ(said.size(), 2u);
  EXPECT_TRUE(said[0].starts_with("load, 60 % of the time in graphs: bottleneck: stage-of-load, ")) << said[0];
  EXPECT_TRUE(said[1].starts_with("train, 30 % of the time in graphs: bottleneck: stage-of-train, ")) << said[1];
  said = where_the_time_goes({test, one_stage("train", 9), load});
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(said[0].starts_with("train, 56 % of the time in graphs")) << said[0];
  EXPECT_TRUE(where_the_time_goes({}).empty());
  EXPECT_TRUE(where_the_time_goes({one_stage("load", 0)}).empty());
}

TEST(Advice, IsOfThisProgram) {
  GraphStats load{"load", 1, 1.0, 2, {}};
  StageStats inflate;
  inflate.name = "inflate.train-images", inflate.verb = Verb::source, inflate.items = 10, inflate.busy = 0.95;
  load.stages.push_back(inflate);
  Options o;
  o.decoder = "zlib";
  if (o.decoder != Options{}.effective_decoder()) {
    EXPECT_TRUE(contains(advice(o, {}, Compression::gzip, {load}), "--decoder libdeflate"));
  }
  o.decoder = "auto";
  EXPECT_FALSE(contains(advice(o, {}, Compression::gzip, {load}), "--decoder zlib"));
  EXPECT_EQ(advice(o, {}, Compression::gzip, {}), "");
  load.graph = "train", o.stream = true;
  EXPECT_TRUE(contains(advice(o, {}, Compression::gzip, {load}), "without --stream"));
  load.stages[0].name = "pieces.train-images";
  EXPECT_TRUE(contains(advice(o, {}, Compression::gzip, {load}), "sluice index"));
  load.stages[0].name = "inflate.train-images";
  EXPECT_TRUE(contains(advice(o, {}, Compression::xz, {load}), "of xz: xz -T0 --block-size=1MiB"));
  EXPECT_TRUE(contains(advice(o, {}, Compression::bzip2, {load}), "of bzip2: gzip, xz and zstd are"));
  load.graph = "load";
  EXPECT_EQ(advice(o, {}, Compression::none, {load}), "") << "which is reading";
}

TEST(RepeatingCommand, GivesTheSameBits) {
  const SmallData data;
  const Result first =
      sluice(data.train() + Arguments{"--seed", "5", "--lr", "0.3", "--report", data.path("it's.html")});
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string page = contents(data.path("it's.html"));
  const auto at = page.find("<script type=\"application/json\" id=\"sluice-report\">");
  ASSERT_NE(at, std::string::npos);
  const auto begin = page.find('>', at) + 1;
  const json report = parsed_json(page.substr(begin, page.find("</script>", begin) - begin));
  ASSERT_TRUE(report.is_object());
  std::string command = report["command"];
  ASSERT_TRUE(command.starts_with("sluice train ")) << command;
  command.replace(0, 6, "'" + sluice_path() + "'");
  const Result again = run({"sh", "-c", command});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(line_with(again.out, "weights sha256"), line_with(first.out, "weights sha256"));
}

TEST(TraceFile, HasTheThreeGraphs) {
  const SmallData data;
  const std::string path = data.path("trace.json");
  const Result r = sluice(data.train() + Arguments{"--trace", path, "--threads", "2"});
  ASSERT_EQ(r.code, 0) << r.err;
  const json trace = parsed_json(contents(path));
  std::multiset<std::string> runs;
  std::set<std::string> stages;
  for (const json& e : trace["traceEvents"]) {
    if (e["ph"] != "E") continue;
    EXPECT_TRUE(e["args"].contains("run")) << e;
    (e["cat"] == "run") ? void(runs.insert(e["name"])) : void(stages.insert(e["name"]));
  }
  EXPECT_EQ(runs, (std::multiset<std::string>{"load", "train", "train", "evaluate", "evaluate"}));
  for (const char* stage :
       {"inflate.train-images", "forward", "gradient", "reduce", "sgd", "loss", "accuracy", "accumulate"})
    EXPECT_TRUE(stages.count(stage)) << stage;
  const json first =
      parsed_json((sluice(data.train() + Arguments{"--trace", path, "--trace-steps", "2"}), contents(path)));
  EXPECT_LT(first["traceEvents"].size(), trace["traceEvents"].size());
}

TEST(Paths, ThatCannotBeWrittenAreFoundBeforeTraining) {
  const SmallData data;
  for (const char* flag : {"--trace", "--report", "--picture", "--output"}) {
    const Result r = sluice(data.train() + Arguments{flag, data.path("no/such/folder/file")});
    EXPECT_EQ(r.code, 2) << flag;
    EXPECT_TRUE(contains(r.err, flag)) << r.err;
    EXPECT_FALSE(contains(r.err, "epoch=")) << r.err;
  }
  const Result input = sluice(data.train() + Arguments{"--trace", data.path("t10k-labels-idx1-ubyte.gz")});
  EXPECT_EQ(input.code, 2);
  EXPECT_TRUE(contains(input.err, "which it would replace")) << input.err;
  const Result same = sluice(data.train() + Arguments{"--trace", data.path("x"), "--report", data.path("./x")});
  EXPECT_EQ(same.code, 2);
  EXPECT_TRUE(contains(same.err, "is the file of --trace, too")) << same.err;
}

TEST(TraceFile, IsWrittenOfARunThatFailed) {
  const SmallData data;
  const Result r = sluice(data.train() + Arguments{"--lr", "1e38", "--trace", data.path("t.json"), "--report",
                                                   data.path("r.html"), "--log-format", "jsonl"});
  EXPECT_EQ(r.code, 1);
  EXPECT_TRUE(parsed_json(contents(data.path("t.json"))).is_object());
  EXPECT_TRUE(contains(contents(data.path("r.html")), "the loss is"));
  EXPECT_TRUE(contains(r.err, R"("event":"end")") && contains(r.err, R"("error":"epoch )")) << r.err;
}

TEST(ReportFile, IsWrittenOfARunWhoseDataAreDamaged) {
  const SmallData data;
  data.folder().write("t10k-images-idx3-ubyte.gz", test::gzip(test_images()).substr(0, 900));
  const Result r =
      sluice(data.train() + Arguments{"--report", data.path("r.html"), "--picture", data.path("p.svg"), "--profile"});
  EXPECT_EQ(r.code, 3) << r.err;
  EXPECT_TRUE(contains(r.err, "\nload: 1 run")) << r.err;
  EXPECT_TRUE(contains(contents(data.path("r.html")), "t10k-images-idx3-ubyte.gz"));
  EXPECT_TRUE(contains(contents(data.path("p.svg")), "inflate.train-images"));
}

TEST(Warning, OfABatchThatIsLargerThanTheDataIsAnEvent) {
  const SmallData data;
  const Result r = sluice({"train", "--data", data.folder().path(), "--batch-size", "1000", "--log-format", "jsonl"});
  EXPECT_EQ(r.code, 0);
  EXPECT_TRUE(contains(r.err, R"({"schema":1,"event":"warning","message":"--batch-size 1000)")) << r.err;
}

TEST(ObserveFlags, ThatWouldHaveNoEffectAreRefused) {
  const SmallData data;
  EXPECT_EQ(sluice(data.train() + Arguments{"--trace-steps", "5"}).code, 2);
  EXPECT_EQ(sluice(data.train() + Arguments{"--class-names", "a,b,c"}).code, 2);
}

TEST(ClassNames, HaveToBeAsManyAsClasses) {
  const SmallData data;
  const Result r = sluice(data.train() + Arguments{"--report", data.path("r.html"), "--class-names", "a,b"});
  EXPECT_EQ(r.code, 2);
  EXPECT_TRUE(contains(r.err, "--class-names") && contains(r.err, "3")) << r.err;
  EXPECT_EQ(sluice(data.train() + Arguments{"--report", data.path("r.html"), "--class-names", "ant,bee,cat"}).code, 0);
  EXPECT_TRUE(contains(contents(data.path("r.html")), "bee"));
}

TEST(GraphPicture, IsOneDocument) {
  const SmallData data;
  const Result r = sluice({"graph", "--data", data.folder().path(), "--svg"});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(contains(r.out.substr(0, 200), "<svg")) << r.out.substr(0, 200);
  for (const char* stage : {"inflate.train-images", "gradient", "accumulate"}) EXPECT_TRUE(contains(r.out, stage));
  EXPECT_EQ(sluice({"graph", "--data", data.folder().path(), "--svg", "--dot"}).code, 2);
  ASSERT_EQ(sluice(data.train() + Arguments{"--picture", data.path("after.svg")}).code, 0);
  const std::string after = contents(data.path("after.svg"));
  EXPECT_TRUE(contains(after, " % busy") && contains(after, "bottleneck: ")) << after.substr(0, 200);
}

// A run that would take hours is interrupted when its first epoch's line is there.
class Interrupted : public ::testing::Test {
 protected:
  Result interrupted(const std::string& signal, const std::string& more) {
    // A shell's background jobs are deaf to interrupts unless told otherwise.
    const std::string command = "env --default-signal=INT '" + sluice_path() + "' train --data '" +
                                data.folder().path() + "' --epochs 1000000 --batch-size 100 " + more + " 2> '" +
                                data.path("err") + "' & pid=$!; until grep -qs epoch '" + data.path("err") +
                                "'; do sleep 0.05; done; kill -s " + signal + " $pid; wait $pid";
    Result r = run({"bash", "-c", command});
    r.err += contents(data.path("err"));
    return r;
  }
  const SmallData data;
};

TEST_F(Interrupted, RunWritesItsTraceAndItsReportAndSaysWhereItWas) {
  const Result r = interrupted("INT", "--trace '" + data.path("t.json") + "' --report '" + data.path("r.html") +
                                          "' --output '" + data.path("model") + "'");
  EXPECT_EQ(r.code, 130) << r.err;
  EXPECT_EQ(r.out, "");
  EXPECT_TRUE(contains(r.err, "sluice: interrupted after ")) << r.err.substr(0, 300);
  EXPECT_TRUE(contains(r.err, "no model was written"));
  EXPECT_TRUE(parsed_json(contents(data.path("t.json"))).is_object());
  const std::string page = contents(data.path("r.html"));
  EXPECT_TRUE(contains(page, "interrupted after ") && contains(page, "</html>"));
  struct stat unused {};
  EXPECT_NE(::stat(data.path("model").c_str(), &unused), 0);
}

TEST_F(Interrupted, SynthLeavesNothingBehind) {
  const std::string folder = data.path("made");
  const Result r = run({"bash", "-c",
                        "env --default-signal=INT '" + sluice_path() + "' synth '" + folder +
                            "' --train 5000000 & pid=$!; until ls '" + folder +
                            "' 2>/dev/null | grep -q .; do sleep 0.05; done; kill -s INT $pid; wait $pid; "
                            "code=$?; ls '" +
                            folder + "'; exit $code"});
  EXPECT_EQ(r.code, 130);
  EXPECT_EQ(r.out, "");
  EXPECT_TRUE(contains(r.err, "interrupted")) << r.err;
}

TEST_F(Interrupted, EndsWithTheSignalsNumber) {
  EXPECT_EQ(interrupted("TERM", "").code, 143);
}

}  // namespace
}  // namespace sluice::apps::testing
