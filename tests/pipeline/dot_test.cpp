// What Graphviz and its like are given.
#include <sluice/pipeline/dot.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include "tests/pipeline/everything.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

const auto drop = [](const int&) {};

std::size_t count(const std::string& all, const std::string& text) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = all.find(text, at)) != all.npos; ++at) ++n;
  return n;
}

TEST(Dot, HasANodeForEachStageAnEdgeForEachArrowAndIsBalanced) {
  Everything all(1, threads(1));
  const std::string dot = all.graph.dot();
  EXPECT_EQ(dot.substr(0, 22), "digraph \"everything\" {") << dot;
  EXPECT_EQ(count(dot, "{"), 1u);
  EXPECT_EQ(count(dot, "}"), 1u);
  EXPECT_EQ(std::count(dot.begin(), dot.end(), '['), std::count(dot.begin(), dot.end(), ']'));
  EXPECT_EQ(count(dot, "\"") % 2, 0u);
  EXPECT_EQ(count(dot, "[label="), 10u);
  EXPECT_EQ(count(dot, " -> "), 10u);
  EXPECT_NE(dot.find("s0 [label=\"state\\nfeedback, capacity 1\"]"), dot.npos) << dot;
  EXPECT_NE(dot.find("3 shards"), dot.npos) << dot;
}

TEST(Dot, APictureOfSomeStagesHasTheArrowsBetweenThem) {
  StageInfo shown;
  shown.name = "shown", shown.verb = Verb::sink, shown.inputs = {"left out"};
  const std::string text = dot({{"part", {shown}}});
  EXPECT_EQ(count(text, "[label="), 1u) << text;
  EXPECT_EQ(count(text, " -> "), 0u) << text;
}

TEST(Dot, QuotesWhatNeedsIt) {
  Graph g("say \"hello\"", threads(1));
  g.sink("back\\slash", drop, g.source("quo\"te", Count(1)));
  const std::string dot = g.dot();
  EXPECT_NE(dot.find("digraph \"say \\\"hello\\\"\""), dot.npos) << dot;
  EXPECT_NE(dot.find("\"quo\\\"te\\nsource"), dot.npos) << dot;
  EXPECT_NE(dot.find("\"back\\\\slash\\nsink\""), dot.npos) << dot;
}

// In a label &lt; is a <, whatever quotes are around it; in a name it is what it says. (Graphviz 2.42 and 2.43.)
TEST(Dot, OfANameThatLooksLikeAnEntityHasALabelThatShowsIt) {
  Graph g("R&D", threads(1));
  g.sink("a &lt; b", drop, g.source("c & d", Count(1)));
  const std::string dot = g.dot();
  EXPECT_NE(dot.find("digraph \"R&D\""), dot.npos) << dot;
  EXPECT_NE(dot.find("\"c &amp; d\\nsource"), dot.npos) << dot;
  EXPECT_NE(dot.find("\"a &amp;lt; b\\nsink\""), dot.npos) << dot;
}

// Viewers draw the first digraph of a text: there is one.
TEST(Dot, OfSeveralGraphsIsOneWithAClusterForEach) {
  Everything all(1, threads(1));
  Graph other("say \"hello\"", threads(1)), empty("empty", threads(1));
  other.sink("state", drop, other.source("numbers", Count(1)));
  const std::string dot =
      sluice::dot({{all.graph.name(), all.graph.stages()}, {other.name(), other.stages()}, {empty.name(), {}}});
  EXPECT_EQ(count(dot, "graph \""), 1u) << dot;
  EXPECT_TRUE(dot.starts_with("digraph \"everything, say \\\"hello\\\", empty\" {\n")) << dot;
  EXPECT_EQ(count(dot, "{"), 4u);
  EXPECT_EQ(count(dot, "}"), 4u);
  for (const char* cluster :
       {"subgraph cluster_0 {\n    label=\"everything\";", "subgraph cluster_1 {\n    label=\"say \\\"",
        "subgraph cluster_2 {\n    label=\"empty\";\n  }\n"})
    EXPECT_EQ(count(dot, cluster), 1u) << cluster << dot;
  EXPECT_LT(dot.find("cluster_1"), dot.find("cluster_0"));  // so that it is drawn below
  // A name of its own for each node; an edge has both ends in its cluster.
  std::set<std::string> nodes, of_cluster;
  std::istringstream lines(dot);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second, third;
    words >> first >> second >> third;
    if (first == "subgraph") of_cluster.clear();
    if (second.starts_with("[label=")) {
      EXPECT_TRUE(nodes.insert(first).second) << line;
      of_cluster.insert(first);
    }
    if (second == "->") {
      EXPECT_TRUE(of_cluster.count(first) && of_cluster.count(third.substr(0, third.find(';')))) << line;
    }
  }
  EXPECT_EQ(nodes.size(), 12u);
  EXPECT_EQ(count(dot, " -> "), 11u);
}

TEST(Dot, DrawsShardsBoldAndWhatClosesAFeedbackDashed) {
  Everything all(1, threads(1));
  const std::string dot = all.graph.dot();
  EXPECT_EQ(count(dot, "[style=bold]"), 2u) << dot;  // cut => square => sum
  EXPECT_EQ(count(dot, "style=dashed]"), 1u) << dot;
}

}  // namespace
}  // namespace sluice::test
