// The jobs of a sweep: every combination of the values that the flags of training are given.
//
// SweepOptions, words that all jobs share -> a Sweep whose runs have the Options that `sluice train` would have with
// the words of the combination: the last flag's values change fastest. --seed and the folds are no configurations of
// their own, but runs of one. A flag that has no effect in a combination is left out of it; of combinations that are
// the same without it one is left. Pure functions. Errors: UsageError for a value that its flag refuses, for a range
// that is none, for a flag that has no effect in any combination, and for more jobs than 10 000.
//
//   Sweep sweep = grid(line.sweep, {"--data=data"}, {"--lr"});
#pragma once

#include <set>
#include <string>
#include <vector>

#include "apps/job/options.hpp"
#include "apps/job/sweep.hpp"

namespace sluice::apps {

// 0.1,0.2 -> both; 0..4 -> 0, 1, 2, 3 and 4.
std::vector<std::string> swept_values(const std::string& flag, const std::string& text);

// by_hand: the flags that are no variable's.
Sweep grid(const SweepOptions& options, const std::vector<std::string>& shared, const std::set<std::string>& by_hand);

}  // namespace sluice::apps
