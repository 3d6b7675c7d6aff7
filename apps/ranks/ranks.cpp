#include "apps/ranks/ranks.hpp"

#include <dlfcn.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <set>
#include <span>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "apps/job/usage_error.hpp"
#include "apps/ranks/engine.hpp"
#include "apps/terminal/log.hpp"

namespace sluice::apps {
namespace {

constexpr int exit_failed = 1, exit_different = 3;
constexpr int order_of_messages = 4;  // another one where agreements are others

// Beside the program, as it is built, and where it is installed.
std::vector<std::filesystem::path> folders() {
  std::error_code none;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  return {here, here / SLUICE_MODULES_FROM_PROGRAM};
}

std::string find_module(const std::string& name) {
  std::error_code none;
  for (const std::filesystem::path& folder : folders())
    if (const auto path = folder / ("sluice_" + name + ".so"); std::filesystem::is_regular_file(path, none))
      return path.string();
  return "";
}

// Of the launcher's library first; where any can be started, whichever there is.
std::vector<std::string> wanted_modules(const Launch& launch) {
  switch (launch.by) {
    case Launch::By::hydra:
      return {"mpich"};
    case Launch::By::slurm:
      if (launch.wireup == Launch::Wireup::pmi2) return {"mpich"};
      return {"openmpi", "mpich"};
    default:
      return {"openmpi"};
  }
}

std::string module_of(const Launch& launch) {
  if (const char* const named = std::getenv("SLUICE_MPI_MODULE"); named && *named) return named;
  for (const std::string& name : wanted_modules(launch))
    if (std::string path = find_module(name); !path.empty()) return path;
  throw UsageError(
      fmt::format("{} started {} processes, and this sluice has no module sluice_{}.so to be one of several: build it "
                  "with -DSLUICE_MPI=ON, where the library is installed; or start one process, with --threads",
                  launch.command(), launch.ranks, wanted_modules(launch).front()));
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "?";
  return name.data();
}

// MPI may wait for a rank that is not there any more.
void end_soon(int code) {
  std::thread([code] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    ::_exit(code);
  }).detach();
}

// Ends the process unless something is over in time, which cannot be told to end.
class InTime {
 public:
  template <class F>
  InTime(std::chrono::seconds time, F say_so, int code = exit_failed)
      : thread_([this, time, say_so, code] {
          std::unique_lock lock(mutex_);
          if (changed_.wait_for(lock, time, [this] { return over_; })) return;
          say_so();
          ::_exit(code);
        }) {}
  ~InTime() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  InTime(const InTime&) = delete;
  InTime& operator=(const InTime&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Ranks> Ranks::start(const Launch& launch, std::chrono::seconds time, Tell tell) {
  if (launch.wireup == Launch::Wireup::none)
    throw UsageError(
        fmt::format("srun started {} processes that cannot find one another: srun --mpi=pmix, or --mpi=pmi2, lets them "
                    "(srun --mpi=list says what there is)",
                    launch.ranks));
  const std::string path = module_of(launch);
  // Its library's own modules look for its names among those of the whole program.
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!module) throw UsageError(fmt::format("the module of MPI cannot be loaded: {}", ::dlerror()));
  void* const found = ::dlsym(module, make_engine_name);
  if (!found) throw UsageError(fmt::format("{}: is no module of sluice: it has no {}", path, make_engine_name));
  auto* const make = reinterpret_cast<MakeEngine*>(found);
  if (const auto* const version = static_cast<const char* const*>(::dlsym(module, engine_version_name));
      !version || std::string_view(*version) != SLUICE_VERSION)
    throw UsageError(fmt::format("{}: is of sluice {}, this is {}: build both from the same source", path,
                                 version ? *version : "of another time", SLUICE_VERSION));
  static std::atomic<Ranks*> started{nullptr};
  std::unique_ptr<Ranks> ranks;
  {
    const InTime in_time(time, [&] {
      say(tell(
          fmt::format("rank {} on {}: MPI did not start within {} s: another process of the job did not, or is out "
                      "of reach",
                      launch.rank, host_name(), time.count()),
          exit_failed));
    });
    Engine* const engine = make({.failed = [rank = launch.rank, tell](const std::string& what, int late) {
      Ranks* const all = started;
      if (!all) {
        say(tell(fmt::format("rank {} on {}: {}", rank, host_name(), what), exit_failed));
        ::_exit(exit_failed);
      }
      all->fail(late < 0
                    ? what
                    : fmt::format("{} did not come to {} within {} s: it has ended, has stopped, or is out of reach",
                                  all->name(static_cast<std::size_t>(late)), what, all->waits_now().count()),
                exit_failed);
    }});
    ranks.reset(new Ranks(launch, *engine, time, tell));
  }
  started = ranks.get();
  if (ranks->rank() != launch.rank || ranks->ranks() != launch.ranks)
    ranks->fail(fmt::format("{} says that this is rank {} of {}, its library {} of {}: is it that launcher's?",
                            launch.command(), launch.rank, launch.ranks, ranks->rank(), ranks->ranks()),
                exit_failed);
  // Others may come to other agreements than this one: of another version, or of the same in the making.
  const std::string mine = fmt::format("{} of messages {}", SLUICE_VERSION, order_of_messages);
  const std::vector<std::string> told = ranks->all(host_name() + "\n" + mine, "the start");
  for (std::size_t r = 0; r < told.size(); ++r) ranks->hosts_[r] = told[r].substr(0, told[r].find('\n'));
  for (std::size_t r = 0; r < told.size(); ++r)
    if (const std::string its = told[r].substr(told[r].find('\n') + 1); its != mine) {
      if (ranks->first())
        say(tell(fmt::format("{}: sluice is {}, but {} on {}: all have to be the same", ranks->name(r), its, mine,
                             ranks->name(0)),
                 exit_different));
      ranks->end(exit_different);
      ::_exit(exit_different);
    }
  return ranks;
}

Ranks::Ranks(const Launch& launch, Engine& engine, std::chrono::seconds time, Tell tell)
    : launch_(launch),
      engine_(engine),
      peers_(engine, host_name()),
      rank_(engine.rank()),
      hosts_(engine.ranks(), host_name()),
      time_(time),
      tell_(std::move(tell)) {
  engine_.wait_at_most(time_);
}

Ranks::~Ranks() = default;

std::size_t Ranks::host_count() const {
  return std::set<std::string>(hosts_.begin(), hosts_.end()).size();
}
std::size_t Ranks::local_rank() const {
  return engine_.local_rank();
}
std::size_t Ranks::local_ranks() const {
  return engine_.local_ranks();
}
std::string Ranks::library() const {
  return engine_.library();
}
stages::Peers& Ranks::peers() {
  return peers_;
}
std::size_t Ranks::local_first() const {
  return engine_.local_first();
}

void Ranks::be_patient(unsigned patience) {
  patience_ = usual_patience_ = patience;
  engine_.wait_at_most(waits_now());
}

std::vector<std::string> Ranks::all(const std::string& mine, const char* what, unsigned patience) {
  const std::size_t n = ranks();
  patience_ = patience * usual_patience_;
  engine_.wait_at_most(waits_now());
  const std::uint64_t size = mine.size();
  std::vector<std::uint64_t> sizes(n, 0);
  std::vector<stages::Outgoing> to(n, {&size, sizeof size});
  std::vector<stages::Incoming> from(n);
  for (std::size_t r = 0; r < n; ++r) from[r] = {&sizes[r], sizeof size};
  engine_.swap(to, from, what);
  std::vector<std::string> texts(n);
  for (std::size_t r = 0; r < n; ++r) {
    to[r] = {mine.data(), mine.size()};
    if (r == rank_) continue;
    texts[r].resize(static_cast<std::size_t>(sizes[r]));
    from[r] = {texts[r].data(), texts[r].size()};
  }
  texts[rank_] = mine;
  engine_.swap(to, from, what);
  patience_ = usual_patience_;
  engine_.wait_at_most(waits_now());
  return texts;
}

std::vector<std::string> Ranks::to_first(const std::string& mine, const char* what) {
  const std::size_t n = ranks();
  const std::uint64_t size = mine.size();
  std::vector<std::uint64_t> sizes(n, 0);
  std::vector<stages::Outgoing> to(n);
  std::vector<stages::Incoming> from(n);
  std::vector<std::string> texts(first() ? n : 0);
  if (!first()) {
    to[0] = {&size, sizeof size};
    engine_.swap(to, from, what);
    to[0] = {mine.data(), mine.size()};
    engine_.swap(to, from, what);
    return texts;
  }
  for (std::size_t r = 1; r < n; ++r) from[r] = {&sizes[r], sizeof size};
  engine_.swap(to, from, what);
  texts[0] = mine;
  for (std::size_t r = 1; r < n; ++r) {
    texts[r].resize(static_cast<std::size_t>(sizes[r]));
    from[r] = {texts[r].data(), texts[r].size()};
  }
  engine_.swap(to, from, what);
  return texts;
}

Agreement Ranks::agree(const Standing& mine, Then then) {
  constexpr unsigned patience = 10;
  using nlohmann::ordered_json;
  const ordered_json told = {
      {"facts", mine.facts}, {"error", mine.error}, {"code", mine.code}, {"signal", mine.signal}, {"note", mine.note}};
  const std::vector<std::string> texts =
      all(told.dump(-1, ' ', false, ordered_json::error_handler_t::replace), "the beginning", patience);
  agreed_ = then == Then::begin;
  std::vector<ordered_json> standings;
  for (const std::string& text : texts) standings.push_back(ordered_json::parse(text));
  Agreement result;
  const auto error = [&](std::size_t r) { return standings[r]["error"].get<std::string>(); };
  for (std::size_t r = 0; r < ranks(); ++r) {
    result.signal = std::max(result.signal, standings[r]["signal"].get<int>());
    result.notes.push_back(standings[r]["note"].get<std::string>());
    if (error(r).empty() || !result.text.empty()) continue;
    bool of_all = true;
    for (std::size_t other = 0; other < ranks(); ++other) of_all = of_all && error(other) == error(r);
    result.text = of_all ? error(r) : fmt::format("{}: {}", name(r), error(r));
    result.code = standings[r]["code"].get<int>();
    result.says_it = r == rank_;
  }
  if (!result.text.empty() || result.signal) return result;
  const ordered_json& first = standings[0]["facts"];
  for (std::size_t r = 1; r < ranks(); ++r) {
    const ordered_json& its = standings[r]["facts"];
    for (const auto& [what, value] : first.items()) {
      const auto found = its.find(what);
      if (found != its.end() && *found == value) continue;
      const auto text = [](const ordered_json& one) { return one.is_string() ? one.get<std::string>() : one.dump(); };
      result.text = fmt::format("{}: {} is {}, but {} on {}: all have to be the same", name(r), what,
                                found == its.end() ? "not there" : text(*found), text(value), name(0));
      result.code = exit_different;
      result.says_it = this->first();
      return result;
    }
  }
  return result;
}

std::string Ranks::name(std::size_t rank) const {
  return fmt::format("rank {} on {}", rank, hosts_[rank]);
}

void Ranks::fail(const std::string& text, int code) {
  say(tell_(fmt::format("{}: {}", name(rank_), text), code));
  // A launcher may end everything before it has read what was written last.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  abort(code);
}

void Ranks::abort(int code) {
  // A second error on the way here is the first one's.
  static std::atomic_flag ends = ATOMIC_FLAG_INIT;
  if (ends.test_and_set())
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  end_soon(code);
  engine_.abort(code);
  ::_exit(code);
}

void Ranks::end(int code) {
  if (std::exchange(ended_, true)) return;
  // The first may have something to write that the others have not.
  all("", "the end", 10);
  const InTime in_time(
      time_,
      [this] {
        say(tell_(fmt::format("{}: MPI did not end within {} s: the result is there", name(rank_), time_.count()),
                  exit_failed));
      },
      code);
  engine_.end();
}

std::string modules_in_words() {
  std::string all;
  for (const char* name : {"openmpi", "mpich"})
    if (!find_module(name).empty()) all += (all.empty() ? "" : ", ") + std::string(name);
  return all.empty() ? "none" : all;
}

}  // namespace sluice::apps
