#include "apps/checkpointing.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "stages/errors.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;

// What decides the result, under the names of the flags: of a checkpoint, it has to be the same.
ordered_json job(const Options& o) {
  return {{"--batch-size", o.batch_size}, {"--lr", o.lr}, {"--seed", o.seed}};
}
ordered_json job(const Options& o, const Loading& loading) {
  ordered_json all = job(o);
  all["--classes"] = loading.train().classes;
  const std::array<std::string, 4> digests = loading.digests();
  for (std::size_t i = 0; i < digests.size(); ++i)
    all[std::array{"--train-images", "--train-labels", "--test-images", "--test-labels"}[i]] = "sha256 " + digests[i];
  return all;
}

bool there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// Whether it was one, also if it is damaged now: it begins as save() writes it.
bool looks_like_a_checkpoint(const std::string& path) {
  std::string start(200, '\0');
  std::ifstream(path, std::ios::binary).read(start.data(), static_cast<std::streamsize>(start.size()));
  return start.find(R"("sluice.checkpoint")") != std::string::npos;
}

}  // namespace

void Checkpointing::find() {
  std::error_code ignored;
  if (o_.resumes_from_file()) {
    if (there(o_.checkpoint) && !std::filesystem::equivalent(o_.checkpoint, o_.resume, ignored))
      refuse_replacing("leave --resume away to go on from it");
    try {
      found_ = find_checkpoint(o_.resume);
      if (!found_) load_checkpoint(o_.resume);  // says why not
    } catch (const stages::DataError& error) {
      throw stages::DataError(fmt::format("--resume {}", error.what()));
    }
  } else if (o_.resume == "no") {
    replaces_ = there(o_.checkpoint);
    if (replaces_ && !looks_like_a_checkpoint(o_.checkpoint)) refuse_replacing("it is no checkpoint");
  } else if (!o_.checkpoint.empty()) {
    try {
      found_ = find_checkpoint(o_.checkpoint);
    } catch (const stages::DataError& error) {
      throw stages::DataError(fmt::format(
          "{}: begin anew with another --checkpoint, or with --resume no, which replaces it", error.what()));
    }
  }
  if (!found_) return;
  const Checkpoint& c = found_->checkpoint;
  if (const auto different = differences(c.job, job(o_)); !different.empty())
    throw UsageError(of_another_job(different));
  if (c.epochs.size() > o_.epochs || (c.epochs.size() == o_.epochs && c.sums["count"] > 0))
    throw UsageError(
        fmt::format("--epochs {}: {} is of epoch {}: ask for as many or more, or begin anew with another --checkpoint",
                    o_.epochs, found_->path, c.sums["count"] > 0 ? c.epoch : c.epoch - 1));
}

Checkpoint Checkpointing::go_on(const Loading& loading) {
  Checkpoint& c = found_->checkpoint;
  const stages::DataSet& data = loading.train();
  if (const auto different = differences(c.job, job(o_, loading)); !different.empty())
    throw stages::DataError(of_another_job(different));
  if (c.model.pixels != data.pixels() || c.model.classes != data.classes ||
      c.sums["count"] > static_cast<double>(data.size()))
    throw stages::DataError(found_->path + ": its sizes are not those of the data");
  any_ = true;
  saved_ = found_->path == o_.checkpoint;
  if (!found_->trouble.empty()) older_ = stages::Replacement::Older::dropped;  // what is kept is the sound one
  return std::move(c);
}

void Checkpointing::save(Checkpoint state, const Loading& loading) {
  if (o_.checkpoint.empty() || saved_) return;
  state.job = job(o_, loading);
  try {
    apps::save(o_.checkpoint, state, std::exchange(older_, stages::Replacement::Older::kept));
  } catch (const stages::WriteError& error) {
    throw stages::WriteError(fmt::format(
        "{}: the run ends here: {}", error.what(),
        any_ ? "the checkpoint before is still there: the same command goes on from it" : "nothing was saved before"));
  }
  saved_ = any_ = true;
}

void Checkpointing::refuse_replacing(const std::string& why) const {
  throw UsageError(fmt::format("--checkpoint {}: is there already and would be replaced: {}, or name another file",
                               o_.checkpoint, why));
}

std::string Checkpointing::of_another_job(const std::vector<std::string>& different) const {
  return fmt::format(
      "{}{}: is of another job: {}: {}", found_->trouble.empty() ? "" : found_->trouble + "; ", found_->path,
      fmt::join(different, "; "),
      o_.resumes_from_file()
          ? "give the same, or another --resume"
          : "give the same, name another --checkpoint, or begin anew with --resume no, which replaces it");
}

}  // namespace sluice::apps
