// A training run as a file, between two steps: what is needed to go on from there with the same bits.
//
// A model file (stages/model_file.hpp), so that other tools read the weights; the rest is in its metadata:
//   sluice.checkpoint  version of this format, 1
//   sluice.job         what decides the result, as JSON: options, sizes, SHA-256 of the data's decoded files
//   sluice.epoch, .rows, .loss, .hits, .seconds   the epoch under way, its rows that are done and their sums
//   sluice.epochs      the epochs that are complete, as JSON
//   sluice.class_names, sluice.command            as in every model that sluice writes
// It always has the checksum of a model file.
// Order and thread-safety: free functions; one writer a path. save() keeps the one before as FILE.previous: two
// renames, between which FILE is not there; whatever fails, one of the two is there and whole.
// Errors: stages::WriteError; stages::DataError naming the file: no checkpoint, damaged, of another version.
//
//   save(path, checkpoint);
//   if (auto found = find_checkpoint(path)) use(found->checkpoint);
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/result.hpp"
#include "stages/accumulator.hpp"
#include "stages/model.hpp"
#include "stages/model_file.hpp"
#include "stages/replacement.hpp"

namespace sluice::apps {

struct Checkpoint {
  nlohmann::ordered_json job;                            // what decides the result, each under its name
  std::uint64_t epoch = 1;                               // under way, or the next
  stages::Accumulator sums = stages::Accumulate{}.sums;  // over its rows that are done
  double seconds = 0;                                    // that they took
  std::vector<Epoch> epochs;                             // complete
  stages::Model model;
  stages::Metadata about{};  // more that is stored with it, for who reads the file
};

void save(const std::string& path, const Checkpoint& checkpoint, stages::Replacement::Older older);
Checkpoint load_checkpoint(const std::string& path);

struct FoundCheckpoint {
  Checkpoint checkpoint;
  std::string path;     // it, or its previous version
  std::string trouble;  // why it is the previous one; empty: it is not
};

// The newest version of a checkpoint that is not damaged; nothing if there is none at all. One that cannot be read is
// an error: it may be whole, and would be replaced.
std::optional<FoundCheckpoint> find_checkpoint(const std::string& path);

// What is different between two jobs, in words, one each; empty: the one goes on where the other ended.
std::vector<std::string> differences(const nlohmann::ordered_json& stored, const nlohmann::ordered_json& wanted);

}  // namespace sluice::apps
