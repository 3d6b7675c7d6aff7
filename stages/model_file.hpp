// A model on disk: a safetensors file that other tools read too.
//
// Tensors, little-endian float32: `weight` (classes x pixels, row-major, the layout of PyTorch's Linear, for pixels
// scaled to [0, 1]) and `bias` (classes); strings of the caller's in `__metadata__`.
// Order and thread-safety: free functions; one writer a path. save_model replaces an older file only when the new one
// is complete and on the disk; when it fails the older one is as it was and nothing else is left behind. A path that is
// a link stays one: what it points to is replaced.
// Errors: DataError naming the file: what cannot be written; what is no sound model: expected shape, type or size.
//
//   save_model("fashion.safetensors", model, {{"epochs", "10"}});
//   StoredModel stored = load_model("fashion.safetensors");
//
// Source: the safetensors format: 8 bytes length of the header, little-endian; the header, JSON; the tensors' bytes.
#pragma once

#include <map>
#include <string>

#include "stages/model.hpp"

namespace sluice::stages {

using Metadata = std::map<std::string, std::string>;

struct StoredModel {
  Model model;
  Metadata metadata;
};

// Throws WriteError if a file could not be written at this path. Leaves nothing behind and touches no file there.
void check_writable(const std::string& path);

void save_model(const std::string& path, const Model& model, const Metadata& metadata);
StoredModel load_model(const std::string& path);

}  // namespace sluice::stages
