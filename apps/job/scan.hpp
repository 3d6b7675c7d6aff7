// Goes once through the files of a job that streams, before it is trained on any of them, and keeps none of them: the
// labels are counted, the test set is read to see that it is sound, of the images to train on the headers are looked
// at.
//
// in: paths of IDX files, gzip-compressed or plain -> out: what they are, how the system knows them, and digests, where
// they are asked for, of size, beginning and end of each file as it is stored (gzip keeps a checksum of the contents
// there). Errors: as of any DataPreparation, and stages::DataError where one is no file that can be read again.
//
//   FileScan scan(files, {}, threads);
//   Training training(scan.run().train, settings, threads, initial);
#pragma once

#include <string>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/data_files.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/feature_transform.hpp>
#include <sluice/stages/parse.hpp>
#include <sluice/stages/rows.hpp>
#include "apps/job/data_preparation.hpp"

namespace sluice::apps {

class FileScan : public DataPreparation {
 public:
  FileScan(const stages::DataFiles& files, const DataSettings& settings, const Threads& threads);
  Graph& graph() override { return graph_; }
  const JobData& run() override;

 private:
  const stages::DataFiles files_;
  const DataSettings settings_;
  JobData data_;
  stages::CountLabels train_labels_, test_labels_;
  struct Dropped {
    void operator()(const stages::Elements&) {}
  };
  Dropped test_images_;
  struct Measured {
    stages::Moments moments{};
    void operator()(const stages::Rows& rows);
    void reset() { moments = stages::Moments(); }
  };
  Measured train_images_;
  Graph graph_;
};

}  // namespace sluice::apps
