// `sluice graph` prints what the sources say and what `sluice train` accepts.
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include "tests/apps/data.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

// The pictures in a source: each run of comment lines that begin with `//` and two spaces.
std::vector<std::string> pictures_in(const std::string& path) {
  std::vector<std::string> all;
  bool inside = false;
  for (const std::string& line : lines(source(path))) {
    const bool picture = line.starts_with("//  ") && (contains(line, "->") || inside);
    if (picture && !inside) all.emplace_back();
    if (picture) all.back() += line.substr(4) + "\n";
    inside = picture;
  }
  return all;
}

class GraphCommand : public ::testing::Test {
 protected:
  Result graph(const Arguments& more = {}) const {
    return sluice(Arguments{"graph", "--data", data_.folder().path()} + more);
  }
  // The part about one graph.
  static std::string part(const std::string& text, const std::string& name) {
    const auto begin = text.find("\n" + name + ":\n");
    if (begin == std::string::npos) return {};
    return text.substr(begin + name.size() + 3, text.find("\nbound: ", begin) - begin);
  }
  const SmallData data_;
};

TEST_F(GraphCommand, PrintsThePicturesThatStandAboveTheWiring) {
  const Result r = graph({"--threads", "2"});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.err, "");
  const std::string streamed = graph({"--stream", "--threads", "2"}).out;
  for (const auto& [name, file] :
       {std::pair{"train", "apps/job/training.cpp"}, {"evaluate", "apps/job/evaluation.cpp"}}) {
    auto pictures = pictures_in(file);  // of data in memory, and of what is before it where they are streamed
    if (file == std::string("apps/job/training.cpp")) {
      ASSERT_EQ(pictures.size(), 3u);
      const std::string of_several = graph({"--threads", "2", "--ranks", "2"}).out;
      EXPECT_TRUE(part(of_several, name).starts_with(pictures[2] + "\n")) << pictures[2] << of_several;
      // Images of which there are slices enough.
      const std::string larger = data_.path("larger");
      ASSERT_EQ(sluice({"synth", larger, "--train", "70", "--test", "10"}).code, 0);
      const std::string small = sluice({"graph", "--data", larger, "--batch-size", "64", "--threads", "2"}).out;
      EXPECT_TRUE(part(small, name).starts_with(pictures[1] + "\n")) << pictures[1] << small;
      pictures = {pictures[0], "rows.train-images -> pair -> shuffle\nrows.train-labels -> pair\n"};
    }
    ASSERT_EQ(pictures.size(), 2u);
    EXPECT_TRUE(part(r.out, name).starts_with(pictures[0] + "\n")) << pictures[0] << r.out;
    for (const std::string& line : lines(pictures[1])) EXPECT_TRUE(contains(part(streamed, name), line)) << line;
  }
}

TEST_F(GraphCommand, PrintsTheLoadingChainOfTheWiringForEachOfTheFourFiles) {
  const auto pictures = pictures_in("apps/job/load.cpp");
  ASSERT_EQ(pictures.size(), 1u);
  const std::string chain = lines(pictures[0])[0];
  std::string expected;
  for (const char* file : {"train-images", "train-labels", "test-images", "test-labels"}) {
    std::string line = chain;
    for (std::size_t at; (at = line.find(".train-images")) != std::string::npos;)
      line.replace(at, std::string(".train-images").size(), std::string(".\1") + file);
    std::erase(line, '\1');
    expected += line + "\n";
  }
  EXPECT_TRUE(part(graph().out, "load").starts_with(expected + "\n")) << graph().out;
}

TEST_F(GraphCommand, ThePictureInTheReadmeIsThatOfTheTrainingGraph) {
  EXPECT_TRUE(contains(source("README.md"), pictures_in("apps/job/training.cpp")[0]));
}

TEST_F(GraphCommand, StatesTheShapesOfTheData) {
  EXPECT_TRUE(graph().out.starts_with("images of 6 x 7 pixels, 10 classes (assumed: --classes), batches of 256, "))
      << graph().out;
  EXPECT_TRUE(graph({"--classes", "3", "--batch-size", "64", "--threads", "5"})
                  .out.starts_with("images of 6 x 7 pixels, 3 classes, batches of 64, 5 threads\n"));
}

