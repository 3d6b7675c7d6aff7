// A model on disk: a safetensors file that other tools read too.
//
// Tensors, little-endian float32: `weight` (classes x pixels, row-major, the layout of PyTorch's Linear, for pixels
// scaled to [0, 1]) and `bias` (classes), 2 to 65,536 classes; in `__metadata__` strings of the caller's, what
// pixels are multiplied by, `sluice.scale` (1/255 of a file without it), the shape of an image, `sluice.shape` ("28 x
// 28"), and a checksum `sluice.sha256`: the SHA-256 of
// the file with the checksum's own digits as zeros. A file of another program is read, too: without a checksum, with
// other metadata or none, its tensors in any order. Where the pixels are transformed before they meet the weights
// (feature_transform.hpp), `fill`, `mean` and `deviation` (pixels) say how. What an optimiser keeps beside a model is
// in further pairs of its sizes, `moment1.weight` and `moment1.bias`, `moment2...` and `average...`. A file may also
// hold an earlier model, all of its names behind `earlier.`, and the best one so far, `best.weight` and `best.bias`.
// Order and thread-safety: free functions; one writer a path. save_model replaces an older file when the new one is
// complete (sluice/stages/replacement.hpp). Errors, naming the file: WriteError, DataError of what cannot be opened or
// read, DamagedError of what is no sound model: what was found and what was expected of tensors, shape, type, size and
// values; contents without the right checksum.
//
//   save_model("fashion.safetensors", model, {{"epochs", "10"}});
//   StoredModel stored = load_model("fashion.safetensors");
//
// Format: sluice/stages/safetensors.hpp.
#pragma once

#include <optional>
#include <string>

#include <sluice/stages/model.hpp>
#include <sluice/stages/replacement.hpp>
#include <sluice/stages/safetensors.hpp>

namespace sluice::stages {

struct StoredModel {
  Model model;
  Metadata metadata;     // without the checksum and the scale
  bool checked = false;  // it had a checksum, the right one
  std::optional<Model> earlier{}, best{};
};

// Of the same sizes, in the same file; nullptr: none.
struct OtherModels {
  const Model *earlier = nullptr, *best = nullptr;
};

// older: what becomes of the file that is replaced.
void save_model(const std::string& path, const Model& model, const Metadata& metadata,
                Replacement::Older older = Replacement::Older::dropped, const OtherModels& others = {});
StoredModel load_model(const std::string& path);

// What keeps a sound file from being a model, ready to stand behind its name; empty: nothing does.
std::string why_no_model(const SafetensorsHeader& header);

}  // namespace sluice::stages
