// Goes once through the files of a job that streams, before it is trained on any of them, and keeps none of them: the
// labels are counted, the test set is read to see that it is sound, of the images to train on the headers are looked
// at; tables are read whole, and so are images that are to be standardized.
//
// in: files of any format and compression (docs/data.md) -> out: what they are, how the system knows them, and digests,
// where they are asked for, of size, beginning and end of each file as it is stored (gzip keeps a checksum of the
// contents there). Errors: as of any DataPreparation, and stages::DataError where one is no file that can be read
// again.
//
//   FileScan scan(files, {}, threads);
//   Training training(scan.run().train, settings, threads, initial);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/data_files.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/feature_transform.hpp>
#include <sluice/stages/number_table.hpp>
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
  struct Dropped {
    void operator()(const stages::Elements&) {}
  };
  // Mean and deviation of each pixel of the training set, where they are wanted.
  struct Measured {
    std::vector<stages::Moments> all{};  // one, or none
    void add(const std::uint8_t* row, stages::Pixel type, std::size_t pixels);
    void operator()(const stages::Rows& rows);
    void reset() { all.clear(); }
  };
  // The rows of a table.
  struct Counted {
    stages::CountTable table{};
    bool measures = false;
    Measured measured{};
    void operator()(const stages::TableRows& rows);
    void finish() const { table.finish(); }
    void reset() { table.reset(), measured.reset(); }
  };
  // One set, as it is gone through.
  struct Part {
    stages::InputFiles images{}, labels{};
    ReadTable table{};
    stages::CountLabels counted_labels{};
    Dropped dropped{};
    Measured measured{};
    Counted counted{};
  };
  void wire(const std::string& what, bool is_train, Part& part);
  LabelledSet set_of(const Part& part, const stages::TableClasses& classes) const;
  LabelledSet in_files(const Part& part) const;
  LabelledSet table_in_files(const Part& part, const stages::TableClasses& classes) const;
  void look_at_headers() const;

  const stages::DataFiles files_;
  const DataSettings settings_;
  JobData data_;
  Part train_part_, test_part_;
  Graph graph_;
};

}  // namespace sluice::apps
