#include "apps/job/class_names.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/files.hpp"

namespace sluice::apps {
namespace {

using Names = std::vector<std::string>;
using test::expect_error;

TEST(ClassNames, AreThoseOfFashionMnistForItsData) {
  const Names names = class_names("", 10, true);
  ASSERT_EQ(names.size(), 10u);
  EXPECT_EQ(names[0], "T-shirt/top");
  EXPECT_EQ(names[6], "Shirt");
  EXPECT_EQ(names[9], "Ankle boot");
}

TEST(ClassNames, AreNumbersWhereNobodyKnowsBetter) {
  EXPECT_EQ(class_names("", 3, false), (Names{"class 0", "class 1", "class 2"}));
  EXPECT_EQ(class_names("", 2, true), (Names{"class 0", "class 1"}));  // not all of it
}

TEST(ClassNames, AreTakenFromAList) {
  EXPECT_EQ(class_names("cat, dog,long name ", 3, true), (Names{"cat", "dog", "long name"}));
}

TEST(ClassNames, AreTakenFromAFileWithAndWithoutALastLineEnd) {
  const test::Folder folder;
  for (const char* text : {"a, b\nc\n", "a, b\r\nc",
                           "\xEF\xBB\xBF"
                           "a, b\nc",
                           "a, b\nc\n\n", "a, b\r\nc\r\n \r\n"})
    EXPECT_EQ(class_names("@" + folder.write("names", text), 2, false), (Names{"a, b", "c"}));
}

TEST(ClassNames, OfAWrongNumberAreAnErrorThatSaysHowManyThereShouldBe) {
  expect_error<std::invalid_argument>([] { class_names("a,b", 3, false); }, {"2 names", "expected 3"});
  expect_error<std::invalid_argument>([] { class_names("a", 3, false); }, {"1 name,", "expected 3"});
  expect_error<std::invalid_argument>([] { class_names("a,b,c,d", 3, false); }, {"4 names", "expected 3"});
}

TEST(ClassNames, ThatAreEmptyAreAnError) {
  expect_error<std::invalid_argument>([] { class_names("a,,c", 3, false); }, {"class 1", "empty"});
  expect_error<std::invalid_argument>([] { class_names("a,b,", 3, false); }, {"class 2", "empty"});
}

TEST(ClassNames, OfAFileThatCannotBeReadAreAnErrorThatNamesIt) {
  const test::Folder folder;
  expect_error<std::invalid_argument>([&] { class_names("@" + folder.path("nothing"), 3, false); },
                                      {folder.path("nothing"), "No such file"});
  expect_error<std::invalid_argument>([&] { class_names("@" + folder.path(), 3, false); }, {folder.path()});
}

}  // namespace
}  // namespace sluice::apps
