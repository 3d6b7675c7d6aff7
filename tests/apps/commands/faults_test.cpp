// Whatever fails, the program says so in a line that names the file, ends as documented, leaves nothing behind and no
// older file damaged: every system call on the files of a job fails once, in every way that it can; memory is refused
// at every place that takes some; and the program is interrupted at every call, and killed at every call of a save and
// at random moments.
//
// Exit codes: 0 where the fault does not matter: what was interrupted or did only a part is done again, a close() has
// nothing to say behind fsync(), and a file can be decoded in another way; 3 for data that cannot be read; 1 for what
// cannot be written, and without memory; 2 where the named output is impossible, found before training.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <sluice/stages/deflate_piece.hpp>
#include "apps/job/checkpoint.hpp"
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/compressed.hpp"
#include "tests/support/random.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/watchdog.hpp"

namespace sluice::apps::testing {
namespace {

namespace fs = std::filesystem;

bool thorough() {
  return std::getenv("SLUICE_TEST_LONG") != nullptr;
}

struct Faulty {
  Result result;
  std::vector<std::string> calls;  // that counted, without a fault
  std::string fault;               // the call that it was put at; empty: there is no such call
};

// Faults of files whose paths begin with `path`. That every one of them is closed again is checked here.
Faulty sluice_with_fault(const std::string& fault, const std::string& path, const Arguments& arguments) {
  const Folder folder;
  const std::string log = folder.path("log");
  Faulty faulty;
  Arguments environment{"env", "SLUICE_FAULT=" + fault, "SLUICE_FAULT_PATH=" + path, "SLUICE_FAULT_LOG=" + log};
  // oneTBB's constructors lose what they have when they get no more.
  const char* const asan = std::getenv("ASAN_OPTIONS");
  if (fault.starts_with("new:"))
    environment.push_back("ASAN_OPTIONS=" + (asan ? asan + std::string(":") : std::string()) + "detect_leaks=0");
  faulty.result = run(environment + Arguments{SLUICE_WITH_FAULTS} + arguments);
  for (const std::string& line : lines(test::contents_of(log))) {
    EXPECT_FALSE(line.starts_with("left open")) << line;
    const auto arrow = line.find(" <- ");
    if (arrow == std::string::npos)
      faulty.calls.push_back(line);
    else if (faulty.fault.empty())
      faulty.fault = line.substr(0, arrow);
  }
  return faulty;
}

Arguments epochs(const SmallData& data, const char* count) {
  return {"train", "--data", data.folder().path(), "--batch-size", "100", "--quiet", "--epochs", count};
}
Arguments one_epoch(const SmallData& data) {
  return epochs(data, "1");
}

std::string call_of(const std::string& line) {
  return line.substr(0, line.find(' '));
}

std::string sha_of(const Result& r) {
  const std::string beginning = "weights sha256 ";
  return r.code == 0 ? line_with(r.out, beginning).substr(beginning.size()) : "";
}

std::set<std::string> names(const Folder& folder) {
  std::set<std::string> all;
  for (const auto& entry : fs::directory_iterator(folder.path())) all.insert(entry.path().filename().string());
  return all;
}

// What is to be tried at each call.
const std::map<std::string, std::vector<std::string>>& errors_of_calls() {
  static const std::map<std::string, std::vector<std::string>> all = {{"open", {"EIO", "EMFILE", "EINTR"}},
                                                                      {"stat", {"EIO"}},
                                                                      {"lstat", {"EIO"}},
                                                                      {"fstat", {"EIO"}},
                                                                      {"read", {"EIO", "EINTR", "short"}},
                                                                      {"write", {"EIO", "ENOSPC", "EINTR", "short"}},
                                                                      {"fsync", {"EIO", "ENOSPC", "EINTR"}},
                                                                      {"fchmod", {"EIO"}},
                                                                      {"flock", {"EINTR", "ENOLCK"}},
                                                                      {"rename", {"EIO", "ENOSPC"}},
                                                                      {"unlink", {"EIO"}},
                                                                      {"close", {"EIO", "EINTR"}}};
  return all;
}

bool does_not_matter(const std::string& call, const std::string& error) {
  return error == "EINTR" || error == "short" || call == "close" || call == "flock" || call == "unlink";
}

// Runs with every fault at every one of these calls, from the first to the last: each(call, error, outcome).
std::size_t with_every_fault(const std::string& path, const Arguments& arguments, const std::function<void()>& prepare,
                             const std::function<void(const std::string&, const std::string&, const Faulty&)>& each) {
  std::size_t all = 0;
  for (const auto& [call, errors] : errors_of_calls())
    for (const std::string& error : errors)
      for (std::size_t n = 1; n < 1000; ++n) {
        const std::string fault = call + ":" + std::to_string(n) + ":" + error;
        SCOPED_TRACE(fault);
        const test::UnderWay under_way([&] { return fault; });
        prepare();
        const Faulty faulty = sluice_with_fault(fault, path, arguments);
        EXPECT_EQ(faulty.result.signal, 0);
        if (faulty.fault.empty()) {
          EXPECT_EQ(faulty.result.code, 0) << faulty.result.err;
          break;
        }
        ++all;
        SCOPED_TRACE(faulty.fault);
        each(call, error, faulty);
        if (::testing::Test::HasFailure()) return all;
      }
  return all;
}

void expect_one_line_that_names(const std::string& path, const Result& r) {
  EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
  EXPECT_TRUE(contains(r.err, path)) << r.err;
}

// ---- loading ----

class FaultsOfLoading : public ::testing::TestWithParam<const char*> {
 protected:
  FaultsOfLoading() {
#if defined SLUICE_LZMA && defined SLUICE_ZSTD
    if (!blocks()) return;
    for (const std::string& name : names(data.folder())) fs::remove(data.path(name));
    const auto frames = [](const std::string& bytes) {
      return test::zstd(bytes.substr(0, bytes.size() / 2)) + test::zstd(bytes.substr(bytes.size() / 2));
    };
    data.folder().write("train-images-idx3-ubyte.xz", test::xz(train_images(), {.block = 8000}));
    data.folder().write("train-labels-idx1-ubyte.xz", test::xz(train_labels(), {.block = 300}));
    data.folder().write("t10k-images-idx3-ubyte.zst", frames(test_images()));
    data.folder().write("t10k-labels-idx1-ubyte.zst", frames(test_labels()));
#endif
  }
  bool blocks() const {
    return GetParam() == std::string("blocks");
  }
  Arguments train() const {
    return one_epoch(data) + (blocks() ? Arguments{"--threads", "2"} : Arguments{"--decoder", GetParam()});
  }
  bool whole() const {
    return GetParam() != std::string("zlib");
  }
  const SmallData data;
};
constexpr const char* ways_to_load[] = {"zlib", "libdeflate",
#if defined SLUICE_LZMA && defined SLUICE_ZSTD
                                        "blocks"
#endif
};
INSTANTIATE_TEST_SUITE_P(Decoders, FaultsOfLoading, ::testing::ValuesIn(ways_to_load),
                         [](const auto& decoder) { return std::string(decoder.param); });

TEST_P(FaultsOfLoading, EndWithTheNameOfTheFileOrDoNotMatter) {
  const std::string sha = sha_of(sluice(train()));
  std::size_t ended = 0;
  const std::size_t all = with_every_fault(
      data.folder().path(), train(), [] {},
      [&](const std::string& call, const std::string& error, const Faulty& faulty) {
        const Result& r = faulty.result;
        // A file that one decoder cannot read is left to the other, which judges; so is one that is only looked at, and
        // one that is looked for may be found elsewhere.
        if (does_not_matter(call, error) || call == "fstat") {
          EXPECT_EQ(r.code, 0) << r.err;
        } else if (r.code != 0) {
          EXPECT_EQ(r.code, 3) << r.err;
          ++ended;
        }
        if (r.code == 0) {
          EXPECT_EQ(sha_of(r), sha);
        } else {
          expect_one_line_that_names(data.folder().path(), r);
        }
      });
  RecordProperty("faults", std::to_string(all));
  EXPECT_GT(all, 40u);
  EXPECT_GT(ended, whole() ? 0u : 8u);
}

// Of the first so many calls.
void faults_that_stay_end_with_the_name_of_the_file(const std::string& path, const Arguments& command, int calls = 8) {
  for (const char* call : {"open", "read"})
    for (int n = 1; n <= calls; ++n) {
      const std::string fault = std::string(call) + ":" + std::to_string(n) + ":EIO+";
      SCOPED_TRACE(fault);
      const Faulty faulty = sluice_with_fault(fault, path, command);
      if (faulty.fault.empty()) break;
      EXPECT_EQ(faulty.result.code, 3);
      expect_one_line_that_names(path, faulty.result);
    }
}

TEST_P(FaultsOfLoading, ThatStayEndWithTheNameOfTheFile) {
  faults_that_stay_end_with_the_name_of_the_file(data.folder().path(), train());
}

// ---- saving and going on ----

// How many steps of five an epoch a checkpoint is of; 0: there is none.
std::uint64_t step_of(const std::string& path) {
  if (!fs::exists(path)) return 0;
  const Checkpoint c = load_checkpoint(path);
  return 5 * c.state.epochs.size() + c.state.rows() / 100;
}
// The newer of the two versions: neither may be damaged.
std::uint64_t newest_step(const std::string& path) {
  return std::max(step_of(path), step_of(path + ".previous"));
}
// That a run went on from.
std::uint64_t resumed_step(const json& object) {
  if (!object.contains("resumed")) return 0;
  const json& resumed = object["resumed"];
  const auto epoch = resumed["epoch"].get<std::uint64_t>(), step = resumed["step"].get<std::uint64_t>();
  if (epoch == 0) {
    EXPECT_EQ(step, 0u) << "of no epoch";
    return 0;
  }
  return 5 * (epoch - 1) + step;
}

// A run that saves several times, and what an earlier one of the same job left there.
class Saving {
 public:
  explicit Saving(bool older) : older_(older) {
    sha = sha_of(sluice(epochs(data_, "2")));
    if (!older) return;
    // As if it had been interrupted behind the first epoch.
    const Result r = sluice(command("2", "1"));
    EXPECT_EQ(r.code, 0) << r.err;
    for (const std::string& name : names(folder_)) start_[name] = test::contents_of(folder_.path(name));
    EXPECT_EQ(start_.size(), 2u);
  }

