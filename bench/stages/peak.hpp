// The multiply-add peak of this machine on one thread: as many independent chains of fused multiply-adds as hide the
// latency, on registers only, at a level's register width.
//
// Result: multiply-adds a second, the best of several short runs. Levels without a unit here have no peak: 0.
#pragma once

#include <string_view>

namespace sluice::bench {

double peak_multiply_adds(std::string_view isa);

}  // namespace sluice::bench
