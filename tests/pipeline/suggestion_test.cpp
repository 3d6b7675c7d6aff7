#include <sluice/pipeline/suggestion.hpp>

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Suggestion, IsTheNameNearestToATypingMistake) {
  EXPECT_EQ(suggestion("fowrard", {"reduce", "forward", "sgd"}), ": did you mean 'forward'?");
  EXPECT_EQ(suggestion("sdg", {"a", "sd"}), ": did you mean 'sd'?");
  EXPECT_EQ(suggestion("trian", {"graph", "train"}), ": did you mean 'train'?");
  EXPECT_EQ(suggestion("fowrad", {"reduce", "forward", "sgd"}), ": did you mean 'forward'?");
  EXPECT_EQ(suggestion("b", {"ab"}), ": did you mean 'ab'?");
}

TEST(Suggestion, ListsAllNamesWhenNoneIsNear) {
  EXPECT_EQ(suggestion("gradient", {"forward", "sgd"}), ": expected one of forward, sgd");
  EXPECT_EQ(suggestion("", {"forward"}), ": expected one of forward");
}

TEST(Suggestion, IsNothingWhenNothingIsKnown) {
  EXPECT_EQ(suggestion("forward", {}), "");
}

}  // namespace
}  // namespace sluice
