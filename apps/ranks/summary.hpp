// What the processes of a job did, brought together on the first of them: who waited for whom, one profile and one
// trace of all.
//
// RankSummary of each -> on rank 0 those of all (elsewhere nothing). Order and thread-safety: all ranks call gather()
// at the same place; the rest are pure functions. Errors: those of Ranks.
//
//   const std::vector<RankSummary> all = gather(ranks, mine);
//   say_message(style, slowest_in_words(all, names));
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/ranks/ranks.hpp"

namespace sluice::apps {

struct RankSummary {
  std::size_t threads = 1;
  std::uint64_t steps = 0, steps_by_slices = 0, bytes_sent = 0;  // of exchanges
  double waited = 0, training = 0;  // seconds: in exchanges, and in the training graph altogether
  std::size_t peak_bytes = 0;       // memory
  std::uint64_t decoded_bytes = 0;  // of the training set, in pieces, while it was trained on
  std::string profile{}, trace{};   // as it writes them alone; empty: nobody asked
  std::int64_t trace_begin = 0;     // nanoseconds of its steady clock
};

std::vector<RankSummary> gather(Ranks& ranks, const RankSummary& mine);

// The rank that the others waited for, and what that cost them; empty: there was no step.
// A rank that never waits is in an exchange for as long as its bytes take; what another is there longer, it waited.
std::string slowest_in_words(const std::vector<RankSummary>& all, const Ranks& ranks);

nlohmann::ordered_json to_json(const std::vector<RankSummary>& all, const Ranks& ranks);
// "2 processes on 2 hosts, 4 threads in all, exchange by gather".
std::string in_words(const std::vector<RankSummary>& all, const Ranks& ranks);

// One trace, with a process for each rank, on the clock of the first: offset[r] is what rank r's clock is ahead of it.
std::string merged_trace(const std::vector<RankSummary>& all, const Ranks& ranks,
                         const std::vector<std::chrono::nanoseconds>& offset);
// All ranks call it; on rank 0 what it returns is known: by the quickest of several answers to a question.
std::vector<std::chrono::nanoseconds> clock_offsets(Ranks& ranks);

}  // namespace sluice::apps
