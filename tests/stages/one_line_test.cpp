#include <sluice/stages/one_line.hpp>

#include <gtest/gtest.h>

#include <string>

namespace sluice::stages {
namespace {

TEST(Printable, LeavesWhatCanBeShown) {
  EXPECT_EQ(one_line(""), "");
  EXPECT_EQ(one_line("a b~"), "a b~");
  EXPECT_EQ(one_line("\u00e4\u20ac\U0001f600"), "\u00e4\u20ac\U0001f600");
}

TEST(Printable, ControlCharactersAndWhatIsNoUtf8BecomeQuestionMarks) {
  EXPECT_EQ(one_line(std::string("a\0b\nc\x1b[0m\x7f", 10)), "a?b?c?[0m?");
  EXPECT_EQ(one_line("\xc2\x85"), "?");                                  // a control character of two bytes
  EXPECT_EQ(one_line("\xc2\xa0"), "\xc2\xa0");                           // the first that is none
  EXPECT_EQ(one_line("a\xe4z"), "a?z");                                  // Latin-1
  EXPECT_EQ(one_line("\xc0\xaf \xe0\x80\xaf"), "?? ???");                // longer than it need be
  EXPECT_EQ(one_line("\xed\xa0\x80 \xed\x9f\xbf"), "??? \xed\x9f\xbf");  // half a pair of UTF-16
  EXPECT_EQ(one_line("\xf4\x90\x80\x80 \xf4\x8f\xbf\xbf"), "???? \xf4\x8f\xbf\xbf");  // beyond U+10FFFF
  EXPECT_EQ(one_line("\xf0\x8f\xbf\xbf \xf0\x90\x80\x80"), "???? \xf0\x90\x80\x80");
  EXPECT_EQ(one_line("\xf5\x80\xff\xfe"), "????");
  EXPECT_EQ(one_line("\xe2\x82"), "??");  // cut short
  EXPECT_EQ(one_line("\xe2\x82x"), "??x");
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(one_line("abcdef", 6), "abcdef");
  EXPECT_EQ(one_line("abcdefg", 6), "abcdef...");
  EXPECT_EQ(one_line("abc\u20acd", 5), "abc...");
  EXPECT_EQ(one_line("abc\u20acd", 6), "abc\u20ac...");
  EXPECT_EQ(one_line(std::string(61, 'x')), std::string(60, 'x') + "...");
}

}  // namespace
}  // namespace sluice::stages
