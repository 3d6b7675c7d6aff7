#include <sluice/pipeline/printable.hpp>

#include <gtest/gtest.h>

#include <string>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/stats.hpp>
#include <sluice/pipeline/svg.hpp>
#include <sluice/pipeline/verdict.hpp>

namespace sluice {
namespace {

TEST(Printable, IsTextAsItWas) {
  for (const std::string text : {"", "a b", "M\u00fctze/\u9774 'x'", "\u00a0", "\U0001f40b", "\U0010ffff", "\uFFFD"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, ReplacesWhatATerminalMayTakeForCommands) {
  EXPECT_EQ(printable("a\tb\nc\x7f"), "a\uFFFDb\uFFFDc\uFFFD");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m\xc2\xa0x"),
            "\uFFFD31m\u00A0x");
  EXPECT_EQ(printable(std::string("\0\x1b[2J", 5)), "\uFFFD\uFFFD[2J");
  EXPECT_EQ(printable("a\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd"), "a\uFFFD\uFFFD\uFFFD");
}

// RFC 3629: a longer form than needed, a half of a pair, what lies above U+10FFFF, and what does not go on.
TEST(Printable, ReplacesWhatIsNoUtf8) {
  for (const std::string text : {"\xff", "\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x90"}) {
    EXPECT_EQ(printable(text), "\uFFFD") << text;
    EXPECT_EQ(printable(text + "b"), "\uFFFDb") << text;
    EXPECT_EQ(printable(text + "\u00e4"), "\uFFFD\u00e4") << text;
  }
  for (const std::string text : {"\xc0\x80", "\xc1\xbf", "\xf5\x80"}) EXPECT_EQ(printable(text), "\uFFFD\uFFFD");
  for (const std::string text : {"\xe0\x9f\xbf", "\xed\xa0\x80"}) EXPECT_EQ(printable(text), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(Printable, IsEveryNameInAGraph) {
  const std::string clears = "a\x1b[2J\nb", shown = "a\uFFFD[2J\uFFFDb";
  Graph g("graph \x1b]0;title\x07", Threads(1));
  auto numbers = g.source(clears, [n = 0]() mutable { return n < 3 ? std::optional(n++) : std::nullopt; });
  std::size_t seen = 0;
  g.sink(
      "sink\x9b", [&](int) { ++seen; }, numbers);
  g.set_capacity(clears, 2);
  g.run();
  EXPECT_EQ(seen, 3u);
  const GraphStats stats = g.stats();
  EXPECT_EQ(stats.stage(clears).name, shown);
  EXPECT_EQ(stats.stage(shown).items, 3u);
  for (const std::string& text : {stats.graph, g.picture(), g.table(), g.dot(), svg({{g.name(), g.stages(), stats}}),
                                  profile_table(stats), verdict(stats).text})
    EXPECT_EQ(text.find_first_of("\x1b\x9b\x07"), std::string::npos) << text;
}

TEST(Printable, IsTheStageOfAnError) {
  Graph g("g", Threads(1));
  auto numbers = g.source("a", [n = 0]() mutable { return n < 1 ? std::optional(n++) : std::nullopt; });
  g.sink(
      "\x1b[2J", [](int) { throw std::runtime_error("no"); }, numbers);
  try {
    g.run();
    FAIL();
  } catch (const StageError& error) {
    EXPECT_EQ(std::string(error.what()), "stage '\uFFFD[2J', message 0: no");
  }
  EXPECT_THROW(g.set_capacity("\x1b[H", 2), std::invalid_argument);
}

}  // namespace
}  // namespace sluice
