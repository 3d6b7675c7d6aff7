#include <sluice/stages/input_files.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using Paths = std::vector<std::string>;

TEST(InputFiles, SeveralHaveCommasBetween) {
  EXPECT_EQ(InputFiles::parse("a").paths(), Paths{"a"});
  EXPECT_EQ(InputFiles::parse("a,b").paths(), (Paths{"a", "b"}));
  EXPECT_EQ(InputFiles::parse("a,,b,").paths(), (Paths{"a", "", "b", ""}));
  EXPECT_EQ(InputFiles::parse("a,b"), InputFiles(Paths{"a", "b"}));
}

TEST(InputFiles, ATextThatIsTheNameOfAFileIsThatFile) {
  const test::Folder folder;
  const std::string path = folder.write("a,b", "x");
  EXPECT_EQ(InputFiles::parse(path).paths(), Paths{path});
  EXPECT_EQ(InputFiles::parse(path + ",c").paths(), (Paths{folder.path("a"), "b", "c"}));
}

TEST(InputFiles, AnEmptyTextIsNothingToRead) {
  for (const InputFiles& none : {InputFiles(), InputFiles::parse(""), InputFiles::parse("", Dash::standard_input)}) {
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.text(), "");
  }
  EXPECT_FALSE(InputFiles("a").empty() || InputFiles::standard_input().empty());
}

TEST(InputFiles, TheStandardInputIsADashAloneAndWhereItMayBe) {
  const InputFiles input = InputFiles::parse("-", Dash::standard_input);
  EXPECT_TRUE(input.is_standard_input());
  EXPECT_EQ(input, InputFiles::standard_input());
  EXPECT_EQ(input.paths(), Paths());
  EXPECT_EQ(InputFiles::parse("-").paths(), Paths{"-"});
  for (const char* text : {"./-", "-,-", "-a"})
    EXPECT_EQ(InputFiles::parse(text, Dash::standard_input), InputFiles::parse(text)) << text;
}

TEST(InputFiles, AreCalledByTheirPaths) {
  const InputFiles two(Paths{"a", "b"});
  EXPECT_EQ(two.name(), "a,b");
  EXPECT_EQ(two.names(), (Paths{"a", "b"}));
  EXPECT_EQ(InputFiles::standard_input().name(), "standard input");
  EXPECT_EQ(InputFiles::standard_input().names(), Paths{"standard input"});
}

TEST(InputFiles, TheirTextIsTakenBack) {
  for (const InputFiles& files : {InputFiles("a"), InputFiles(Paths{"a", "b"}), InputFiles::standard_input()})
    EXPECT_EQ(InputFiles::parse(files.text(), Dash::standard_input), files) << files.text();
}

}  // namespace
}  // namespace sluice::stages