TEST_F(GraphCommand, FlagsChangeWhatItPrints) {
  const std::string base = graph({"--threads", "2"}).out;
  for (const Arguments& flags : {Arguments{"--batch-size", "1000"},
                                 {"--classes", "3"},
                                 {"--shards", "7"},
                                 {"--capacity", "batch=9"},
                                 {"--concurrency", "forward=2"},
                                 {"--capacity", "inflate=9"},
                                 {"--graph", "load"},
                                 {"--dot"}})
    EXPECT_NE(graph(Arguments{"--threads", "2"} + flags).out, base) << flags[0];
  EXPECT_NE(graph({"--threads", "1"}).out, base);
}

struct Row {
  std::string stage, verb, concurrency, capacity;
};

// Every stage that it lists can be set or says why not, in `graph` and in `train` alike.
TEST_F(GraphCommand, EveryStageThatItListsCanBeSetOrSaysWhyNot) {
  std::vector<Row> rows;
  std::set<std::string> seen;
  const Arguments threads{"--threads", "2"};  // with many the step has another shape
  for (const std::string& line : lines(graph(threads).out)) {
    std::istringstream words(line);
    Row row;
    words >> row.stage >> row.verb >> row.concurrency >> row.capacity;
    if (row.capacity.empty() || row.stage == "stage" || row.stage == "bound:" || contains(line, "->")) continue;
    if (contains(line, "pixels") || contains(line, "a batch: ") || row.verb == "->") continue;
    rows.push_back(row);
    seen.insert(row.verb);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"source", "expand", "sink", "feedback", "zip", "split", "map", "fold"}));
  const auto agree = [&](const Arguments& flags, bool accepted) {
    const Result printed = graph(threads + flags),
                 used = sluice(data_.train() + Arguments{"--quiet", "--json"} + threads + flags);
    EXPECT_EQ(printed.code, accepted ? 0 : 2) << flags[0] << " " << flags[1] << ": " << printed.err;
    EXPECT_EQ(used.code, accepted ? 0 : 2) << flags[0] << " " << flags[1] << ": " << used.err;
    EXPECT_EQ(lines(used.err).size(), accepted ? 0u : 1u) << used.err;
  };
  // A name that is in two graphs is taken if it can be set in one of them.
  std::set<std::string> all, maps, segments;
  for (const Row& row : rows) {
    all.insert(row.stage);
    if (row.verb == to_string(Verb::map)) maps.insert(row.stage);
    if (row.capacity != "-") segments.insert(row.stage);
  }
  for (const auto& stage : all) {
    agree({"--concurrency", stage + "=2"}, maps.contains(stage));
    agree({"--capacity", stage + "=3"}, segments.contains(stage));
  }
}

TEST_F(GraphCommand, AFamilyOfStagesIsSetByThePartBeforeTheDot) {
  const std::string all = graph({"--capacity", "inflate=9"}).out,
                    one = graph({"--capacity", "inflate.test-labels=9"}).out;
  const auto nines = [](const std::string& text) {
    int count = 0;
    for (const std::string& line : lines(text)) {
      std::istringstream words(line);
      std::string stage, verb, concurrency, capacity;
      words >> stage >> verb >> concurrency >> capacity;
      count += capacity == "9";
    }
    return count;
  };
  EXPECT_EQ(nines(all), 4);
  EXPECT_EQ(nines(one), 1);
}

