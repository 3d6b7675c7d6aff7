// Model files: what loads is a sound model, and saved and loaded again it has the same bits. Each as it is, and with
// its checksum put right: behind a wrong one nothing is ever reached.
#include <cmath>
#include <string>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/model_file.hpp>
#include "tests/fuzz/checksum.hpp"
#include "tests/fuzz/support.hpp"

namespace sluice::fuzz {
namespace {

using namespace stages;

void check(const Folder& folder, const std::string& path, std::size_t size) {
  StoredModel stored;
  try {
    stored = load_model(path);
  } catch (const DataError& error) {
    check_error(error.what(), path);
    return;
  }
  const Model& model = stored.model;
  expect(model.classes >= 2 && model.classes <= 65536 && model.pixels > 0, "a model has 2 to 65536 classes and pixels");
  expect(4 * (model.pixels + 1) * model.classes <= size, "memory follows the file");
  for (const float weight : model.weights) expect(std::isfinite(weight), "weights are finite");
  for (const float bias : model.bias) expect(std::isfinite(bias), "biases are finite");

  const std::string copy = folder.path("copy");
  save_model(copy, model, stored.metadata);
  const StoredModel again = load_model(copy);
  expect(again.checked, "what is saved has a checksum");
  expect(weights_sha256(again.model) == weights_sha256(model), "a model that is saved and loaded has the same bits");
  expect(again.metadata == stored.metadata, "and the same metadata");
}

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  static const Folder folder;
  check(folder, folder.write("model", text_of(data, size)), size);
  if (const auto repaired = with_right_checksum(data, size))
    check(folder, folder.write("model", text_of(repaired->data(), size)), size);
  return 0;
}
