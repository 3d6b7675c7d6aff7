// Which settings a stage has, and which values they may have: for options at the wiring and for settings by name alike.
//
// Each function -> why not, as a line for people; empty: it can be.
#pragma once

#include <string>

#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/options.hpp>

namespace sluice::detail {

// A stage has no such setting, whatever its value.
std::string misplaced(const Stage& stage, Concurrency concurrency);
std::string misplaced(const Stage& stage, Capacity capacity);
std::string misplaced(const Stage& stage, Shards shards);
std::string misplaced(const Stage& stage, const OnError& on_error);

// A value that no stage can have.
std::string out_of_range(const Stage& stage, UpTo concurrency);
std::string out_of_range(const Stage& stage, Capacity capacity);
std::string out_of_range(const Stage& stage, Shards shards);

}  // namespace sluice::detail
