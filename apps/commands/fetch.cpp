// sluice fetch: a known data set from the web, into a folder that --data takes.
#include <fcntl.h>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <vector>

#include <sluice/pipeline/printable.hpp>
#include <sluice/pipeline/suggestion.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/replacement.hpp>
#include "apps/commands/commands.hpp"
#include "apps/fetch/catalog.hpp"
#include "apps/fetch/fetch_file.hpp"
#include "apps/fetch/part_file.hpp"
#include "apps/fetch/unpack.hpp"
#include "apps/flags/shell_word.hpp"
#include "apps/job/usage_error.hpp"
#include "apps/terminal/interrupt.hpp"
#include "apps/terminal/log.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// What is said of a file while it comes: a line that is redrawn ten times a second, or another one every ten seconds.
class FetchProgress {
 public:
  FetchProgress(const LogStyle& style, std::string name, std::uint64_t bytes)
      : style_(style), name_(std::move(name)), bytes_(bytes) {}  // 0: nobody knows
  ~FetchProgress() { erase(); }
  FetchProgress(const FetchProgress&) = delete;
  FetchProgress& operator=(const FetchProgress&) = delete;

  void at(std::uint64_t bytes) {
    if (!begun_) first_ = bytes, begun_ = true;
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - began_).count();
    const double rate = static_cast<double>(bytes - std::min(bytes, first_)) / std::max(seconds, 1e-3);
    if (style_.form == LogStyle::Form::line) {
      if (drawn_ && now - said_ < std::chrono::milliseconds(100)) return;
      said_ = now;
      const double part = static_cast<double>(bytes) / static_cast<double>(std::max<std::uint64_t>(1, bytes_));
      const bool large = std::max(bytes, bytes_) >= 1'000'000;
      const double unit = large ? 1e6 : 1e3;
      const std::string all = bytes_ ? fmt::format(" of {:.1f}", static_cast<double>(bytes_) / unit) : "";
      const std::string text = fmt::format("  {:.1f}{} {}  {:.1f} MB/s", static_cast<double>(bytes) / unit, all,
                                           large ? "MB" : "kB", rate / 1e6);
      const std::size_t width = columns_of_terminal(STDERR_FILENO), taken = name_.size() + text.size() + 3;
      const std::string bar =
          bytes_ == 0 || width < taken + 10 ? "" : progress_bar(style_, part, std::min<std::size_t>(30, width - taken));
      say("\r\x1b[K" + (name_ + " " + bar + text).substr(0, bar.empty() ? width - 1 : std::string::npos));
      drawn_ = true;
    } else if (style_.form == LogStyle::Form::lines && now - said_ >= std::chrono::seconds(10)) {
      said_ = now;
      const std::string all = bytes_ ? fmt::format("/{}", bytes_) : "";
      say(fmt::format("file={} bytes={}{} bytes_per_second={:.0f}\n", name_, bytes, all, rate));
    }
  }
  void erase() {
    if (drawn_) say("\r\x1b[K");
    drawn_ = false;
  }

 private:
  const LogStyle style_;
  const std::string name_;
  const std::uint64_t bytes_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point said_ = began_;
  std::uint64_t first_ = 0;
  bool begun_ = false, drawn_ = false;
};

std::string train_command(const DataSet& set, const std::string& folder) {
  return fmt::format("sluice train --data {}{}", quoted(folder + set.data), set.flags);
}

ordered_json as_json(const DataSet& set) {
  ordered_json json{{"name", set.name}, {"what", set.what}, {"digests", set.digests}, {"mirrors", set.mirrors}};
  for (const PublishedFile& file : set.files)
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  json["result"] = files_of(set);
  if (!set.remark.empty()) json["remark"] = set.remark;
  json["train"] = train_command(set, set.name);
  return json;
}

std::string in_words(const DataSet& set) {
  std::string text = fmt::format("{}: {}\n", set.name, set.what);
  for (const PublishedFile& file : set.files)
    text += fmt::format("  {:<34} {:>9} bytes  sha256 {}\n", file.name, file.bytes, file.sha256);
  text += fmt::format("  sizes and digests as stated by {}\n", set.digests);
  for (const std::string& mirror : set.mirrors) text += fmt::format("  from {}\n", mirror);
  if (!set.remark.empty()) text += fmt::format("  {}\n", set.remark);
  return text + fmt::format("  then: {}\n", train_command(set, set.name));
}

