// Loads the four files of a job at the same time, completely checked before anything is trained on.
//
// in: paths of IDX files, gzip-compressed or plain -> out: the training and the test set in memory; digests of what the
// files decode to, for a job that keeps checkpoints.
// Errors: StageError whose cause is a stages::DataError; stages::DataError where the files do not fit one another.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "apps/options.hpp"
#include "pipeline/graph.hpp"
#include "stages/data_files.hpp"
#include "stages/dataset.hpp"
#include "stages/digest.hpp"

namespace sluice::apps {

// What the header of an images file says of its size; nothing else of it is decoded. classes: taken over, 0: 10.
stages::DataSet shape_of(const std::string& images, std::size_t classes);

class Loading {
 public:
  // image_bytes: of an image in memory, where they are known: then the graph can state its bound.
  // wake: a descriptor that ends the wait for a pipe when it becomes readable.
  Loading(const stages::DataFiles& files, const Options& options, const Threads& threads, std::size_t image_bytes = 0,
          int wake = -1);
  Graph& graph() { return graph_; }
  void run();
  const stages::DataSet& train() const { return train_; }
  const stages::DataSet& test() const { return test_; }
  // SHA-256 of the decoded files, in the order of stages::DataFiles, where the options ask for them.
  std::array<std::string, 4> digests() const;

 private:
  std::size_t classes_;
  stages::CollectImages train_images_, test_images_;
  stages::CollectLabels train_labels_, test_labels_;
  std::array<stages::Digest, 4> digests_;
  stages::DataSet train_, test_;
  Graph graph_;
};

}  // namespace sluice::apps
