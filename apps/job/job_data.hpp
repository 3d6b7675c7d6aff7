// The data of a job, as its graphs read them: held in memory, or in files that are read anew in every run of a graph.
//
// Plain values. Whoever holds a data set in memory keeps it as long as a LabelledSet of it is used.
//
//   Training training(LabelledSet(data_set), settings, threads, initial);
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/codec.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/feature_transform.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/input_files.hpp>
#include "apps/job/file_stamps.hpp"
#include "apps/job/tables.hpp"

namespace sluice::apps {

// What decompresses gzip: zlib in chunks; or libdeflate, in pieces, or whole files that are to be kept
// (read_items.hpp). With zlib whatever else is compressed is decoded in chunks, too. On neither a result depends.
enum class Decoder { zlib, libdeflate };

// Whether index files are used where they lie beside what is read (gzip_index.hpp), or in a folder.
struct IndexUse {
  bool used = true;
  std::string folder{};  // empty: beside the file
};

// Where the pieces of images files lie, and which of them are needed, of each; none: nobody asks.
using KnownPieces = std::vector<std::shared_ptr<stages::KnownPieces>>;

// What is decoded in pieces; nothing: nobody counts.
using DecodedCount = std::shared_ptr<stages::DecodedBytes>;

// The rows of a set that one of several lanes reads (lanes.hpp), or one of several processes.
struct LaneOfFiles {
  std::optional<std::size_t> number{};  // which the names of its stages end with
  std::uint64_t begin = 0, end = 0;     // of the set
  std::size_t beside = 1;               // lanes that this process reads, with it
  bool last = true;                     // of these
};

// Images and their labels.
struct LabelledFiles {
  stages::InputFiles images, labels;
  std::string prefix{};  // of the names of the stages that read them
  Decoder decoder = Decoder::libdeflate;
  std::size_t decoder_memory = stages::usual_decoder_memory;
  IndexUse index{};
  bool again = false;  // whether they are read more than once: then where the pieces lie is kept
  KnownPieces known{}, known_labels{};
  DecodedCount decoded{};
  stages::ItemCounts counts{};                          // images of each file, where they are known
  std::optional<LaneOfFiles> lane{};                    // which reads only its rows; nothing: all are read
  std::size_t image_bytes = 0;                          // before they are transformed
  std::size_t image_pixels = 0;                         // where image_bytes are known
  std::size_t classes = 0;                              // of the labels, which are checked
  std::optional<std::size_t> label_column{};            // of labels of several numbers
  const stages::FeatureTransform* transform = nullptr;  // of the images; nullptr: they stay as they are
  ReadTable table{};                                    // how they are read, where they are tables
};

// Images and their labels.
struct LabelledSet {
  stages::DataShape shape{};                   // as its rows meet the weights
  std::size_t stored_image_bytes = 0;          // of an image before it is transformed, in memory
  std::size_t count = 0;                       // images
  bool one_file = false;                       // images and labels are in one
  const stages::DataSet* in_memory = nullptr;  // nullptr: it stays in its files
  stages::InputFiles images{}, labels{};       // these files
  Decoder decoder = Decoder::libdeflate;       // of them
  std::size_t decoder_memory = stages::usual_decoder_memory;
  IndexUse index{};
  KnownPieces known{};
  DecodedCount decoded{};
  const stages::FeatureTransform* transform = nullptr;  // of what they hold; nullptr: it stays as it is
  ReadTable table{};                                    // how they are read, where they are tables
  std::optional<std::size_t> label_column{};            // of labels of several numbers
  stages::ItemCounts counts{};                          // images of each of them
  FileStamps stamps{};  // of them, at the beginning of the run, where the set stays there

  LabelledSet() = default;
  LabelledSet(const stages::DataShape& of, std::size_t so_many)
      : shape(of), stored_image_bytes(of.image_bytes()), count(so_many) {}
  explicit LabelledSet(const stages::DataSet& held) : LabelledSet(held, held.size()) { in_memory = &held; }

  void transform_by(const stages::FeatureTransform& its) {
    transform = &its;
    shape.stored = stages::ElementType::float32;
  }
};

// What a job knows of its data before the first epoch.
struct JobData {
  LabelledSet train, test;
  stages::FeatureTransform transform{};  // of their pixels, found in the training set
  TableFacts table{};                    // of the training set, where it is a table
  DecodedCount loaded{};                 // until then
  std::array<std::string, 6>
      digests{};             // SHA-256 of images and labels, to train, test and validate on, where they are asked for
  LabelledSet validation{};  // of what is held out of the training set; of no rows where nothing is
};

}  // namespace sluice::apps
