// What a run goes on from, and what it leaves behind for the next one, as --checkpoint and --resume ask for.
//
// Of a job that streams, where the pieces of its images files lie is kept beside the checkpoint, as FILE.pieces, once
// that is known: so that a run that goes on within an epoch decodes of what is behind it only what it still needs.
// Whether it is there changes no result.
//
// Order and thread-safety: find() before the data are loaded, go_on() behind, begin() before the first step, then
// save() whenever the run lies between two steps; one thread at a time. Errors: UsageError and stages::DataError in
// words that name the file and the way out: a checkpoint of another job, damaged, or a file that is none and would be
// replaced; stages::WriteError says what is left.
//
//   Checkpointing checkpoints(options);
//   checkpoints.find();
//   if (checkpoints.resumes()) state.training = checkpoints.go_on(data);
//   checkpoints.begin(data, about, {});
//   ... checkpoints.save(state) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/model_file.hpp>
#include <sluice/stages/replacement.hpp>
#include "apps/job/checkpoint.hpp"
#include "apps/job/job_data.hpp"
#include "apps/job/options.hpp"
#include "apps/job/state.hpp"

namespace sluice::apps {

// What is kept beside a checkpoint.
std::string pieces_of(const std::string& checkpoint);
bool is_pieces_file(const std::string& path);

// By which a checkpoint and a model tell the data: a digest of each file, under the name of its flag.
nlohmann::ordered_json known_by(const Options& options, const JobData& data);

// What of the flags decides the result, each under its name; what there is of files is in known_by().
nlohmann::ordered_json job_of(const Options& options);
// Both, and what follows from the data.
nlohmann::ordered_json job_of(const Options& options, const JobData& data);

class Checkpointing {
 public:
  explicit Checkpointing(const Options& options) : o_(options) {}

  void find();
  bool replaces() const { return replaces_; }  // the run begins anew where there is a checkpoint

  // What was found, and is gone on from:
  bool resumes() const { return found_.has_value(); }
  const std::string& path() const { return found_->path; }
  const std::string& trouble() const { return found_->trouble; }  // why it is the version before; empty: it is not
  const stages::Metadata& about() const { return found_->checkpoint.about; }  // stored with it
  // Once. Where the files of a job that streams are not those that the rows of the epoch under way came from, its state
  // is that at the beginning of that epoch.
  TrainingState go_on(const JobData& data);
  bool epoch_begins_again() const { return begins_again_; }
  // Of several processes, whose files may be copies with other stamps, the first decides whether it does.
  bool would_begin_again(const JobData& data) const;
  void decide(bool begins_again) { decided_ = begins_again; }

  // about: is stored, too. saved: is called whenever a checkpoint was written.
  void begin(const JobData& data, const stages::Metadata& about, std::function<void()> saved);
  const std::string& file() const { return o_.checkpoint; }  // empty: none is written
  std::uint64_t steps_between() const;                       // two checkpoints within an epoch; 0: there are none
  bool due_after(std::size_t epoch) const;
  // Unless the state is there already, or none is wanted. One of a complete job that cannot be written is no error
  // here, but failed(): its result may still get somewhere.
  void save(const RunState& state);
  // Behind an epoch: where pieces lie, if it found that out, and beside a checkpoint of this job.
  void keep_pieces();
  std::exception_ptr failed() const { return failed_; }
  bool has_own() const { return has_own_; }  // there is a --checkpoint of this job
  // For a run that was interrupted: how another one goes on. trains: this one had begun to.
  std::string way_to_go_on(bool trains) const;

 private:
  void refuse_another_job(const std::vector<Difference>& different) const;
  void find_pieces(const JobData& data);

  const Options& o_;
  std::optional<FoundCheckpoint> found_;
  std::string base_;  // as it was named: what was found may be the version before
  bool replaces_ = false, has_own_ = false, begins_again_ = false;
  std::optional<std::uint64_t> saved_;  // state.changes of what is there
  stages::Replacement::Older older_ = stages::Replacement::Older::kept;
  std::optional<bool> decided_;
  const JobData* data_ = nullptr;
  bool pieces_kept_ = false;
  stages::Metadata stored_;
  std::function<void()> tell_;
  std::exception_ptr failed_;
};

}  // namespace sluice::apps
