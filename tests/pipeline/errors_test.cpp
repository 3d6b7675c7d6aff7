#include <sluice/pipeline/errors.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace sluice {
namespace {

TEST(Errors, AreAllRuntimeErrorsWithOneRoot) {
  static_assert(std::is_base_of_v<std::runtime_error, Error>);
  static_assert(std::is_base_of_v<Error, WiringError> && std::is_base_of_v<Error, StageError> &&
                std::is_base_of_v<Error, Stalled> && std::is_base_of_v<Error, Cancelled>);
}

TEST(Errors, AWiringErrorHasALineForEachMistake) {
  const WiringError error("train", {"first", "second"});
  EXPECT_STREQ(error.what(), "graph 'train' cannot run:\n  first\n  second");
  EXPECT_EQ(error.mistakes(), (std::vector<std::string>{"first", "second"}));
}

TEST(Errors, AStageErrorSaysStageMessageAndCause) {
  const auto cause = std::make_exception_ptr(std::runtime_error("no space"));
  const StageError error("save", 7, cause);
  EXPECT_STREQ(error.what(), "stage 'save', message 7: no space");
  EXPECT_EQ(error.stage(), "save");
  EXPECT_EQ(error.sequence(), 7u);
  EXPECT_EQ(error.cause(), cause);
}

TEST(Errors, AStageErrorOutsideOfAMessageSaysNoSequence) {
  const StageError error("save", std::nullopt, std::make_exception_ptr(1));
  EXPECT_STREQ(error.what(), "stage 'save': an exception that is no std::exception");
  EXPECT_EQ(error.sequence(), std::nullopt);
}

TEST(Errors, TheCauseOfAStageErrorIsLookedAtAsWhatItIsOrDerivesFromAndAsNothingElse) {
  const StageError error("save", 7, std::make_exception_ptr(std::out_of_range("no such row")));
  ASSERT_TRUE(error.cause_as<std::out_of_range>());
  EXPECT_STREQ(error.cause_as<std::out_of_range>()->what(), "no such row");
  EXPECT_EQ(error.cause_as<std::logic_error>(), error.cause_as<std::out_of_range>()) << "the same exception";
  EXPECT_EQ(error.cause_as<std::runtime_error>(), nullptr);
  EXPECT_EQ(error.cause_as<int>(), nullptr);
}

TEST(Errors, TheCauseLivesAsLongAsACopyOfItsStageError) {
  std::optional<StageError> error;
  error.emplace("save", 7, std::make_exception_ptr(std::runtime_error("no space")));
  const StageError copy = *error;
  error.reset();
  EXPECT_STREQ(copy.cause_as<std::runtime_error>()->what(), "no space");
}

TEST(Errors, TheTextOfAnExceptionIsWhatItSays) {
  EXPECT_EQ(message_of(std::make_exception_ptr(std::logic_error("odd"))), "odd");
  EXPECT_EQ(message_of(std::make_exception_ptr("text")), "an exception that is no std::exception");
}

TEST(Errors, CancelledNamesTheGraph) {
  EXPECT_STREQ(Cancelled("train").what(), "graph 'train' was cancelled");
}

}  // namespace
}  // namespace sluice