void list(const std::vector<const DataSet*>& sets, bool as_object) {
  ordered_json json{{"sets", ordered_json::array()}};
  std::string text;
  for (const DataSet* set : sets) {
    if (as_object)
      json["sets"].push_back(as_json(*set));
    else
      text += (text.empty() ? "" : "\n") + in_words(*set);
  }
  if (as_object)
    write_json_to_stdout(json);
  else
    write_to_stdout(text);
}

const DataSet& wanted_set(const std::string& name) {
  std::vector<std::string> known;
  for (const DataSet& set : data_sets()) known.push_back(set.name);
  if (name.empty()) throw UsageError(fmt::format("NAME is required, one of {}", fmt::join(known, ", ")));
  const DataSet* const set = find_data_set(name);
  if (!set) throw UsageError(fmt::format("{}: no data set that is known{}", name, suggestion(name, known)));
  return *set;
}

// By the names of the set's files.
std::map<std::string, std::string> given_digests(const DataSet& set, const std::vector<std::string>& given) {
  std::map<std::string, std::string> all;
  std::vector<std::string> known;
  for (const PublishedFile& file : set.files) known.push_back(file.name);
  for (const std::string& one : given) {
    const std::size_t equals = one.rfind('=');
    const std::string name = one.substr(0, equals);
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw UsageError(fmt::format("--sha256: {}: no file of {}{}", name, set.name, suggestion(name, known)));
    std::string digest = one.substr(equals + 1);
    for (char& c : digest) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    all[name] = digest;
  }
  return all;
}

// The files of a set as they come, below the folder.
std::vector<WantedFile> wanted_files(const DataSet& set, const FetchOptions& f, const std::string& folder) {
  const std::map<std::string, std::string> digests = given_digests(set, f.digests);
  std::vector<WantedFile> all;
  for (const PublishedFile& file : set.files) {
    const std::string path = (fs::path(folder) / file.name).string();
    const auto own = digests.find(file.name);
    if (own == digests.end())
      all.push_back({path, file.name, file.bytes, file.bytes, file.sha256, set.digests});
    else
      all.push_back({path, file.name, 0, 2 * file.bytes, own->second, "--sha256"});
  }
  return all;
}

// Whether it is there, and is the one. Another one is an error, unless it may be replaced.
bool is_there(const WantedFile& file, bool force) {
  std::error_code none;
  if (!fs::exists(file.path, none)) return false;
  if (!fs::is_regular_file(file.path, none))
    throw UsageError(file.path + ": is there and is no file: name another folder");
  const std::string digest = sha256_of(file.path);
  if (digest == file.sha256) return true;
  if (force) return false;
  throw stages::DataError(fmt::format(
      "{}: is there, and its SHA-256 is {}, expected {} (as stated by {}): name another folder, take it away, "
      "or replace it with --force",
      file.path, digest, file.sha256, file.stated_by));
}

// Goes, with those above it that had to be made, if nothing came into it.
class MadeFolder {
 public:
  explicit MadeFolder(const fs::path& folder) {
    std::error_code error, none;
    for (fs::path at = fs::absolute(folder, none).lexically_normal(); !fs::exists(at, none) && at.has_relative_path();
         at = at.parent_path())
      if (at.has_filename()) made_.push_back(at);
    fs::create_directories(folder, error);
    if (fs::is_directory(folder, none)) return;
    remove();
    throw UsageError(fmt::format("{}: cannot be made: {}", folder.string(), error ? error.message() : "is no folder"));
  }
  ~MadeFolder() { remove(); }
  MadeFolder(const MadeFolder&) = delete;
  MadeFolder& operator=(const MadeFolder&) = delete;

 private:
  // From within; what is not empty stays, and what was not made in the end is none.
  void remove() {
    std::error_code error;
    for (const fs::path& one : made_)
      if (fs::remove(one, error); error) return;
  }
  std::vector<fs::path> made_;
};

