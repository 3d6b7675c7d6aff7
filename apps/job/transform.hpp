// What is done to each pixel of a job's data before it meets the weights: found in the training set, done to both.
//
// A set in memory -> mean and deviation of each pixel, the same bits for any number of threads: they take pixels, and
// each goes through the rows in order. transform_set() makes its rows float32, in memory of their own. Order and
// thread-safety: free functions, which run graphs of their own. Errors: none but std::bad_alloc.
//
//   const stages::FeatureTransform transform = standard_of(train, threads);
//   for (stages::DataSet* set : {&train, &test}) transform_set(transform, *set, threads);
#pragma once

#include <string>

#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/feature_transform.hpp>

namespace sluice::apps {

stages::FeatureTransform standard_of(const stages::DataSet& set, const Threads& threads);
void transform_set(const stages::FeatureTransform& transform, stages::DataSet& set, const Threads& threads);

// "12 of 784 pixels are the same in all images: ..."; empty: none is.
std::string constant_in_words(const stages::FeatureTransform& transform);

}  // namespace sluice::apps
