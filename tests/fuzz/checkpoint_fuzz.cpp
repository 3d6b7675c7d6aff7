// Checkpoints: what loads is a state that a run can have come to, and saved and loaded again it is the same. Each as it
// is, and with its checksum put right: behind a wrong one nothing is ever reached.
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include <sluice/stages/errors.hpp>
#include "apps/job/checkpoint.hpp"
#include "tests/fuzz/checksum.hpp"
#include "tests/fuzz/support.hpp"

namespace sluice::fuzz {
namespace {

using namespace apps;
using stages::DataError;
using stages::Replacement;

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
bool same(const Metrics& a, const Metrics& b) {
  return same(a.loss, b.loss) && same(a.accuracy, b.accuracy) && a.count == b.count;
}
bool same(const Epoch& a, const Epoch& b) {
  return a.number == b.number && same(a.train, b.train) && same(a.test, b.test) && same(a.seconds, b.seconds);
}
bool same(const Checkpoint& a, const Checkpoint& b) {
  for (const char* sum : {"loss", "hits", "count"})
    if (!same(a.state.sums[sum], b.state.sums[sum])) return false;
  return a.job.dump() == b.job.dump() && same(a.state.seconds, b.state.seconds) &&
         std::equal(a.state.epochs.begin(), a.state.epochs.end(), b.state.epochs.begin(), b.state.epochs.end(),
                    [](const Epoch& x, const Epoch& y) { return same(x, y); }) &&
         stages::weights_sha256(*a.state.weights) == stages::weights_sha256(*b.state.weights) &&
         a.state.doubtful() == b.state.doubtful();
}

void check(const Folder& folder, const std::string& path) {
  Checkpoint c;
  try {
    c = load_checkpoint(path);
  } catch (const DataError& error) {
    check_error(error.what(), path);
    return;
  }
  const stages::Accumulator& sums = c.state.sums;
  const double rows = sums["count"];
  expect(rows >= 0 && rows < 0x1p53 && rows == std::floor(rows), "rows are a whole number");
  expect(sums["hits"] >= 0 && sums["hits"] <= rows, "no more hits than rows");
  expect(std::isfinite(sums["loss"]) && std::isfinite(c.state.seconds), "numbers are finite");

  const nlohmann::ordered_json wanted = {{"--lr", 0.1}, {"--seed", 1}, {"--train-images", "sha256 0"}};
  for (const Difference& difference : differences(c.job, wanted)) check_error("job: " + difference.text, "job");
  expect(differences(c.job, c.job).empty(), "a job is not different from itself");

  const std::string copy = folder.path("copy");
  save(copy, c, Replacement::Older::dropped);
  expect(same(load_checkpoint(copy), c), "a checkpoint that is saved and loaded is the same");
}

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  static const Folder folder;
  check(folder, folder.write("checkpoint", text_of(data, size)));
  if (const auto repaired = with_right_checksum(data, size))
    check(folder, folder.write("checkpoint", text_of(repaired->data(), size)));
  return 0;
}
