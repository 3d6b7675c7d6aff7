#include <sluice/stages/label.hpp>

#include <gtest/gtest.h>

#include <cstdint>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/model.hpp>
#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using test::expect_error;

TEST(Label, IsWhatTheFileHasWhateverItsType) {
  for (std::size_t label = 0; label < most_classes; ++label) {
    const auto number = static_cast<float>(label);
    EXPECT_EQ(label_of(Pixel::float32, reinterpret_cast<const std::uint8_t*>(&number)), label);
  }
  const std::uint8_t byte = 255;
  EXPECT_EQ(label_of(Pixel::uint8, &byte), 255);
}

TEST(Label, ThatIsNoneOfTheClassesIsRefusedWithItsPlace) {
  expect_error<DataError>([] { refuse_label("f", "123456789", 7, 10); },
                          {"f: label 123456789 of image 7, expected 0 to 9: there are 10 classes"});
  expect_error<DataError>([] { refuse_label("f", "-1", 0, 0, " (see --classes)"); },
                          {"f: label -1 of image 0, expected 0 to 65535 (see --classes)"});
}

}  // namespace
}  // namespace sluice::stages
