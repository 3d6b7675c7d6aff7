// Loads the data of a job into memory, all files at the same time, completely checked before anything is trained on.
//
// in: files of any format and compression (docs/data.md) -> out: the training and the test set, standardized where that
// is asked for; digests, where they are asked for, of what the files decode to. Errors: as of any DataPreparation.
//
//   Loading loading(files, {}, threads);
//   Training training(loading.run().train, settings, threads, initial);
#pragma once

#include <optional>
#include <string>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/collect_table.hpp>
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
  void release() override { train_ = test_ = validation_ = {}, data_ = {}; }

 private:
  // One set, as it is collected.
  struct Part {
    stages::InputFiles files{};  // of the images
    bool is_table = false;
    stages::CollectImages images{};
    stages::CollectLabels labels{};
    stages::CollectTable table{};
    stages::Digest digest_of_images{}, digest_of_labels{};
  };
  void wire(const std::string& what, const stages::InputFiles& images, const stages::InputFiles& labels,
            const ReadTable& table, Part& part);
  static stages::DataSet data_set(Part& part, const stages::TableClasses& classes);
  void refuse_other_than_bytes(const stages::InputFiles& files) const;
  bool validates() const { return !files_.validation_images.empty(); }

  const stages::DataFiles files_;
  const DataSettings settings_;
  const Threads threads_;
  JobData data_;
  Part train_part_, test_part_, validation_part_;
  stages::DataSet train_, test_, validation_;
  Graph graph_;
};

}  // namespace sluice::apps
