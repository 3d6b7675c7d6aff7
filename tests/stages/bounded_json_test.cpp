#include <sluice/stages/bounded_json.hpp>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using nlohmann::ordered_json;
using sluice::test::expect_error;

std::string object(std::size_t names) {
  std::string text;
  for (std::size_t i = 0; i < names; ++i) text += (i ? ",\"" : "{\"") + std::to_string(i) + "\":0";
  return text + "}";
}

TEST(BoundedJson, WithinTheBoundsItIsWhatTheLibraryReads) {
  for (const std::string text :
       {R"({"b":[1,-2,0.5,true,null],"a":{"x":"ä\n"}})", "[]", "3", "\"text\"", R"([{"a":1},{"a":{"a":2}}])"})
    EXPECT_EQ(parse_bounded(text, 3), ordered_json::parse(text)) << text;
  EXPECT_EQ(parse_bounded(object(usual_most_names), 1).size(), usual_most_names);
}

TEST(BoundedJson, WhatIsNoJsonIsDiscarded) {
  for (const std::string text : {"", "{", "[1,]", "nul", "1e999", "\"\xff\"", "{} {}", "\xEF\xBB\xBF{}"})
    EXPECT_TRUE(parse_bounded(text, 3).is_discarded()) << text;
  for (const std::string& text : {std::string("{}\0", 3), std::string("{}\0{}", 5), std::string("\0{}", 3)})
    EXPECT_TRUE(parse_bounded(text, 3).is_discarded()) << "a NUL";
}

TEST(BoundedJson, NestingHasABound) {
  EXPECT_EQ(parse_bounded("[[],{}]", 2).size(), 2u);
  for (const std::string& text : {std::string("[[[]]]"), std::string("[{\"a\":[]}]"), std::string(1'000'000, '[')})
    expect_error<std::invalid_argument>([&] { parse_bounded(text, 2); }, {"values nested more than 2 deep"});
}

TEST(BoundedJson, AnObjectHasABoundedNumberOfNames) {
  expect_error<std::invalid_argument>([] { parse_bounded(object(usual_most_names + 1), 1); }, {"more than 256 names"});
  EXPECT_EQ(parse_bounded("[" + object(usual_most_names) + "," + object(usual_most_names) + "]", 2).size(), 2u)
      << "each of its own";
}

TEST(BoundedJson, AnObjectHasEachNameOnce) {
  for (const std::string text : {R"({"a":1,"a":2})", R"({"a":1,"b":{"x":1,"y":2,"x":3}})", R"({"a":1,"\u0061":2})"})
    expect_error<std::invalid_argument>([&] { parse_bounded(text, 3); }, {"a name twice"});
}

// With the library's callback each object is looked for among those before it, which takes minutes here.
TEST(BoundedJson, AMillionObjectsAreReadOneAfterTheOther) {
  std::string text = "[{}";
  for (int i = 1; i < 1'000'000; ++i) text += ",{}";
  EXPECT_EQ(parse_bounded(text + "]", 2).size(), 1'000'000u);
}

}  // namespace
}  // namespace sluice::stages