// Of those who unpack an archive. Where a file system has no locks, nobody gets one.
class OnlyOne {
 public:
  explicit OnlyOne(const std::string& archive) : file_(::open(archive.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ < 0) throw stages::WriteError(fmt::format("{}: cannot be read: {}", archive, std::strerror(errno)));
    const bool locked = ::flock(file_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    if (locked && stages::is_at(archive, file_)) return;  // whoever had it may have taken it away meanwhile
    ::close(file_);
    throw stages::WriteError(archive +
                             (locked ? ": another process has unpacked it" : ": another process is unpacking it"));
  }
  ~OnlyOne() { ::close(file_); }
  OnlyOne(const OnlyOne&) = delete;
  OnlyOne& operator=(const OnlyOne&) = delete;

 private:
  const int file_;
};

class Fetch {
 public:
  Fetch(const DataSet& set, const Options& o, const FetchOptions& f)
      : set_(set),
        o_(o),
        f_(f),
        style_(log_style(o.progress, o.quiet, o.log_format)),
        folder_(f.folder.empty() ? set.name : f.folder) {}

  int run() {
    if (const std::string why = cannot_unpack(set_); !why.empty())
      throw UsageError(fmt::format("{} {}", set_.name, why));
    const std::vector<WantedFile> files = wanted_files(set_, f_, folder_);
    Transfers transfers{std::chrono::seconds(f_.timeout)};
    const std::vector<std::string>& mirrors = f_.mirrors.empty() ? set_.mirrors : f_.mirrors;
    for (const std::string& mirror : mirrors) transfers.url_of(mirror, "");
    const MadeFolder made(folder_);
    const bool is_unpacked = set_.kept != DataSet::Kept::as_they_are;
    std::error_code none;
    if (is_unpacked)
      for (const std::string& name : files_of(set_))
        if (const fs::path in = fs::path(path_of(name)).parent_path();
            fs::exists(in, none) && !fs::is_directory(in, none))
          throw UsageError(in.string() + ": is no folder");
    try {
      if (is_unpacked && !f_.force && all_unpacked(files.front().path)) {
        for (const std::string& name : files_of(set_)) tell(path_of(name), "is there", {});
      } else {
        // What is there and is another is told before anything is fetched.
        std::vector<bool> there;
        for (const WantedFile& file : files) there.push_back(is_there(file, f_.force));
        for (std::size_t i = 0; i < files.size(); ++i) get(transfers, files[i], mirrors, there[i]);
        if (is_unpacked) unpack_all(files.front().path);
      }
    } catch (const FetchInterrupted& interrupted) {
      say(log_line(interrupted.bytes == 0
                       ? fmt::format("interrupted: nothing had come of {}", interrupted.part)
                       : fmt::format("interrupted: {} bytes are in {}, and the same command goes on from there",
                                     interrupted.bytes, interrupted.part)));
      return 128 + interrupt_.signal();
    } catch (const UnpackInterrupted&) {
      say(log_line(fmt::format("interrupted: {} is not unpacked, and the same command does it", files.front().path)));
      return 128 + interrupt_.signal();
    }
    const std::string command = train_command(set_, folder_);
    if (o_.json)
      write_json_to_stdout(
          {{"command", "fetch"}, {"set", set_.name}, {"folder", folder_}, {"files", told_}, {"train", command}});
    else
      write_to_stdout(command + "\n");
    return 0;
  }

 private:
  std::string path_of(const std::string& name) const { return (fs::path(folder_) / name).string(); }

  // Whether all that would be made of the archive is there. Some of it without the archive is somebody else's: an
  // earlier run that did not come to its end has left the archive.
  bool all_unpacked(const std::string& archive) const {
    std::error_code none;
    const std::vector<std::string> names = files_of(set_);
    const auto is_there = [&](const std::string& name) { return fs::exists(path_of(name), none); };
    const auto first = std::find_if(names.begin(), names.end(), is_there);
    const auto wrong =
        std::find_if(names.begin(), names.end(), [&](const std::string& name) { return !why_not(name).empty(); });
    if (wrong == names.end()) return true;
    if (first == names.end() || fs::exists(archive, none)) return false;
    throw stages::DataError(
        fmt::format("{}: {}, but {} is there: name another folder, take it away, or replace what is there with --force",
                    path_of(*wrong), why_not(*wrong), path_of(*first)));
  }

