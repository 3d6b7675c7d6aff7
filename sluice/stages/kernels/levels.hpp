// The levels that can be built, each in a translation unit of its own with its own flags. The function named here is
// the only symbol such a unit defines for others: an inline function compiled for one level must never be the copy that
// the linker picks for all.
#pragma once

#include <sluice/stages/kernels/table.hpp>

namespace sluice::kernels {

const Table& level_v4();
const Table& level_v3();
const Table& level_v1();    // what every x86-64 has
const Table& level_neon();  // what every 64-bit Arm has
const Table& level_portable();

}  // namespace sluice::kernels
