// Loads the four files of a job into memory at the same time, completely checked before anything is trained on.
//
// in: paths of IDX files, gzip-compressed or plain -> out: the training and the test set; digests, where they are asked
// for, of what the files decode to. Errors: as of any DataPreparation.
//
//   Loading loading(files, {}, threads);
//   Training training(loading.run().train, settings, threads, initial);
#pragma once

#include <array>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/data_files.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/digest.hpp>
#include "apps/job/data_preparation.hpp"

namespace sluice::apps {

class Loading : public DataPreparation {
 public:
  Loading(const stages::DataFiles& files, const DataSettings& settings, const Threads& threads);
  Graph& graph() override { return graph_; }
  const JobData& run() override;

 private:
  const DataSettings settings_;
  const Threads threads_;
  JobData data_;
  stages::CollectImages train_images_, test_images_;
  stages::CollectLabels train_labels_, test_labels_;
  std::array<stages::Digest, 4> digests_;
  stages::DataSet train_, test_;
  Graph graph_;
};

}  // namespace sluice::apps
