#include <sluice/stages/scale.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace sluice::stages {
namespace {

TEST(Scale, IsReadAsAFractionOrAsANumber) {
  EXPECT_EQ(divisor_of("1/255"), 255.f);
  EXPECT_EQ(divisor_of("1/127.5"), 127.5f);
  EXPECT_EQ(divisor_of("1"), 1.f);
  EXPECT_EQ(divisor_of("0.25"), 4.f);
  EXPECT_EQ(divisor_of("2"), 0.5f);
  EXPECT_FLOAT_EQ(divisor_of("1e-3"), 1000.f);
}

TEST(Scale, IsWrittenAsItIsReadAgain) {
  EXPECT_EQ(scale_text(255), "1/255");
  EXPECT_EQ(scale_text(1), "1");
  EXPECT_EQ(scale_text(0.5f), "2");
  EXPECT_EQ(scale_text(1000), "1/1000");
  for (const float divisor : {255.f, 1.f, 3.f, 0.1f, 1 / 3.f, 127.5f, 1e-30f, 1e30f, 32768.f, 0.7f})
    EXPECT_EQ(divisor_of(scale_text(divisor)), divisor) << scale_text(divisor);
}

TEST(Scale, WhatIsNoScaleIsRefused) {
  for (const char* text : {"",       "0",  "-1", "1/0",     "1/", "/255", "255/", "nan", "inf", "1e-40", "1e31",
                           "1/1e31", " 1", "1 ", "1/255/2", "x",  "0x",   "0x10", "\t5", "\n5", "+5",    "1/+5"})
    EXPECT_THROW(divisor_of(text), std::invalid_argument) << text;
  // Of a file, which may hold anything.
  for (const std::string& text : {std::string("1/255\0junk", 10), std::string("5\0", 2)})
    EXPECT_THROW(divisor_of(text), std::invalid_argument) << text;
}

}  // namespace
}  // namespace sluice::stages
