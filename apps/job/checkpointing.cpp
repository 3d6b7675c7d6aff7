#include "apps/job/checkpointing.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/fields.hpp>
#include <sluice/stages/scale.hpp>
#include <sluice/stages/stored_pieces.hpp>
#include "apps/job/outputs.hpp"
#include "apps/job/read_items.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/usage_error.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
using Older = stages::Replacement::Older;

// What a job was that was kept by a version which had no such flag.
ordered_json job_before() {
  Options usual;
  ordered_json all = job_of(usual);
  for (const char* flag : {"--batch-size", "--lr", "--seed"}) all.erase(flag);
  return all;
}

// One that may not be looked at is there.
bool exists_or_is_unknown(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) || error;
}

// Whether nothing is lost that was never a checkpoint: it begins as save() writes one, damaged or not, or is empty.
bool replaceable(const std::string& path) {
  std::string start(200, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  return file.gcount() == 0 || start.find(R"("sluice.checkpoint")") != std::string::npos;
}

constexpr std::string_view pieces_magic = "sluice checkpoint pieces 1\n";

}  // namespace

ordered_json job_of(const Options& o) {
  return {{"--batch-size", o.batch_size},
          {"--optimizer", o.optimizer},
          {"--lr", o.lr},
          {"--momentum", o.momentum},
          {"--beta1", o.beta1},
          {"--beta2", o.beta2},
          {"--weight-decay", o.weight_decay},
          {"--schedule", o.schedule},
          {"--warmup", o.warmup},
          {"--average", o.average},
          {"--epochs", o.epochs_decide() ? ordered_json(o.epochs) : ordered_json("")},
          {"--class-weight", o.class_weight},
          {"--validation", o.holds_out()            ? o.validation
                           : o.validates_by_files() ? "of files"
                                                    : ""},
          {"--keep", o.keep},
          {"--best-by", o.keep == "best" ? o.best_by : ""},
          {"--seed", o.seed},
          {"--stream", o.stream},
          {"--lanes", o.lanes},
          {"--standardize", o.standardize},
          {"--images-key", o.images_key},
          {"--labels-key", o.labels_key},
          {"--label-column", o.label_column},
          {"--ignore-columns", o.ignore_columns},
          {"--header", o.header},
          {"--separator", o.separator},
          {"--missing", o.missing == "auto" ? "error" : o.missing}};
}

ordered_json job_of(const Options& o, const JobData& data) {
  ordered_json all = job_of(o);
  const stages::DataShape& shape = data.train.shape;
  if (o.stream) all["--shuffle-buffer"] = o.effective_shuffle_buffer(shape.image_bytes(), data.train.count);
  all["--classes"] = shape.classes;
  all["--scale"] = stages::scale_text(o.effective_divisor(shape));
  all.update(known_by(o, data));
  return all;
}

ordered_json known_by(const Options& o, const JobData& data) {
  ordered_json all = ordered_json::object();
  const auto add = [&](const std::string& name, const std::string& digest) {
    all[name] = (o.stream ? digest_as_stored : digest_of_contents) + digest;
  };
  const auto add_set = [&](const std::string& name, const LabelledSet& set, std::size_t first) {
    add(set.one_file ? name : name + "-images", data.digests[first]);
    if (!set.one_file) add(name + "-labels", data.digests[first + 1]);
  };
  add_set("--train", data.train, 0);
  add_set("--test", data.test, 2);
  // Not under the name of the flag, which may also be a share.
  if (o.validates_by_files())
    add_set(data.validation.one_file ? "--validation FILE" : "--validation", data.validation, 4);
  return all;
}

std::string pieces_of(const std::string& checkpoint) {
  return checkpoint + ".pieces";
}

