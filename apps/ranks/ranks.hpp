// The processes of a job, for a program that is one of them: who they are, what each has to say, how all of them end.
//
// start() loads the module of the launcher's library (sluice_openmpi.so, sluice_mpich.so, beside the program or in
// ../lib/sluice; SLUICE_MPI_MODULE names another), in which MPI is started. Before it, block the signals that are to be
// awaited: the library has threads of its own.
// Order and thread-safety: one call at a time; fail() from any thread, at any time. Errors: UsageError of start(),
// where there is no module. A rank that does not come in time ends this process: fail().
//
//   const auto ranks = Ranks::start(launch);
//   const std::vector<std::string> all = ranks->all("what I have", "what they have");   // of each rank, on each
//   ...
//   ranks->end();
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/stages/peers.hpp>
#include "apps/ranks/launch.hpp"
#include "apps/ranks/sharing.hpp"

namespace sluice::apps {

class Engine;

// Where a rank is when it is about to begin.
struct Standing {
  nlohmann::ordered_json facts{};  // a flat object: what has to be the same on all
  std::string error{};             // why it cannot begin; empty: it can
  int code = 0;                    // what the program would return then
  int signal = 0;                  // that it was sent; 0: none
  std::string note{};              // for the others
};

// What comes of it, on every rank the same.
struct Agreement {
  std::string text{};                // why none begins; empty: all do
  int code = 0;                      // then
  bool says_it = false;              // this rank, for all
  int signal = 0;                    // of any
  std::vector<std::string> notes{};  // of each
};

// None begins.
struct Disagreement : std::runtime_error {
  explicit Disagreement(const Agreement& all) : std::runtime_error(all.text), agreement(all) {}
  Agreement agreement;
};

class Ranks {
 public:
  // How an error is told: text and exit code -> what is written to stderr.
  using Tell = std::function<std::string(const std::string&, int)>;
  static std::unique_ptr<Ranks> start(const Launch& launch, std::chrono::seconds wait_at_most, Tell tell);
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  ~Ranks();

  const Launch& launch() const { return launch_; }
  // From now on others are waited for as many times as long.
  void be_patient(unsigned patience);
  std::size_t rank() const { return rank_; }
  std::size_t ranks() const { return hosts_.size(); }
  bool first() const { return rank_ == 0; }
  const std::vector<std::string>& hosts() const { return hosts_; }  // of each rank
  std::size_t host_count() const;                                   // different ones
  std::size_t local_rank() const;
  std::size_t local_ranks() const;
  std::string library() const;
  stages::Peers& peers();

  // What each has to say, on each. what: is named where one does not come in time, which is `patience` times as long as
  // usual.
  std::vector<std::string> all(const std::string& mine, const char* what, unsigned patience = 1);
  // What each has to say, on the first; on the others nothing.
  std::vector<std::string> to_first(const std::string& mine, const char* what);
  std::size_t local_first() const;  // of this host's, the first: its rank
  // Before there is anything to lose, as often as there is something to agree on; the last time, all begin. A rank that
  // cannot go on says so where the next agreement is. Those that have less to load wait.
  enum class Then { begin, more };
  Agreement agree(const Standing& mine, Then then = Then::begin);
  bool agreed() const { return agreed_; }

  std::string name(std::size_t rank) const;  // "rank 1 on host"
  // Says it, with this rank's name, and ends all processes; within two seconds at most this one.
  [[noreturn]] void fail(const std::string& text, int code);
  // Without a word: somebody else has said it.
  [[noreturn]] void abort(int code);
  // All of them: behind it nothing may be called. code: what the process returns should MPI not end.
  void end(int code = 0);

 private:
  Ranks(const Launch& launch, Engine& engine, std::chrono::seconds time, Tell tell);
  std::chrono::seconds waits_now() const { return time_ * patience_.load(); }
  const Launch launch_;
  Engine& engine_;
  Sharing peers_;
  std::size_t rank_ = 0;
  std::vector<std::string> hosts_;
  const std::chrono::seconds time_;
  const Tell tell_;
  std::atomic<unsigned> patience_{1};
  unsigned usual_patience_ = 1;
  bool agreed_ = false, ended_ = false;
};

// Modules that are where they would be looked for, as --version says: "openmpi, mpich", or "none".
std::string modules_in_words();

}  // namespace sluice::apps
