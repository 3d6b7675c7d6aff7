// What the pixels of images are multiplied by before they meet the weights, as people write it: "1/255" or "0.5".
//
// A model keeps the divisor, 255 of "1/255", because that is what is exact. text -> divisor -> text is the same
// divisor. Pure functions. Errors: std::invalid_argument, in words that go behind the name of a flag or a key.
//
//   model.divisor = divisor_of("1/255");   // 255
#pragma once

#include <string>

#include <sluice/stages/idx.hpp>

namespace sluice::stages {

float divisor_of(const std::string& scale);
std::string scale_text(float divisor);

// 255 for bytes, which become 0 to 1; 1 for all other types, whose range nobody knows.
float usual_divisor(ElementType type);

}  // namespace sluice::stages
