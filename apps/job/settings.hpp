// What a job's graphs need of the options, and no more.
//
// Functions of their arguments, and of what is there. Errors: UsageError for a decoder that was not built in, a folder
// that is none, a standard input where files are read again.
//
//   Training training(data.train, training_settings(options), threads, initial);
#pragma once

#include <vector>

#include <sluice/stages/input_files.hpp>
#include "apps/job/data_preparation.hpp"
#include "apps/job/options.hpp"
#include "apps/job/training_settings.hpp"

namespace sluice::apps {

// Errors: UsageError for a schedule that is longer than the run.
stages::Optimizer optimizer(const Options& options, std::size_t steps_an_epoch);
// images: to train on; 0: nobody knows yet, so that the optimiser has no schedule. Errors: UsageError for more lanes
// than rows of a batch, or than images.
TrainingSettings training_settings(const Options& options, std::size_t images);
ReadTable table_settings(const Options& options);
// Files as they are named, and the keys of arrays in them.
stages::DataFilesWanted data_wanted(const Options& options);
DataSettings data_settings(const Options& options);
ReadItems read_settings(const Options& options);
void check_index_folder(const std::string& folder);  // empty: none
// Throws a UsageError for a flag that says how tables or .npz files are read and was given by hand where there are
// none, and for a column of labels by a name where labels have none.
void check_flags_of_formats(const Options& options, const std::vector<stages::InputFiles>& files);

}  // namespace sluice::apps
