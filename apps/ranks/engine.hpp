// What a module that is loaded has to be: the messages between the processes of a job, by one library of MPI.
//
// A module is a shared object with one function, `sluice_engine`, which starts the library and gives the only engine
// that there is. The program knows no library, and loads one only where a launcher started several processes
// (apps/ranks/ranks.hpp).
// Order and thread-safety: one call at a time, from any thread. Errors: whatever the library says is told to
// EngineStart::failed, which does not return; so is a rank that does not come in time.
//
//   extern "C" sluice::apps::Engine* sluice_engine(const sluice::apps::EngineStart& start);
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include <sluice/stages/peers.hpp>

namespace sluice::apps {

struct EngineStart {
  // Is told what went wrong, with the rank that was waited for, if one was (otherwise -1); it does not return.
  std::function<void(const std::string& what, int rank)> failed{};
};

class Engine : public stages::Peers {
 public:
  virtual std::string library() const = 0;  // name and version
  // Of the ranks on this host: this one's number among them, how many they are, and which of all is the first.
  virtual std::size_t local_rank() const = 0;
  virtual std::size_t local_ranks() const = 0;
  virtual std::size_t local_first() const = 0;
  // How long swap() waits for the others. 0: for ever.
  virtual void wait_at_most(std::chrono::nanoseconds time) = 0;
  virtual void end() = 0;            // all ranks; nothing may be called behind it
  virtual void abort(int code) = 0;  // this rank, for all: ends every process of the job; may return, or not
};

using MakeEngine = Engine*(const EngineStart&);
inline constexpr const char* make_engine_name = "sluice_engine";
// A `const char*`: that of the program that it was built with, since what is above may change from one to the next.
inline constexpr const char* engine_version_name = "sluice_engine_version";

}  // namespace sluice::apps
