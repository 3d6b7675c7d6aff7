// Model files: what loads is a sound model, and saved and loaded again it has the same bits.
#include <cmath>
#include <string>

#include "stages/errors.hpp"
#include "stages/model_file.hpp"
#include "tests/fuzz/support.hpp"

// A target for checkpoints (another file of this format) goes beside this one: checkpoint_fuzz.cpp, corpus/checkpoint,
// and a fuzz_target line in CMakeLists.txt. A checksum in the file has to be made right before loading, or nothing
// behind it is ever reached.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  using namespace sluice::stages;
  static const Folder folder;
  StoredModel stored;
  try {
    stored = load_model(folder.write("model", data, size));
  } catch (const DataError& error) {
    const std::string text = error.what();
    expect(!text.empty() && text.find('\n') == std::string::npos, "an error is one line", text);
    return 0;
  }
  const Model& model = stored.model;
  expect(model.classes >= 2 && model.classes <= 256 && model.pixels > 0, "a model has 2 to 256 classes and pixels");
  expect(4 * (model.pixels + 1) * model.classes <= size, "memory follows the file");
  for (const float weight : model.weights) expect(std::isfinite(weight), "weights are finite");
  for (const float bias : model.bias) expect(std::isfinite(bias), "biases are finite");

  const std::string copy = folder.path("copy");
  save_model(copy, model, stored.metadata);
  const StoredModel again = load_model(copy);
  expect(weights_sha256(again.model) == weights_sha256(model), "a model that is saved and loaded has the same bits");
  expect(again.metadata == stored.metadata, "and the same metadata");
  return 0;
}
