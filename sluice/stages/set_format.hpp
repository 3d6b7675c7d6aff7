// How a file holds a set of images and labels, told by its contents, and where in it they are.
//
//   arrays   IDX or .npy: images or labels alone (array_header.hpp)
//   zip      .npz: arrays, each under a key (npz_keys.hpp)
//   table    text, rows of numbers with their labels (table_layout.hpp)
//
// path -> the format, by the first bytes that it decodes to; of what can be read only once (a pipe), a table.
// Order and thread-safety: free functions, which read files. Errors: DataError naming the file: it cannot be read, it
// is something else (foreign_content.hpp), is of another format than the others of its list; no such keys.
//
//   const ImagesAndLabels train = find_in_files("mnist.npz", SetPart::train, {}, memory);   // members x_train.npy,
//   y_train.npy
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <sluice/stages/input_files.hpp>

namespace sluice::stages {

enum class SetFormat : std::uint8_t { arrays, zip, table };

// Of all of them; DataError where they are not of one. decoder_memory: as Inflate's.
SetFormat set_format(const InputFiles& files, std::size_t decoder_memory);

enum class SetPart : std::uint8_t { train, test, validation };

// Keys of arrays in a zip; empty: by their customary names.
struct SetKeys {
  std::string images{}, labels{};
};

struct ImagesAndLabels {
  InputFiles images{}, labels{};
};

// Both are in each of these files: a zip's members, or the rows of a table. Throws DataError for arrays.
ImagesAndLabels find_in_files(const InputFiles& files, SetPart part, const SetKeys& keys, std::size_t decoder_memory);

// What is to be read of files that hold images and maybe more: the member of a zip, or the files as they are; of tables
// as such.
InputFiles find_images(const InputFiles& files, SetPart part, const std::string& key, std::size_t decoder_memory);
// The member of a zip file, which images or labels are named by; other files stay as they are, and are not read.
InputFiles with_member_of_zip(const InputFiles& files, SetPart part, const std::string& key, bool labels);

}  // namespace sluice::stages
