#include <sluice/stages/decimal.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/obvious_table.hpp"
#include "tests/support/random.hpp"

namespace sluice::stages {
namespace {

using sluice::test::Random;

std::uint32_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

// The number alone, and between others in a row, with and without something behind it.
void expect_number(const std::string& text, float expected) {
  const Decimal found = decimal(text);
  ASSERT_EQ(found.kind, Decimal::number) << text;
  EXPECT_EQ(bits(found.value), bits(expected)) << text << ": " << found.value << ", expected " << expected;
  for (const std::string behind : {"", ",", ",7", ",0.25,1e5,33333333333,7"}) {
    const std::string row = "7," + text + behind;
    const auto begin = std::uint32_t{2}, end = static_cast<std::uint32_t>(2 + text.size());
    const std::unique_ptr<char[]> own(new char[row.size()]);  // of just its size
    std::copy(row.begin(), row.end(), own.get());
    const std::uint32_t ends[] = {begin - 1, end};
    float value = -1;
    const bool read = read_floats({own.get(), row.size()}, ends, 1, &value) == 1;
    EXPECT_TRUE(!read || bits(value) == bits(expected)) << row << ": " << value << ", expected " << expected;
  }
}

void expect_as_the_c_library(const std::string& text) {
  const auto expected = sluice::test::obvious_number(text);
  if (expected) return expect_number(text, *expected);
  EXPECT_EQ(decimal(text).kind, sluice::test::is_obvious_number(text) ? Decimal::too_large : Decimal::none) << text;
  const std::uint32_t ends[] = {UINT32_MAX, static_cast<std::uint32_t>(text.size())};
  float value = 0;
  EXPECT_EQ(read_floats(text + "," + std::string(20, '0'), ends, 1, &value), 0u) << text;
}

TEST(Decimal, ReadsWhatIsANumber) {
  for (const char* text :
       {"0",    "7",   "42",   "255",  "00012",  "1.5",       "1.",  ".5",           "-1",    "+1",       "-0",
        "-0.0", "1e3", "1E+3", "1e-3", "-1.5e3", "123456789", "0.1", "3.4028235e38", "1e-45", "16777217", "33554433.5"})
    expect_as_the_c_library(text);
}

TEST(Decimal, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "+",
                           "-",
                           ".",
                           "-.",
                           "e5",
                           ".e5",
                           "1e",
                           "1e+",
                           "1e+-5",
                           "--1",
                           "+-1",
                           "0x10",
                           "1,5",
                           "1_000",
                           "1 000",
                           " 1",
                           "1 ",
                           "inf",
                           "-inf",
                           "nan",
                           "NaN",
                           "infinity",
                           "1.2.3",
                           "1..2",
                           "1e5.5",
                           "1f",
                           "1d5",
                           "one",
                           "\xd9\xa1",
                           "\"1\"",
                           "12345678,",
                           "1234567890123456x",
                           "1.23456789012345x"})
    EXPECT_EQ(decimal(text).kind, Decimal::none) << text;
}

TEST(Decimal, TellsWhatIsTooLargeFromWhatIsTooSmall) {
  for (const std::string text : {"1e39", "-1e39", "3.4028236e38", "1e400", "1e999999999999",
                                 "340282360000000000000000000000000000000", "0.001e42", "1000e36"})
    EXPECT_EQ(decimal(text).kind, Decimal::too_large) << text;
  expect_number("1e-46", 0);
  expect_number("-1e-46", -0.0f);
  expect_number("1e-400", 0);
  expect_number("1e-999999999999", 0);
  expect_number("1000e-50", 0);
  expect_number("0." + std::string(60, '0') + "1", 0);
  expect_number("0e999999999999", 0);
  expect_number("-0.000e99", -0.0f);
  expect_number(std::string(100, '0'), 0);
  expect_number("0." + std::string(1000, '0') + "1e1001", 1);
  expect_number("1" + std::string(100, '0') + "e-100", 1);
  EXPECT_EQ(decimal("1" + std::string(100, '0')).kind, Decimal::too_large);
}

// What lies in the middle between two floats goes to the even one, and what lies a little beside it does not.
TEST(Decimal, IsRoundedOnce) {
  expect_number("16777217", 16777216);
  expect_number("16777219", 16777220);
  expect_number("16777217.0000001", 16777218);
  expect_number("16777216.9999999", 16777216);
  expect_number("16777217." + std::string(60, '0') + "1", 16777218);
  expect_number("1.00000005960464477539062500000000", 1);
  expect_number("1.00000005960464477539062500000001", 1 + FLT_EPSILON);
  expect_number("1.00000017881393432617187499999999", 1 + FLT_EPSILON);
  expect_number("3.40282356779733661637539395458142568447e38", FLT_MAX);
  EXPECT_EQ(decimal("3.40282356779733661637539395458142568448e38").kind, Decimal::too_large);
  expect_number("1.17549428e-38", 1.17549428e-38f);  // no longer a normal number
}

TEST(Decimal, EveryShortNumberIsWhatTheCLibraryReads) {
  for (int number = 0; number < 2000; ++number)
    for (const int digits : {0, 1, 2, 3, 4}) {
      std::string text = std::to_string(number);
      text.insert(text.size() - std::min<std::size_t>(text.size(), static_cast<std::size_t>(digits)), ".");
      expect_as_the_c_library(text);
      expect_as_the_c_library("-" + text);
    }
}

