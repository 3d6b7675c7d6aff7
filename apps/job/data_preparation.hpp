// A way to get the data of a job ready for its first epoch, as a graph that is run once.
//
// Loading (apps/job/load.hpp) holds them in memory, FileScan (apps/job/scan.hpp) leaves them in their files; which
// format the files have is the business of the stages within: docs/design.md, "Another format".
//
// Order and thread-safety: run() once, by one thread; graph().cancel() from any. Errors of run(): StageError whose
// cause is a stages::DataError; stages::DataError where the files do not fit one another.
//
//   const auto preparation = data_preparation(options.stream, files, settings, threads);
//   const JobData& data = preparation->run();
#pragma once

#include <cstddef>
#include <memory>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/data_files.hpp>
#include <sluice/stages/dataset.hpp>
#include "apps/job/job_data.hpp"
#include "apps/job/read_items.hpp"

namespace sluice::apps {

struct DataSettings {
  std::size_t classes = 0;      // 0: counted from the labels
  bool scale_is_given = false;  // of whatever pixels: then train and test need not be alike
  bool standardize = false;     // each pixel to mean 0 and deviation 1
  bool digests = false;         // what checkpoints and models know the data by
  ReadTable table{};            // how tables are read
  ReadItems read{};             // on which no result depends

  bool fills() const { return table.missing == stages::Missing::mean; }
  bool transforms() const { return standardize || fills(); }
};

// Throws a DataError unless the test set is of images as those that are trained on.
void check_alike(const stages::DataShape& train, const stages::DataShape& test, const DataSettings& settings);

class DataPreparation {
 public:
  virtual ~DataPreparation() = default;
  DataPreparation() = default;
  DataPreparation(const DataPreparation&) = delete;
  DataPreparation& operator=(const DataPreparation&) = delete;

  virtual Graph& graph() = 0;
  // The data, for as long as this is there.
  virtual const JobData& run() = 0;
  // They are needed no longer: what they take may go.
  virtual void release() {}
};

// files: the four of a job. stream: the data stay in them.
std::unique_ptr<DataPreparation> data_preparation(bool stream, const stages::DataFiles& files,
                                                  const DataSettings& settings, const Threads& threads);

// What is known of the data before that, as far as it is: graphs can be made of it, to look at, not to be run.
JobData data_to_come(bool stream, const stages::DataFiles& files, const DataSettings& settings,
                     const stages::DataShape& shape = {}, std::size_t train_images = 0);

}  // namespace sluice::apps
