// A training run as a file, between two steps: what is needed to go on from there with the same bits.
//
// A model file (sluice/stages/model_file.hpp), so that other tools read the weights; the rest is in its metadata:
//   sluice.checkpoint  version of this format, 1
//   sluice.job         what decides the result, as JSON: options, sizes, SHA-256 of the data's decoded files (of a job
//                      that streams, of their size, beginning and end as they are stored)
//   sluice.epoch, .rows, .loss, .hits, .seconds   the epoch under way, its rows that are done and their sums
//   sluice.epochs      the epochs that are complete, as JSON; with these and the weights it is the TrainingState
//   sluice.files       of a job that streams, within an epoch: the files that it read then, as the system knows them
//   sluice.class_names, .command, .scale, .sha256   as in every model that sluice writes; the checksum is always there
// What the optimiser keeps beside the weights, and the best model so far where that is to be kept, are in it as
// tensors. A job that streams has trained on what is known to be sound only at the end of the epoch, when the last
// checksum of its files has been read: the weights at the beginning of the epoch are in the file, too, as its earlier
// model. Order and thread-safety: free functions; one writer a path. With Older::kept the one before stays as
// FILE.previous: two renames, between which FILE is not there; whatever fails, one of the two is there and whole.
// Errors: stages::WriteError; stages::DataError naming the file: no checkpoint, damaged, of another version.
//
//   save(path, checkpoint, stages::Replacement::Older::kept);
//   if (auto found = find_checkpoint(path)) use(found->checkpoint);
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/model_file.hpp>
#include <sluice/stages/replacement.hpp>
#include "apps/job/state.hpp"

namespace sluice::apps {

struct Checkpoint {
  nlohmann::ordered_json job;  // what decides the result, each under its name
  TrainingState state{};
  std::string files{};       // that the rows of the epoch under way came from, where the state is doubtful
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

// Complete epochs, and back; std::invalid_argument says what is wrong with them.
nlohmann::ordered_json epochs_to_json(const std::vector<Epoch>& epochs);
std::vector<Epoch> epochs_of(const nlohmann::ordered_json& json);

// The values of a job that are of files begin so: of what they decode to, or of how they are stored.
inline constexpr const char* digest_of_contents = "sha256 ";
inline constexpr const char* digest_as_stored = "as stored ";

// What is different between two jobs; empty: the one goes on where the other ended.
struct Difference {
  std::string text;
  bool of_contents = false;  // of a file, not of a flag
  bool operator==(const Difference&) const = default;
};
std::vector<Difference> differences(const nlohmann::ordered_json& stored, const nlohmann::ordered_json& wanted);

}  // namespace sluice::apps
