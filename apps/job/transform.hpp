// What is done to each pixel of a job's data before it meets the weights: found in the training set, done to both.
//
// A set in memory -> mean and deviation of each pixel, the same bits for any number of threads: they take pixels, and
// each goes through the rows in order. transform_set() makes its rows float32, in memory of their own. Order and
// thread-safety: free functions, which run graphs of their own. Errors: stages::DataError for a column of which no
// value is there to take the mean of.
//
//   const stages::FeatureTransform transform = find_transform(train, settings, facts, threads);
//   for (stages::DataSet* set : {&train, &test}) transform_set(transform, *set, threads);
#pragma once

#include <string>
#include <vector>

#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/feature_transform.hpp>
#include "apps/job/data_preparation.hpp"

namespace sluice::apps {

// Empty where none is wanted.
stages::FeatureTransform find_transform(const stages::DataSet& train, const DataSettings& settings,
                                        const TableFacts& facts, const Threads& threads);
// The same of moments that were found elsewhere. path: of the training set, for messages.
stages::FeatureTransform transform_by(const std::vector<stages::Moments>& moments, const DataSettings& settings,
                                      const TableFacts& facts, const std::string& path);
void transform_set(const stages::FeatureTransform& transform, stages::DataSet& set, const Threads& threads);

// "12 of 784 features are the same in all rows ..."; empty: none is.
std::string constant_in_words(const stages::FeatureTransform& transform);

}  // namespace sluice::apps