bool is_pieces_file(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return false;
  std::string start(pieces_magic.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  return file.read(start.data(), static_cast<std::streamsize>(start.size())) && start == pieces_magic;
}

void Checkpointing::find() {
  const std::string& own = o_.checkpoint;
  const bool own_there =
      !own.empty() && (exists_or_is_unknown(own) || exists_or_is_unknown(stages::previous_version(own)));
  if (o_.resume == "no") {
    if (exists_or_is_unknown(own) && !replaceable(own))
      throw UsageError(fmt::format("--checkpoint {}: is there and is no checkpoint: name another file", own));
    replaces_ = own_there;
  } else if (own_there) {
    try {
      found_ = find_checkpoint(own);
      base_ = own;
    } catch (const stages::DataError& error) {
      throw stages::DataError(fmt::format("{}: begin anew with another --checkpoint{}", error.what(),
                                          replaceable(own) ? ", or with --resume no, which replaces it" : ""));
    }
  } else if (o_.resumes_from_file()) {
    try {
      found_ = find_checkpoint(o_.resume);
      base_ = o_.resume;
      if (const std::string kept = stages::previous_version(""); base_.ends_with(kept))
        base_.resize(base_.size() - kept.size());
      if (!found_) load_checkpoint(o_.resume);  // says why not
    } catch (const stages::DataError& error) {
      throw stages::DataError(fmt::format("--resume {}", error.what()));
    }
  }
  if (!found_) return;
  Checkpoint& c = found_->checkpoint;
  const ordered_json before = job_before();
  for (const auto& [flag, value] : before.items())
    if (!c.job.contains(flag)) c.job[flag] = value;
  refuse_another_job(differences(c.job, job_of(o_)));
  const TrainingState& s = c.state;
  if (s.epochs.size() > o_.epochs || (s.epochs.size() == o_.epochs && s.rows() > 0))
    throw UsageError(
        fmt::format("--epochs {}: {} is of epoch {}: ask for as many or more, or begin anew with another --checkpoint",
                    o_.epochs, found_->path, s.rows() > 0 ? s.epoch() : s.epochs.size()));
}

TrainingState Checkpointing::go_on(const JobData& data) {
  Checkpoint& c = found_->checkpoint;
  TrainingState& s = c.state;
  c.job["--scale"] = stages::scale_text(s.weights->divisor);  // that of the model file is what counts
  auto different = differences(c.job, job_of(o_, data));
  // Nothing is lost where nothing was done: of files that were damaged, say, and then mended.
  if (s.epochs.empty() && s.rows() == 0)
    std::erase_if(different, [](const Difference& one) { return one.of_contents; });
  refuse_another_job(different);
  if (s.weights->pixels != data.train.shape.pixels() || s.weights->classes != data.train.shape.classes ||
      s.rows() > data.train.count || (s.rows() < data.train.count && s.rows() % o_.batch_size != 0))
    throw stages::DataError(found_->path + ": its sizes are not those of the data");
  const std::size_t steps_an_epoch = (data.train.count + o_.batch_size - 1) / o_.batch_size;
  const std::size_t before = s.epochs.size() * steps_an_epoch;
  const stages::Optimizer its = optimizer(o_, steps_an_epoch);
  const auto take_up = [&](stages::Weights& weights, std::size_t steps) {
    if (!weights) return;
    if (!is_prepared(its, *weights))
      throw stages::DataError(fmt::format("{}: has not what --optimizer {}{} keeps beside the weights", found_->path,
                                          o_.optimizer, o_.average > 0 ? " with --average" : ""));
    weights.renew().steps = steps;  // nobody else holds it
  };
  take_up(s.weights, before + (s.rows() + o_.batch_size - 1) / o_.batch_size);
  take_up(s.epoch_start, before);
  if ((o_.keep == "best" && !s.epochs.empty()) != bool(s.best))
    throw stages::DataError(found_->path + ": has no best model, or one that nobody asked for");
  has_own_ = !o_.checkpoint.empty() && (same_file(found_->path, o_.checkpoint) || !found_->trouble.empty());
  if (has_own_ && found_->trouble.empty()) saved_ = s.changes;
  if (decided_.value_or(would_begin_again(data))) {
    s.begin_epoch_again();
    begins_again_ = true;
  }
  if (!found_->trouble.empty()) older_ = Older::dropped;  // what is kept is the sound one
  find_pieces(data);
  return std::move(s);
}

bool Checkpointing::would_begin_again(const JobData& data) const {
  return found_ && found_->checkpoint.state.doubtful() && found_->checkpoint.files != data.train.stamps.lasting();
}

void Checkpointing::begin(const JobData& data, const stages::Metadata& about, std::function<void()> saved) {
  data_ = &data;
  stored_ = about;
  tell_ = std::move(saved);
}

std::uint64_t Checkpointing::steps_between() const {
  return o_.checkpoint.empty() || !o_.writes() ? 0 : o_.effective_every().steps;
}

bool Checkpointing::due_after(std::size_t epoch) const {
  const std::uint64_t every = o_.effective_every().epochs;
  return every && epoch % every == 0;
}

void Checkpointing::save(const RunState& state) {
  const TrainingState& s = state.training;
  if (o_.checkpoint.empty() || !o_.writes() || failed_ || saved_ == s.changes) return;
  const Checkpoint c{.job = job_of(o_, *data_), .state = s, .files = data_->train.stamps.lasting(), .about = stored_};
  try {
    apps::save(o_.checkpoint, c, std::exchange(older_, Older::kept));
  } catch (const stages::WriteError& error) {
    const stages::WriteError what_is_left(
        fmt::format("{}: {}", error.what(),
                    has_own_ ? "the checkpoint before it is there, and the same command goes on from it"
                             : "there is none before it"));
    if (!state.complete()) throw what_is_left;
    failed_ = std::make_exception_ptr(what_is_left);
    return;
  }
  saved_ = s.changes;
  has_own_ = true;
  if (tell_) tell_();
}

// Of these files, as lasting() has it; then what is stored of each (stored_pieces.hpp).
void Checkpointing::keep_pieces() {
  const KnownPieces& known = data_->train.known;
  if (pieces_kept_ || known.empty() || !has_own_ || !o_.writes()) return;
  std::string bytes(pieces_magic);
  const std::string files = data_->train.stamps.lasting();
  stages::put_field(bytes, files.size(), 4);
  bytes += files;
  for (const auto& one : known) {
    const auto index = one->index();
    if (!index) return;
    const std::string its = stages::stored_pieces(*index);
    stages::put_field(bytes, its.size(), 8);
    bytes += its;
  }
  pieces_kept_ = true;
  try {
    stages::Replacement file(pieces_of(o_.checkpoint));
    file.write(bytes.data(), bytes.size());
    file.commit();
  } catch (const stages::WriteError&) {
    // The checkpoint is there: to go on from it takes longer.
  }
}

void Checkpointing::find_pieces(const JobData& data) {
  const KnownPieces& known = data.train.known;
  std::error_code none;
  const std::string path = pieces_of(base_);
  const std::uintmax_t size = std::filesystem::file_size(path, none);
  if (known.empty() || none || size > 2 * images_index_bytes) return;
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return;
  stages::Fields fields(bytes);
  if (fields.text(pieces_magic.size()) != pieces_magic) return;
  if (fields.text(fields.number(4)) != data.train.stamps.lasting()) return;
  for (std::size_t i = 0; i < known.size(); ++i)
    known[i]->set(stages::pieces_stored(fields.text(fields.number(8)), data.train.images.paths()[i],
                                        images_index_bytes / known.size()));
  pieces_kept_ = fields.whole() && base_ == o_.checkpoint &&
                 std::all_of(known.begin(), known.end(), [](const auto& one) { return one->index() != nullptr; });
}

std::string Checkpointing::way_to_go_on(bool trains) const {
  if (o_.checkpoint.empty()) return "";
  if (!trains) return resumes() ? fmt::format("; {} is as it was", path()) : "";
  return fmt::format(
      "; saved in {}: {}", o_.checkpoint,
      o_.resume == "no" ? "to go on, the same command without --resume" : "the same command goes on from there");
}

// Other contents are wrong input, anything else is a wrong flag.
void Checkpointing::refuse_another_job(const std::vector<Difference>& different) const {
  if (different.empty()) return;
  const auto is_of = [](const char* flag) {
    return [flag](const Difference& one) { return one.text.starts_with(std::string(flag) + " is "); };
  };
  // Whether --epochs decides anything hangs on these.
  const bool other_schedule = std::any_of(different.begin(), different.end(), is_of("--schedule")) ||
                              std::any_of(different.begin(), different.end(), is_of("--average"));
  std::string all;
  bool of_contents = false;
  for (const Difference& one : different) {
    if (other_schedule && is_of("--epochs")(one)) continue;
    all += (all.empty() ? "" : "; ") + one.text;
    of_contents = of_contents || one.of_contents;
  }
  const std::string text = fmt::format(
      "{}{}: is of another job: {}: give the same, or {}", found_->trouble.empty() ? "" : found_->trouble + "; ",
      found_->path, all,
      o_.checkpoint.empty() ? "another --resume"
                            : "another --checkpoint, or begin anew with --resume no, which replaces what is there");
  if (of_contents) throw stages::DataError(text);
  throw UsageError(text);
}

}  // namespace sluice::apps
