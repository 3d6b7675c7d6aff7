// Whatever is not compiled or executed rots: the code in the documents is that of files that are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/apps/program.hpp"
#include "tests/support/files.hpp"

namespace sluice::apps::testing {
namespace {

// The blocks of a page that are fenced as `language`.
std::vector<std::string> blocks(const std::string& page, const std::string& language) {
  std::vector<std::string> all;
  bool inside = false, wanted = false;
  for (const std::string& line : lines(page)) {
    if (line.starts_with("```")) {
      inside = !inside;
      wanted = inside && line == "```" + language;
      if (wanted) all.emplace_back();
    } else if (wanted) {
      all.back() += line + "\n";
    }
  }
  EXPECT_FALSE(inside) << "a block is not closed";
  return all;
}

// What stands between two lines `// [name]`, without the indentation that all of it has.
std::string marked(const std::string& code, const std::string& name) {
  std::vector<std::string> part;
  int marks = 0;
  for (const std::string& line : lines(code)) {
    const auto text = line.substr(std::min(line.size(), line.find_first_not_of(' ')));
    if (text == "// [" + name + "]")
      ++marks;
    else if (marks == 1)
      part.push_back(line);
  }
  EXPECT_EQ(marks, 2) << name;
  std::size_t indentation = std::string::npos;
  for (const auto& line : part)
    if (!line.empty()) indentation = std::min(indentation, line.find_first_not_of(' '));
  std::string all;
  for (const auto& line : part) all += (line.empty() ? "" : line.substr(indentation)) + "\n";
  return all;
}

TEST(Docs, TheProgramInTheReadmeIsHelloPipeline) {
  const std::string program = source("apps/examples/hello_pipeline.cpp");
  const auto code = blocks(source("README.md"), "cpp");
  ASSERT_GE(code.size(), 1u);
  EXPECT_EQ(code[0], program.substr(program.find("#include")));
}

TEST(Docs, EveryFlagThatACommandInTheReadmeHasIsOneOfSluice) {
  const std::string page = source("docs/cli.md");
  std::size_t flags = 0;
  for (const std::string& block : blocks(source("README.md"), ""))
    for (const std::string& line : lines(block)) {
      if (!line.starts_with("sluice ")) continue;
      std::istringstream words(line);
      for (std::string word; words >> word && word != "#" && word != "|";) {
        if (!word.starts_with("--")) continue;
        ++flags;
        EXPECT_TRUE(contains(page, "| `" + word + " ") || contains(page, "| `" + word + "`")) << line;
      }
    }
  EXPECT_GT(flags, 3u);
}

TEST(Docs, ThePageOfTheCommandLineIsWhatTheProgramPrints) {
  const Result r = sluice({"--help-markdown"});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(r.out == source("docs/cli.md")) << "docs/cli.md is stale: scripts/refresh docs/cli.md";
}

TEST(Docs, TheCodeInWriteAStageIsThatOfItsPrograms) {
  const std::string smooth = source("apps/examples/smooth.cpp"), service = source("apps/examples/lookup_service.cpp");
  const auto code = blocks(source("docs/write-a-stage.md"), "cpp");
  const char* const names[] = {"function", "stage", "graph", "stats", "look up", "service", "ctrl-c", "latency"};
  ASSERT_EQ(code.size(), std::size(names));
  for (std::size_t i = 0; i < code.size(); ++i)
    EXPECT_EQ(code[i], marked(i < 4 ? smooth : service, names[i])) << names[i];
}

TEST(Docs, ThePictureAndTheTableInWriteAStageAreThoseThatSmoothPrints) {
  const auto plain = blocks(source("docs/write-a-stage.md"), "");
  ASSERT_GE(plain.size(), 1u);
  EXPECT_TRUE(run({example_path("smooth")}).out.starts_with(plain[0]));
}

TEST(Docs, EveryTestThatIsNamedIsThere) {
  namespace fs = std::filesystem;
  std::string tests;
  for (const auto& entry : fs::recursive_directory_iterator(std::string(SLUICE_SOURCE) + "/tests"))
    if (entry.path().extension() == ".cpp") tests += test::contents_of(entry.path().string());
  std::erase_if(tests, [](char c) { return c == ' ' || c == '\n'; });
  const std::regex name("`([A-Z][A-Za-z]+)\\.([A-Za-z0-9_]+)`");
  for (const char* document : {"docs/reliability.md", "docs/from-the-chapter.md"}) {
    const std::string page = source(document);
    std::size_t names = 0;
    for (std::sregex_iterator found(page.begin(), page.end(), name), end; found != end; ++found, ++names) {
      // Without a regular expression: in all of the tests it would take minutes where nothing is optimised.
      const std::string definition = "(" + (*found)[1].str() + "," + (*found)[2].str() + ")";
      EXPECT_TRUE(contains(tests, "TEST" + definition) || contains(tests, "TEST_F" + definition) ||
                  contains(tests, "TEST_P" + definition))
          << document << ": " << found->str();
    }
    EXPECT_GT(names, 15u) << document;
  }
}

// The anchors of a page: GitHub makes them of its headings, and so does scripts/docs.
std::set<std::string> anchors(const std::string& page) {
  std::set<std::string> all;
  bool code = false;
  for (const std::string& line : lines(page)) {
    if (line.starts_with("```")) code = !code;
    const std::size_t level = line.find_first_not_of('#');
    if (code || level == 0 || level == std::string::npos || line[level] != ' ') continue;
    std::string name;
    for (const char c : line.substr(level + 1))
      if (c == ' ')
        name += '-';
      else if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_')
        name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (std::size_t again = 0; !all.insert(name + (again ? "-" + std::to_string(again) : "")).second;) ++again;
  }
  return all;
}

TEST(Docs, EveryLinkLeadsToAFileAndToAHeadingThatIsThere) {
  namespace fs = std::filesystem;
  const fs::path root = SLUICE_SOURCE;
  std::vector<fs::path> pages;
  for (const fs::path& folder : {root, root / "docs"})
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".md") pages.push_back(entry.path());
  const std::regex link("\\]\\(([^) #]*)(#([^)]*))?\\)");
  std::size_t files = 0, headings = 0;
  for (const fs::path& path : pages) {
    const std::string page = test::contents_of(path.string());
    for (std::sregex_iterator found(page.begin(), page.end(), link), end; found != end; ++found) {
      const std::string target = (*found)[1].str(), heading = (*found)[3].str();
      if (contains(target, "://")) continue;
      const fs::path file = target.empty() ? path : path.parent_path() / target;
      files += !target.empty();
      ASSERT_TRUE(fs::exists(file)) << path << ": " << target;
      if (heading.empty()) continue;
      ++headings;
      EXPECT_TRUE(anchors(test::contents_of(file.string())).contains(heading)) << path << ": " << found->str();
    }
  }
  EXPECT_GT(files, 30u);
  EXPECT_GT(headings, 5u);
}

TEST(Docs, ThePictureInTheChaptersPageIsThatOfTheReadme) {
  const auto page = blocks(source("docs/from-the-chapter.md"), ""), readme = blocks(source("README.md"), "");
  ASSERT_GE(page.size(), 1u);
  EXPECT_EQ(page[0], readme[0]);
}

TEST(Docs, TheDrawingInTheChaptersPageIsThatOfTheProgram) {
  const Result r = sluice({"graph", "--threads", "2", "--svg"});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(r.out == source("docs/from-the-chapter.svg")) << "it is stale: scripts/refresh docs/from-the-chapter.md";
}

}  // namespace
}  // namespace sluice::apps::testing