// Whoever reads only the first graph of a text, or only one document of a file, misses nothing.
TEST_F(GraphCommand, DotIsOneGraphThatGraphvizMakesOneDocumentOf) {
  for (const Arguments& flags : {Arguments{}, {"--stream", "--threads", "3"}, {"--ranks", "3"}}) {
    const Result r = graph(Arguments{"--dot"} + flags);
    ASSERT_EQ(r.code, 0) << r.err;
    std::size_t graphs = 0, clusters = 0, nodes = 0, depth = 0;
    for (const std::string& line : lines(r.out)) {
      graphs += line.starts_with("digraph");
      clusters += line.starts_with("  subgraph cluster_");
      nodes += contains(line, " [label=");
    }
    for (const char c : r.out) {
      depth += c == '{';
      ASSERT_FALSE(c == '}' && depth == 0) << r.out;
      depth -= c == '}';
    }
    EXPECT_EQ(graphs, 1u);
    EXPECT_EQ(clusters, 3u);
    EXPECT_EQ(depth, 0u);
    for (const char* name : {"load", "train", "evaluate"})
      EXPECT_TRUE(contains(r.out, std::string("    label=\"") + name + "\";\n")) << name;
    if (run({"sh", "-c", "command -v dot && command -v python3"}).code != 0) GTEST_SKIP() << "no dot or no python3";
    const std::string path = data_.folder().write("graph.dot", r.out);
    const Result drawn = run({"dot", "-Tsvg", path});
    EXPECT_EQ(drawn.code, 0) << drawn.err;
    EXPECT_EQ(drawn.err, "");
    const std::string svg = data_.folder().write("graph.svg", drawn.out);
    const Result read = run({"python3", "-c",
                             "import sys, xml.etree.ElementTree as x; g = [e.get('class') for e in "
                             "x.parse(sys.argv[1]).iter('{http://www.w3.org/2000/svg}g')]; "
                             "print(g.count('graph'), g.count('cluster'), g.count('node'))",
                             svg});
    EXPECT_EQ(read.out, "1 3 " + std::to_string(nodes) + "\n") << read.err;
  }
}

TEST_F(GraphCommand, OneOfTheGraphsCanBeAskedForInEveryForm) {
  const std::string text = graph({"--threads", "2"}).out;
  for (const char* name : {"load", "train", "evaluate"}) {
    const std::string one = graph({"--threads", "2", "--graph", name}).out;
    EXPECT_EQ(part(one, name), part(text, name));
    const std::string dot = graph({"--graph", name, "--dot"}).out;
    EXPECT_TRUE(dot.starts_with(std::string("digraph \"") + name + "\" {\n")) << dot;
    EXPECT_FALSE(contains(dot, "cluster")) << dot;
    const std::string svg = graph({"--graph", name, "--svg"}).out;
    EXPECT_TRUE(contains(svg, std::string("aria-label=\"") + name + ": ")) << svg.substr(0, 200);
    for (const char* other : {"load", "train", "evaluate"}) {
      if (other == std::string(name)) continue;
      EXPECT_EQ(part(one, other), "");
      EXPECT_FALSE(contains(svg, std::string("<title>") + other + "</title>")) << other;
    }
  }
  EXPECT_EQ(graph({"--threads", "2", "--graph", "all"}).out, text);
}

TEST_F(GraphCommand, APipeIsRefusedBeforeSomethingIsTakenOutOfIt) {
  const std::string command = "'" + sluice_path() + "' graph --train-images /dev/stdin --data '" +
                              data_.folder().path() + "' 2>'" + data_.path("err") + "'; cat | wc -c; cat '" +
                              data_.path("err") + "' >&2";
  const Result r = run({"sh", "-c", "printf '12345' | { " + command + "; }"});
  EXPECT_EQ(std::stoi(r.out), 5) << r.out;
  EXPECT_TRUE(contains(r.err, "--train-images /dev/stdin: is no regular file")) << r.err;
}

TEST_F(GraphCommand, AWrongImagesFileIsAnErrorOfTheData) {
  for (const char* bytes : {"", "<html>", "\x1f\x8b"}) {
    const Result r = graph({"--train-images", data_.folder().write("a.gz", bytes)});
    EXPECT_EQ(r.code, 3) << r.err;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
  }
  for (const std::string& bytes : {test::idx_header(3, {1, 28}), test::idx_header(3, {0, 6, 7}), train_labels(),
                                   train_labels().substr(0, 9), train_images().substr(0, 5)}) {
    const Result r = graph({"--train-images", data_.folder().write("b.gz", test::gzip(bytes))});
    EXPECT_EQ(r.code, 3) << r.err;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(contains(r.err, "b.gz: ")) << r.err;
  }
}

}  // namespace
}  // namespace sluice::apps::testing