  Arguments command(const char* every = "4", const char* count = "2") const {
    return epochs(data_, count) + Arguments{"--checkpoint", path(), "--checkpoint-every", every};
  }
  std::string path() const { return folder_.path("checkpoint"); }
  std::string folder() const { return folder_.path(); }

  void prepare() const {
    for (const std::string& name : names(folder_)) fs::remove(folder_.path(name));
    for (const auto& [name, contents] : start_) folder_.write(name, contents);
  }

  bool has_older() const { return older_; }

  void expect_nothing_else() const {
    for (const std::string& name : names(folder_))
      EXPECT_TRUE(name == "checkpoint" || name == "checkpoint.previous") << name << " was left behind";
  }

  // The same command again, without a fault: it goes on from what is there, and the bits are those of a run without
  // any.
  void expect_that_it_goes_on() const {
    const std::uint64_t newest = newest_step(path());
    EXPECT_GE(newest, older_ ? 5u : 0u) << "what there was is lost";
    const Result r = sluice(command() + Arguments{"--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    const json object = parsed_json(r.out);
    EXPECT_EQ(object["weights_sha256"], sha);
    EXPECT_EQ(resumed_step(object), newest) << r.err;
    expect_nothing_else();
  }

  std::string sha;

 private:
  bool older_;
  const SmallData data_;
  const Folder folder_;
  std::map<std::string, std::string> start_;  // contents by name
};

void every_fault_of(const Saving& saving) {
  const std::size_t all = with_every_fault(
      saving.folder(), saving.command(), [&] { saving.prepare(); },
      [&](const std::string& call, const std::string& error, const Faulty& faulty) {
        const Result& r = faulty.result;
        const bool of_new_file = contains(faulty.fault, ".part") || faulty.fault == call + " " + saving.folder();
        if (does_not_matter(call, error))
          EXPECT_EQ(r.code, 0) << r.err;
        else if (call == "write" || call == "fsync" || call == "rename" || call == "fchmod" ||
                 (call == "open" && of_new_file))
          EXPECT_EQ(r.code, 1) << r.err;
        else  // the previous version is there, too
          EXPECT_TRUE(r.code == 0 || r.code == 1 || r.code == 3) << r.code << r.err;
        if (r.code != 0) {
          expect_one_line_that_names(saving.folder(), r);
        } else {
          EXPECT_EQ(sha_of(r), saving.sha);
        }
        if (call != "unlink") saving.expect_nothing_else();
        // The older one has its name again where the newer got none.
        if (call == "rename" && saving.has_older()) {
          EXPECT_TRUE(fs::exists(saving.path()));
        }
        if (r.code != 0 || call == "unlink") saving.expect_that_it_goes_on();
      });
  ::testing::Test::RecordProperty("faults", std::to_string(all));
  EXPECT_GT(all, 100u);
}

TEST(FaultsOfSaving, TheFirstTimeLeaveWhatTheRunGoesOnFrom) {
  every_fault_of(Saving(false));
}

TEST(FaultsOfSaving, AfterResumingLeaveTheOlderVersion) {
  every_fault_of(Saving(true));
}

// Killed when it has saved n times: two fsync() each; of a stream one of them, behind the first epoch, is where its
// pieces lie.
void resume_from_every_step(const Arguments& more) {
  const bool pieces = !more.empty() && stages::decodes_pieces();
  const SmallData data;
  const json whole = trained(epochs(data, "2") + more);
  std::size_t n = 0;
  for (; n < 100; ++n) {
    const Folder folder;
    const Arguments job =
        epochs(data, "2") + more + Arguments{"--checkpoint", folder.path("checkpoint"), "--checkpoint-every", "1"};
    const Faulty faulty = sluice_with_fault("fsync:" + std::to_string(2 * n + 1) + ":kill", folder.path(), job);
    if (faulty.result.code == 0) break;
    ASSERT_EQ(faulty.result.signal, SIGKILL) << n;
    const json rest = trained(job + Arguments{"--threads", std::to_string(1 + n % 4)});
    EXPECT_EQ(results_of(rest), results_of(whole)) << n;
    ASSERT_EQ(rest.contains("resumed"), n > 0);
    if (n == 0) continue;
    const std::size_t saved = n - (pieces && n > 5 ? 1 : 0);
    EXPECT_EQ(rest["resumed"]["epoch"], (saved - 1) / 5 + 1);
    EXPECT_EQ(rest["resumed"]["step"], (saved - 1) % 5 + 1);
  }
  EXPECT_EQ(n, pieces ? 12u : 11u);  // behind each of ten steps, and in the end with the last test
}

TEST(Resuming, FromEveryStepHasTheSameBits) {
  resume_from_every_step({});
}

TEST(Resuming, FromEveryStepOfAStreamHasTheSameBits) {
  resume_from_every_step({"--stream", "--shuffle-buffer", "130"});
}

TEST(FaultsOfSaving, AFullDiskLeavesTheOlderVersion) {
  const Saving saving(true);
  saving.prepare();
  const std::uint64_t size = fs::file_size(saving.path());
  std::size_t all = 0;
  for (std::uint64_t room = 0; room < 2 * size + 1000; room += 97) {
    const std::string fault = "write:" + std::to_string(room) + ":full";
    SCOPED_TRACE(fault);
    const test::UnderWay under_way([&] { return fault; });
    saving.prepare();
    const Faulty faulty = sluice_with_fault(fault, saving.folder(), saving.command());
    saving.expect_nothing_else();
    if (faulty.result.code == 0) break;
    ++all;
    EXPECT_EQ(faulty.result.code, 1);
    expect_one_line_that_names(saving.path() + ": cannot be written: No space left on device", faulty.result);
    saving.expect_that_it_goes_on();
  }
  EXPECT_GT(all, size / 97);
}

// The bytes before the name: a power cut at any moment leaves a file that is whole.
TEST(FaultsOfSaving, FileAndFolderAreBroughtToTheDiskInThisOrder) {
  const Saving saving(true);
  saving.prepare();
  const Faulty faulty = sluice_with_fault("any:0:EIO", saving.folder(), saving.command());
  ASSERT_EQ(faulty.result.code, 0) << faulty.result.err;
  std::vector<std::string> calls;
  for (const std::string& line : faulty.calls)
    if (const std::string call = call_of(line); !call.ends_with("stat") && call != "flock" && call != "fchmod")
      calls.push_back(line);
  const std::string file = saving.path(), part = file + ".sluice-0.part";
  const std::vector<std::string> save = {"open " + part,
                                         "write " + part,
                                         "fsync " + part,
                                         "rename " + file,
                                         "rename " + part,
                                         "close " + part,
                                         "open " + saving.folder(),
                                         "fsync " + saving.folder(),
                                         "close " + saving.folder()};
  ASSERT_GT(calls.size(), 2 * save.size());
  EXPECT_EQ(std::vector(calls.end() - static_cast<std::ptrdiff_t>(save.size()), calls.end()), save);
  EXPECT_EQ(std::vector(calls.end() - static_cast<std::ptrdiff_t>(2 * save.size()),
                        calls.end() - static_cast<std::ptrdiff_t>(save.size())),
            save);
}

void kill_at_every_call(const Saving& saving) {
  for (std::size_t n = 1; n < 1000; ++n) {
    const std::string fault = "any:" + std::to_string(n) + ":kill";
    SCOPED_TRACE(fault);
    const test::UnderWay under_way([&] { return fault; });
    saving.prepare();
    const Faulty faulty = sluice_with_fault(fault, saving.folder(), saving.command());
    if (faulty.fault.empty()) {
      EXPECT_EQ(faulty.result.code, 0) << faulty.result.err;
      ::testing::Test::RecordProperty("kills", std::to_string(n - 1));
      EXPECT_GT(n, 60u);
      return;
    }
    SCOPED_TRACE(faulty.fault);
    EXPECT_EQ(faulty.result.signal, SIGKILL);
    saving.expect_that_it_goes_on();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(FaultsOfSaving, AKillAtAnyCallOfAFirstRunLosesNothing) {
  kill_at_every_call(Saving(false));
}

TEST(FaultsOfSaving, AKillAtAnyCallAfterResumingLosesNothing) {
  kill_at_every_call(Saving(true));
}

// The ordinary program, killed again and again on its way. SLUICE_TEST_SEED=N repeats what was printed.
TEST(FaultsOfSaving, KillsAtRandomMomentsLoseNothing) {
  const char* const wanted = std::getenv("SLUICE_TEST_SEED");
  const std::uint64_t seed = wanted ? std::strtoull(wanted, nullptr, 10) : 1;
  const std::size_t kills = thorough() ? 1000 : 200;
  test::Random random(seed);
  const SmallData data;
  const Folder folder;
  const Arguments job = epochs(data, "3");  // of 5 steps
  const Arguments command =
      job + Arguments{"--checkpoint", folder.path("checkpoint"), "--checkpoint-every", "1", "--json"};
  const std::string sha = sha_of(sluice(job));
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(sluice(command).code, 0);
  std::chrono::nanoseconds whole = std::chrono::steady_clock::now() - begin;  // of a run, about

  std::size_t killed = 0, completed = 1, gone_on = 0, in_a_row = 0;
  while (killed < kills || in_a_row > 0) {
    if (in_a_row == 0)
      for (const std::string& name : names(folder)) fs::remove(folder.path(name));
    const std::chrono::nanoseconds after(random.below(static_cast<std::size_t>(whole.count())));
    const std::string at = "SLUICE_TEST_SEED=" + std::to_string(seed) + ", kill " + std::to_string(killed) + " after " +
                           std::to_string(after.count()) + " of " + std::to_string(whole.count()) + " ns";
    SCOPED_TRACE(at);
    const test::UnderWay under_way([&] { return at; });
    const bool last = in_a_row == 10 || killed == kills;
    const std::uint64_t newest = newest_step(folder.path("checkpoint"));
    const Result r = last ? sluice(command) : run_and_kill(Arguments{sluice_path()} + command, after);
    EXPECT_LE(folder.files(), 4u) << "one more with every kill";
    if (r.signal == SIGKILL) {
      ++killed, ++in_a_row;
      whole += whole / 20;
      continue;
    }
    ASSERT_EQ(r.code, 0) << r.err;
    const json object = parsed_json(r.out);
    ASSERT_EQ(object["weights_sha256"], sha);
    ASSERT_EQ(resumed_step(object), newest);
    gone_on += newest > 0;
    if (!last) whole -= whole / 10;
    ASSERT_EQ(names(folder), (std::set<std::string>{"checkpoint", "checkpoint.previous"}));
    ++completed, in_a_row = 0;
  }
  EXPECT_GT(gone_on, 10u);
  RecordProperty("completed", std::to_string(completed));
}

// ---- what is written ----

// Faults of the one file that a command writes into this folder.
void every_fault_leaves_the_older_file_or_the_new_one(const Folder& folder, const std::string& file,
                                                      const Arguments& command) {
  ASSERT_EQ(sluice(command).code, 0);
  const std::string newer = test::contents_of(folder.path(file));
  const std::size_t all = with_every_fault(
      folder.path(), command,
      [&] {
        for (const std::string& name : names(folder)) fs::remove(folder.path(name));
        folder.write(file, "older");
      },
      [&](const std::string& call, const std::string& error, const Faulty& faulty) {
        const Result& r = faulty.result;
        if (does_not_matter(call, error))
          EXPECT_EQ(r.code, 0) << r.err;
        else if (!call.ends_with("stat"))
          EXPECT_EQ(r.code, 1) << r.err;
        else
          EXPECT_TRUE(r.code == 0 || r.code == 1) << r.code << r.err;
        if (r.code != 0) expect_one_line_that_names(folder.path(), r);
        const std::string contents = test::contents_of(folder.path(file));
        const bool behind_the_rename = faulty.fault == call + " " + folder.path();
        EXPECT_EQ(contents == newer, r.code == 0 || behind_the_rename) << faulty.fault;
        EXPECT_TRUE(contents == newer || contents == "older");
        EXPECT_EQ(folder.files(), call == "unlink" ? folder.files() : 1u);
      });
  ::testing::Test::RecordProperty("faults", std::to_string(all));
  EXPECT_GT(all, 30u);
}

TEST(FaultsOfOutput, LeaveTheOlderModelOrTheNewOne) {
  const SmallData data;
  const Folder folder;
  every_fault_leaves_the_older_file_or_the_new_one(folder, "model",
                                                   one_epoch(data) + Arguments{"--output", folder.path("model")});
}

TEST(FaultsOfOutput, AFolderThatMayNotBeWrittenIsWrongUse) {
  const SmallData data;
  const Folder folder;
  const Faulty faulty =
      sluice_with_fault("open:1:EACCES", folder.path(), data.train() + Arguments{"--output", folder.path("model")});
  EXPECT_EQ(faulty.result.code, 2);
  expect_one_line_that_names("--output " + folder.path("model") + ": cannot be written: Permission denied",
                             faulty.result);
}

// ---- a stored model, and what it says of images ----

struct StoredModel {
  StoredModel() { EXPECT_EQ(sluice(one_epoch(data) + Arguments{"--output", path}).code, 0); }
  Arguments eval() const { return {"eval", "--json", "--model", path, "--data", data.folder().path()}; }
  Arguments predict(const std::string& gallery) const {
    return Arguments{"predict", "--model", path, "--images", data.path("t10k-images-idx3-ubyte.gz")} +
           Arguments{"--labels", data.path("t10k-labels-idx1-ubyte.gz"), "--gallery", gallery};
  }
  const SmallData data;
  const std::string path = data.path("model");
};

class FaultsOfAStoredModel : public ::testing::TestWithParam<const char*> {
 protected:
  Arguments command() const {
    return GetParam() == std::string("eval") ? model.eval() : model.predict(folder.path("g.png"));
  }
  const StoredModel model;
  const std::string inputs = model.data.folder().path();
  const Folder folder;  // of the picture
};
INSTANTIATE_TEST_SUITE_P(Commands, FaultsOfAStoredModel, ::testing::Values("eval", "predict"),
                         [](const auto& command) { return std::string(command.param); });

TEST_P(FaultsOfAStoredModel, EndWithTheNameOfTheFileOrDoNotMatter) {
  const std::string whole = sluice(command()).out;
  const std::size_t all = with_every_fault(
      inputs, command(), [] {},
      [&](const std::string& call, const std::string& error, const Faulty& faulty) {
        const Result& r = faulty.result;
        // A file that cannot be read in pieces is left to the decoder that judges.
        if (does_not_matter(call, error))
          EXPECT_EQ(r.code, 0) << r.err;
        else
          EXPECT_TRUE(r.code == 0 || r.code == 3) << r.code << r.err;
        if (r.code == 0) {
          EXPECT_EQ(r.out, whole);
        } else {
          EXPECT_TRUE(whole.starts_with(r.out)) << r.out;
          expect_one_line_that_names(inputs, r);
        }
      });
  RecordProperty("faults", std::to_string(all));
  EXPECT_GT(all, 20u);
}

TEST_P(FaultsOfAStoredModel, ThatStayEndWithTheNameOfTheFile) {
  faults_that_stay_end_with_the_name_of_the_file(inputs, command(), 20);
}

TEST(FaultsOfOutput, LeaveTheOlderGalleryOrTheNewOne) {
  const StoredModel model;
  const Folder folder;
  every_fault_leaves_the_older_file_or_the_new_one(folder, "g.svg", model.predict(folder.path("g.svg")));
}

// ---- whatever a command writes ----

// The files that it makes in this folder, of which there is none before.
class Written : public ::testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> files() const {
    if (is("synth"))
      return {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
              "t10k-labels-idx1-ubyte.gz"};
    if (is("predict")) return {"g.png"};
    return {"model", "trace", "report", "picture", "checkpoint"};
  }
  Arguments command() const {
    if (is("synth")) return {"synth", folder.path(), "--train", "50", "--test", "10"};
    if (is("predict")) return model.predict(folder.path("g.png"));
    Arguments all = one_epoch(model.data) + Arguments{"--output", folder.path("model")};
    for (const std::string what : {"trace", "report", "picture", "checkpoint"})
      all = all + Arguments{"--" + what, folder.path(what)};
    return all;
  }
  void empty_folder() const {
    for (const std::string& name : names(folder)) fs::remove(folder.path(name));
  }
  const StoredModel model;
  const Folder folder;
  bool is(const std::string& name) const { return GetParam() == name; }
};
INSTANTIATE_TEST_SUITE_P(Commands, Written, ::testing::Values("train", "predict", "synth"),
                         [](const auto& command) { return std::string(command.param); });

// As a checkpoint: a power cut at any moment leaves nothing or a file that is whole.
TEST_P(Written, FilesReachTheDiskBeforeTheyHaveTheirNamesAndTheirFolderAfter) {
  const Faulty faulty = sluice_with_fault("any:0:EIO", folder.path(), command());
  ASSERT_EQ(faulty.result.code, 0) << faulty.result.err;
  for (const std::string& name : files()) {
    SCOPED_TRACE(name);
    const std::string part = folder.path(name) + ".sluice-0.part";
    const auto& calls = faulty.calls;
    const auto renamed = std::find(calls.begin(), calls.end(), "rename " + part);
    ASSERT_NE(renamed, calls.end());
    const auto opened = std::find(std::make_reverse_iterator(renamed), calls.rend(), "open " + part).base();
    const auto synced = std::find(opened, renamed, "fsync " + part);
    ASSERT_NE(synced, renamed);
    EXPECT_NE(std::find(opened, synced, "write " + part), synced);
    EXPECT_EQ(std::find(synced, renamed, "write " + part), renamed);
    const auto next =
        std::find_if(renamed + 1, calls.end(), [](const auto& call) { return call_of(call) == "rename"; });
    EXPECT_NE(std::find(renamed, next, "fsync " + folder.path()), next);
  }
  EXPECT_EQ(folder.files(), files().size());
}

// From the first one on: no file is made before signals are taken.
TEST_P(Written, ASignalAtAnyCallLeavesNoPartOfAFileBehind) {
  std::size_t interrupted = 0;
  for (std::size_t n = 1; n < 1000; n += thorough() || n < 20 ? 1u : 3u) {
    const std::string fault = "any:" + std::to_string(n) + (n % 2 ? ":SIGINT" : ":SIGTERM");
    SCOPED_TRACE(fault);
    const test::UnderWay under_way([&] { return fault; });
    empty_folder();
    const Faulty faulty = sluice_with_fault(fault, folder.path(), command());
    const Result& r = faulty.result;
    EXPECT_EQ(r.signal, 0) << "before it was taken";
    EXPECT_TRUE(r.code == 0 || r.code == (n % 2 ? 128 + SIGINT : 128 + SIGTERM)) << r.code << r.err;
    for (const std::string& name : names(folder)) EXPECT_FALSE(contains(name, ".part")) << name;
    // The model is there when the job is complete: a signal that comes later takes nothing of it away.
    if (is("train") && fs::exists(folder.path("model"))) {
      EXPECT_EQ(r.code, 0) << r.err;
      EXPECT_NE(r.out, "");
    }
    if (faulty.fault.empty()) break;
    interrupted += r.code != 0;
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(interrupted, 0u);
}

// ---- memory ----

// The numbers of allocations to refuse: the first and the last at each place that takes memory, or some of them.
std::vector<std::uint64_t> allocations(const std::string& path, const Arguments& arguments, std::size_t every) {
  const Faulty listed = sluice_with_fault("new:0:places", path, arguments);
  EXPECT_EQ(listed.result.code, 0) << listed.result.err;
  std::set<std::uint64_t> all;
  std::uint64_t last = 0;
  for (const std::string& line : listed.calls)
    if (call_of(line) == "new") {
      char* end = nullptr;
      all.insert(std::strtoull(line.c_str() + 4, &end, 10));
      last = std::max<std::uint64_t>(last, std::strtoull(end, nullptr, 10));
    }
  EXPECT_GT(all.size(), 100u);
  if (test::sanitized) every *= 4;  // each run takes ten times as long
  std::vector<std::uint64_t> chosen;
  if (thorough())
    for (std::uint64_t n = 1; n <= last; ++n) chosen.push_back(n);
  else
    for (const std::uint64_t n : all)
      if (n % every == 0) chosen.push_back(n);
  return chosen;
}

// Each of them refused, alone and with all that follow. check_whole: of a run that came to its end nevertheless.
void without_memory(
    const std::string& path, const Arguments& arguments, std::size_t every, const std::function<void()>& prepare,
    const std::function<void(const Result&)>& check_whole, const std::function<void()>& check,
    const std::function<std::string(std::string)>& words = [](const std::string& err) { return err; }) {
  prepare();
  std::size_t all = 0, said = 0;
  for (const std::uint64_t n : allocations(path, arguments, every))
    for (const char* how : {"bad_alloc", "bad_alloc+"}) {
      const std::string fault = "new:" + std::to_string(n) + ":" + how;
      SCOPED_TRACE(fault);
      const test::UnderWay under_way([&] { return fault; });
      prepare();
      const Faulty faulty = sluice_with_fault(fault, path, arguments);
      const Result& r = faulty.result;
      ASSERT_EQ(r.signal, 0) << r.err;
      ++all;
      if (r.code == 0) {  // it went another way, or there was no such allocation this time
        check_whole(r);
      } else {
        ++said;
        EXPECT_EQ(r.code, 1);
        EXPECT_EQ(lines(words(r.err)).size(), 1u) << r.err;
        EXPECT_TRUE(words(r.err).starts_with("sluice: out of memory")) << r.err;
      }
      check();
      if (::testing::Test::HasFailure()) return;
    }
  ::testing::Test::RecordProperty("refused", std::to_string(all));
  EXPECT_GT(said, all / 2);
}

std::function<void(const Result&)> has_sha(const std::string& sha) {
  return [sha](const Result& r) { EXPECT_EQ(sha_of(r), sha); };
}
void no_part_of_a_file_in(const Folder& folder) {
  for (const std::string& name : names(folder)) EXPECT_FALSE(contains(name, ".part")) << name;
}

TEST_P(FaultsOfLoading, WithoutMemoryItSaysSo) {
  without_memory(
      data.folder().path(), train(), 10, [] {}, has_sha(sha_of(sluice(train()))), [] {});
}

TEST_P(FaultsOfAStoredModel, WithoutMemoryItSaysSo) {
  const std::string out = sluice(command()).out;
  without_memory(
      inputs, command(), 10, [] {}, [&](const Result& r) { EXPECT_EQ(r.out, out); },
      [&] { no_part_of_a_file_in(folder); });
}

// Also while what was done is looked back at.
TEST(FaultsOfOutput, WithoutMemoryItSaysSo) {
  const SmallData data;
  const Folder folder;
  const Arguments train =
      one_epoch(data) + Arguments{"--profile", "--output",       folder.path("m"), "--trace",       folder.path("t"),
                                  "--report",  folder.path("r"), "--picture",      folder.path("p")};
  without_memory(
      folder.path(), train, 30, [] {}, has_sha(sha_of(sluice(one_epoch(data)))), [&] { no_part_of_a_file_in(folder); },
      [](const std::string& err) {
        return err.substr(err.rfind("sluice: ") == std::string::npos ? 0 : err.rfind("sluice: "));
      });
}

TEST(FaultsOfSaving, WithoutMemoryItSaysSoAndLosesNothing) {
  const Saving saving(true);
  without_memory(
      saving.folder(), saving.command(), 7, [&] { saving.prepare(); }, has_sha(saving.sha),
      [&] {
        saving.expect_nothing_else();
        saving.expect_that_it_goes_on();
      });
}

}  // namespace
}  // namespace sluice::apps::testing
