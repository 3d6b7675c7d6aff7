#include "apps/job/sweep_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include <sluice/stages/bounded_json.hpp>
#include <sluice/stages/errors.hpp>
#include "apps/job/checkpoint.hpp"
#include "apps/job/checkpointing.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_depth = 5;  // {"epochs": [{"train": {"loss": x}}]}

// More --epochs or more patience is another run, but for those that a halving gave up on the way.
std::string key_of(const Options& o) {
  ordered_json decides = job_of(o);
  decides.erase("--lanes");  // which a sweep has none of: so that older files are read
  decides["--epochs"] = o.epochs;
  decides["--patience"] = o.patience;
  decides["--best-by"] = o.best_by;  // a run without --keep best may end by it
  return decides.dump();
}

}  // namespace

SweepFile::SweepFile(const std::string& path, const ordered_json& data) : path_(path) {
  const ordered_json first = {{"sluice.sweep", 1}, {"data", data}};
  do file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  while (file_ < 0 && errno == EINTR);
  if (file_ < 0) throw stages::DataError(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(file_);
    throw stages::DataError(fmt::format("{}: another sweep writes it: name another file, or wait", path));
  }
  try {
    read(first);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

SweepFile::~SweepFile() {
  ::close(file_);
}

void SweepFile::read(const ordered_json& first) {
  std::ifstream file(path_, std::ios::binary);
  std::string line;
  off_t sound = 0;
  for (std::size_t number = 1; std::getline(file, line) && !file.eof(); ++number) {
    const auto fail = [&](const std::string& what) {
      throw stages::DataError(fmt::format("{}:{}: {}: name another file", path_, number, what));
    };
    ordered_json json;
    try {
      json = stages::parse_bounded(line, most_depth);
    } catch (const std::invalid_argument& error) {
      fail(fmt::format("is no line of a sweep: it has {}", error.what()));
    }
    if (json.is_discarded()) fail("is no line of a sweep");
    if (number == 1) {
      if (!json.is_object() || !json.contains("sluice.sweep")) fail("is no file of a sweep");
      if (json != first) fail("is of a sweep over other data, or of another version");
    } else if (json.is_object() && json.contains("run") && json["run"].is_string() && json.contains("epochs") &&
               json.contains("error") && json["error"].is_string() && json.contains("weights_sha256") &&
               json["weights_sha256"].is_string()) {
      runs_[json["run"]] = json;
    } else {
      fail("is no run of a sweep");
    }
    sound += static_cast<off_t>(line.size()) + 1;
  }
  if (sound == 0 && !line.empty() && !line.starts_with("{\"sluice.sweep\""))
    throw stages::DataError(fmt::format("{}: is no file of a sweep, and would be replaced: name another", path_));
  // A line that was being written when the run ended.
  if (::ftruncate(file_, sound) != 0 || ::lseek(file_, sound, SEEK_SET) != sound)
    throw stages::DataError(fmt::format("{}: cannot be gone on with: {}", path_, std::strerror(errno)));
  if (sound == 0) append(first.dump());
}

void SweepFile::append(const std::string& line) {
  const std::string bytes = line + "\n";
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(file_, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw stages::WriteError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
    done += static_cast<std::size_t>(n);
  }
  if (::fdatasync(file_) != 0 && errno != EINVAL)
    throw stages::WriteError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
}

std::size_t SweepFile::restore(Sweep& sweep) const {
  std::size_t complete = 0;
  for (SweepRun& run : sweep.runs) {
    const auto found = runs_.find(key_of(run.options));
    if (found == runs_.end()) continue;
    const ordered_json& json = found->second;
    try {
      std::vector<Epoch> epochs = epochs_of(json.at("epochs"));
      for (std::size_t i = 0; i < epochs.size(); ++i)
        if (epochs[i].number != i + 1 || epochs[i].validation.has_value() != run.options.validates())
          throw std::invalid_argument("its epochs are not those of such a run");
      if (epochs.size() > run.options.epochs) throw std::invalid_argument("it has more epochs than it should");
      run.state.training.epochs = std::move(epochs);
    } catch (const std::invalid_argument& error) {
      throw stages::DataError(
          fmt::format("{}: has a run that cannot be read: {}: name another file", path_, error.what()));
    }
    run.state.weights_sha256 = json.at("weights_sha256");
    run.error = json.at("error");
    complete += !run.error.empty() || run.state.complete();
  }
  return complete;
}

void SweepFile::add(const SweepRun& run) {
  append(ordered_json{{"run", key_of(run.options)},
                      {"epochs", epochs_to_json(run.state.training.epochs)},
                      {"weights_sha256", run.state.weights_sha256},
                      {"error", run.error}}
             .dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

}  // namespace sluice::apps
