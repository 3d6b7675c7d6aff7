// What a run goes on from, and what it leaves behind for the next one, as --checkpoint and --resume ask for.
//
// Order and thread-safety: find() before the data are loaded, go_on() behind, then save() whenever the run lies between
// two steps; one thread. Errors: UsageError and stages::DataError in words that name the file and the way out: a
// checkpoint of another job, damaged, or a file that is none and would be replaced; stages::WriteError says what is
// left.
//
//   Checkpointing checkpoints(options);
//   checkpoints.find();
//   if (checkpoints.resumes()) state = checkpoints.go_on(data);
//   ... checkpoints.state_changed(), checkpoints.save(state, data) ...
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/checkpoint.hpp"
#include "apps/job_data.hpp"
#include "apps/options.hpp"

namespace sluice::apps {

class Checkpointing {
 public:
  explicit Checkpointing(const Options& options) : o_(options) {}

  void find();
  bool resumes() const { return found_.has_value(); }
  const std::string& path() const { return found_->path; }        // of what was found
  const std::string& trouble() const { return found_->trouble; }  // why it is the version before; empty: it is not
  bool replaces() const { return replaces_; }                     // the run begins anew where there is a checkpoint

  // Once. Where the files of a job that streams are not those that the rows of the epoch under way came from, its state
  // is that at the beginning of that epoch.
  Checkpoint go_on(const JobData& data);
  bool epoch_begins_again() const { return begins_again_; }
  void state_changed() { saved_ = false; }
  // Unless it is there already: then false. `job` is filled in here.
  bool save(Checkpoint state, const JobData& data);
  bool has_own() const { return has_own_; }  // there is a --checkpoint of this job

 private:
  void refuse_another_job(const std::vector<Difference>& different) const;

  const Options& o_;
  std::optional<FoundCheckpoint> found_;
  bool replaces_ = false, has_own_ = false, saved_ = false, begins_again_ = false;
  stages::Replacement::Older older_ = stages::Replacement::Older::kept;
};

}  // namespace sluice::apps
