// Getting the data of a job ready, told of while it lasts, and ended by a signal.
//
// A graph that was made for it -> the data; nullptr: a signal came first. Order and thread-safety: once, by one thread.
// Errors: those of DataPreparation::run().
//
//   if (const JobData* data = load_data(*preparation, decoded, interrupt, style, begin)) use(*data);
#pragma once

#include "apps/job/data_preparation.hpp"
#include "apps/job/state.hpp"
#include "apps/terminal/interrupt.hpp"
#include "apps/terminal/log.hpp"

namespace sluice::apps {

// decoded: what is counted in it is told; begin: since when.
const JobData* load_data(DataPreparation& preparation, const DecodedCount& decoded, Interrupt& interrupt,
                         const LogStyle& style, Clock::time_point begin);

}  // namespace sluice::apps