// Numbers of any length and form, and texts that are nearly one.
TEST(Decimal, RandomTextsAreWhatTheCLibraryReads) {
  Random random(1);
  for (int round = 0; round < 40'000; ++round) {
    std::string text;
    if (random.chance(30)) text += random.of({'-', '+'});
    const std::size_t before = random.of<std::size_t>({0, 1, 1, 2, 8, 9, 19, 25}),
                      behind = random.of<std::size_t>({0, 1, 3, 7, 8, 15, 16, 17, 30});
    for (std::size_t i = 0; i < before; ++i) text += static_cast<char>('0' + random.below(10));
    if (random.chance(70)) {
      text += '.';
      for (std::size_t i = 0; i < behind; ++i) text += static_cast<char>('0' + random.below(10));
    }
    if (random.chance(20)) text += "e" + std::to_string(static_cast<int>(random.below(100)) - 50);
    if (random.chance(5))
      text.insert(random.below(text.size() + 1), 1, random.of({'.', 'e', ' ', '-', 'x', '\0', '\xff'}));
    if (text.find('\0') == std::string::npos) expect_as_the_c_library(text);
  }
}

// Written so that it can be read again, and with digits enough to be exact: also what is in the middle between two.
TEST(Decimal, RandomFloatsComeBack) {
  Random random(2);
  for (int round = 0; round < 20'000; ++round) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isfinite(value)) continue;
    char text[200];
    for (const char* format : {"%.9g", "%.17g", "%.60g", "%.8e"}) {
      std::snprintf(text, sizeof text, format, static_cast<double>(value));
      expect_as_the_c_library(text);
    }
    const double middle = (double{value} + double{std::nextafterf(value, FLT_MAX)}) / 2;
    std::snprintf(text, sizeof text, "%.60g", middle);
    expect_as_the_c_library(text);
    std::snprintf(text, sizeof text, "%.17g", middle);
    expect_as_the_c_library(text);
  }
}

// How many cells of a row are read, and as what.
template <class T, class Read>
std::vector<T> read_row(const std::string& row, Read read) {
  std::vector<std::uint32_t> ends{UINT32_MAX};
  for (std::uint32_t i = 0; i < row.size(); ++i)
    if (row[i] == ',') ends.push_back(i);
  ends.push_back(static_cast<std::uint32_t>(row.size()));
  std::vector<T> values(ends.size() - 1);
  const std::unique_ptr<char[]> own(new char[row.size()]);
  std::copy(row.begin(), row.end(), own.get());
  values.resize(read({own.get(), row.size()}, ends.data(), static_cast<std::uint32_t>(values.size()), values.data()));
  return values;
}

TEST(Decimal, BytesAreReadUpToTheFirstThatIsNone) {
  using Bytes = std::vector<std::uint8_t>;
  const auto read = [](const std::string& row) { return read_row<std::uint8_t>(row + ",0,0,0", read_bytes); };
  const Bytes rest{0};  // of the last ones four bytes cannot be read
  const auto with_rest = [&](Bytes bytes) {
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    return bytes;
  };
  EXPECT_EQ(read("0,1,9,10,99,100,199,200,249,250,255"), with_rest({0, 1, 9, 10, 99, 100, 199, 200, 249, 250, 255}));
  EXPECT_EQ(read("007,00,000"), with_rest({7, 0, 0}));
  for (const char* none : {"",  "256", "260", "300", "999", "0001", "1.0", "-1",     "+1",   " 1",  "1 ",
                           "a", "1a",  "a1",  "/",   ":",   "1:",   ":1",  "12\x80", "\xff", "1e2", "\"1\""})
    EXPECT_EQ(read("5," + std::string(none) + ",6"), Bytes{5}) << none;
}

TEST(Decimal, EveryByteIsReadAsItIs) {
  for (unsigned number = 0; number < 1000; ++number) {
    const auto read = read_row<std::uint8_t>(std::to_string(number) + ",12345", read_bytes);
    ASSERT_EQ(read.size(), number < 256 ? 1u : 0u) << number;
    EXPECT_TRUE(read.empty() || read[0] == number) << number;
  }
}

TEST(Decimal, FloatsAreReadUpToTheFirstThatIsNone) {
  using Floats = std::vector<float>;
  EXPECT_EQ(read_row<float>("1,-2.5,3e2,.25,4.,1234567890.5,0.12345678901234", read_floats),
            (Floats{1, -2.5f, 300, .25f, 4, 1234567890.5f, 0.12345678901234f}));
  for (const char* none : {"", "1e40", "x", "1 ", " 1", "1.5.", "-", ".", "16777217", "12345678x", "\"1\""})
    EXPECT_EQ(read_row<float>("5," + std::string(none) + ",6", read_floats), Floats{5}) << none;
  // A point of the next cell is none of this one.
  EXPECT_EQ(read_row<float>("5,0.25,12,0.5,1234567,.5,12345678,.25,0000000000000000000", read_floats),
            (Floats{5, .25f, 12, .5f, 1234567, .5f, 12345678, .25f, 0}));
}

}  // namespace
}  // namespace sluice::stages
