// Loads the four files of a job at the same time, completely checked before anything is trained on. Of a job that
// streams nothing is kept: the labels are counted, the test set is read once to see that it is sound, of the images to
// train on the header is looked at.
//
// in: paths of IDX files, gzip-compressed or plain -> out: the training and the test set in memory, unless the job
// streams; what they are; digests of what the files decode to, for a job that keeps checkpoints, or if it streams, of
// their size, begin and end as they are stored (gzip keeps a checksum of the contents there).
// Errors: StageError whose cause is a stages::DataError; stages::DataError where the files do not fit one another, or
// where one of a job that streams is no file that can be read again, or is not as it was.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/data_files.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/digest.hpp>
#include <sluice/stages/parse.hpp>
#include "apps/options.hpp"

namespace sluice::apps {

// What a job knows of its data before the first epoch.
struct JobData {
  stages::DataShape shape{};                                        // of both sets
  std::size_t train = 0, test = 0;                                  // images
  const stages::DataSet *train_set = nullptr, *test_set = nullptr;  // in memory; nullptr: they stay in their files
  std::array<std::string, 4> digests{};  // SHA-256, in the order of stages::DataFiles, where the options ask
  std::string files{};                   // of a job that streams: those of the training set, as the system knows them
};

// What the headers of images files say; nothing else of them is decoded. The number of classes is taken over, 0: 10.
struct Images {
  stages::DataShape shape;
  std::size_t count = 0;
};
Images look_at(const std::string& images, std::size_t classes);

class Loading {
 public:
  // image_bytes: of an image in memory, where they are known: then the graph can state its bound.
  // wake: a descriptor that ends the wait for a pipe when it becomes readable.
  Loading(const stages::DataFiles& files, const Options& options, const Threads& threads, std::size_t image_bytes = 0,
          int wake = -1);
  Graph& graph() { return graph_; }
  void run();
  const JobData& data() const { return data_; }
  // Throw a DataError where files of a job that streams are not as they were.
  void check_train_unchanged() const { check_unchanged(as_found_[0]); }
  void check_test_unchanged() const { check_unchanged(as_found_[1]); }

 private:
  void look();

  const Options& o_;
  const stages::DataFiles files_;
  JobData data_;
  stages::CollectImages train_images_, test_images_;
  stages::CollectLabels train_labels_, test_labels_;
  stages::CountLabels train_counts_, test_counts_;  // of a job that streams
  struct Dropped {
    std::string path;
    void operator()(const stages::Elements&) {}
  };
  Dropped test_dropped_;
  using Known = std::vector<std::pair<std::string, std::string>>;  // path, what the system knows of the file
  static void check_unchanged(const Known& files);
  std::array<Known, 2> as_found_;  // of the training and the test set
  std::array<stages::Digest, 4> digests_;
  stages::DataSet train_, test_;
  Graph graph_;
};

}  // namespace sluice::apps