  // Why it is not what was unpacked, as far as a look can tell; empty: it may be.
  std::string why_not(const std::string& name) const {
    std::error_code none;
    const std::string path = path_of(name);
    if (!fs::exists(path, none)) return "is not there";
    if (!fs::is_regular_file(path, none)) return "is no file";
    std::array<char, 4> start{};
    std::ifstream(path, std::ios::binary).read(start.data(), start.size());
    if (name.ends_with(".gz")) return start[0] == '\x1f' && start[1] == '\x8b' ? "" : "is not compressed by gzip";
    if (name.find("-idx") != name.npos) return start[2] == '\x08' ? "" : "is no IDX file of bytes";
    return fs::file_size(path, none) > 0 ? "" : "is empty";
  }

  void get(Transfers& transfers, const WantedFile& file, const std::vector<std::string>& mirrors, bool there) {
    if (there) return tell(file.path, "is there", {{"sha256", file.sha256}, {"stated_by", file.stated_by}});
    FetchProgress progress(style_, file.name, file.bytes);
    const FetchObserver observer{.wake = interrupt_.wake(),
                                 .progress = [&](std::uint64_t bytes) { progress.at(bytes); },
                                 .tries_again =
                                     [&](const std::string& trouble) {
                                       progress.erase();
                                       if (!o_.quiet) say_warning(style_, trouble);
                                     }};
    const Fetched fetched = fetch_file(transfers, file, mirrors, observer);
    progress.erase();
    if (style_.form == LogStyle::Form::lines)
      say(fmt::format("file={} bytes={} resumed_at={} seconds={:.3f} from={}\n", file.name, fetched.bytes,
                      fetched.resumed_at, fetched.seconds, fetched.url.empty() ? "-" : fetched.url));
    tell(file.path, "fetched",
         {{"sha256", file.sha256},
          {"stated_by", file.stated_by},
          {"from", fetched.url},
          {"resumed_at", fetched.resumed_at},
          {"seconds", fetched.seconds}});
  }

  // The archive is taken away when all that was made of it is there.
  void unpack_all(const std::string& archive) {
    const OnlyOne only_one(archive);
    unpack(set_, archive, folder_, [this] { return interrupt_.signal() != 0; });
    std::error_code none;
    fs::remove(archive, none);
    for (const std::string& name : files_of(set_)) tell(path_of(name), "unpacked", {});
  }

  void tell(const std::string& path, const std::string& what, const ordered_json& facts) {
    std::error_code none;
    const std::uintmax_t bytes = fs::file_size(path, none);
    if (o_.json) {
      ordered_json one{{"path", path}, {"bytes", bytes}, {"what", what}};
      one.update(facts);
      told_.push_back(one);
    } else {
      const std::string digest = facts.contains("stated_by")
                                     ? fmt::format(", SHA-256 as stated by {}", facts["stated_by"].get<std::string>())
                                     : "";
      write_to_stdout(fmt::format("{}: {}, {} bytes{}\n", printable(path), what, bytes, digest));
    }
  }

  const DataSet& set_;
  const Options& o_;
  const FetchOptions& f_;
  const LogStyle style_;
  const std::string folder_;
  Interrupt interrupt_;  // before there is a file
  ordered_json told_ = ordered_json::array();
};

}  // namespace

int fetch(const Options& o, const FetchOptions& f) {
  if (f.list) {
    std::vector<const DataSet*> sets;
    if (f.name.empty())
      for (const DataSet& set : data_sets()) sets.push_back(&set);
    else
      sets.push_back(&wanted_set(f.name));
    list(sets, o.json);
    return 0;
  }
  try {
    return Fetch(wanted_set(f.name), o, f).run();
  } catch (const stages::PathError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace sluice::apps
