// The module: an engine by MPI. Compiled once for each library that is there; nothing else of the program knows it.
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "apps/ranks/engine.hpp"

namespace sluice::apps {
namespace {

using Clock = std::chrono::steady_clock;

class MpiEngine final : public Engine {
 public:
  explicit MpiEngine(const EngineStart& start) : start_(start) {
    int granted = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &granted), "MPI_Init_thread");
    if (granted < MPI_THREAD_SERIALIZED)
      start_.failed("this library of MPI lets only one thread call it, expected any, one at a time", -1);
    // What is of no communicator, as waiting is, belongs to one of these two.
    for (const MPI_Comm one : {MPI_COMM_WORLD, MPI_COMM_SELF})
      check(MPI_Comm_set_errhandler(one, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_dup(MPI_COMM_WORLD, &all_), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(all_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    rank_ = number(MPI_Comm_rank, all_), ranks_ = number(MPI_Comm_size, all_);
    check(MPI_Comm_split_type(all_, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local_), "MPI_Comm_split_type");
    local_rank_ = number(MPI_Comm_rank, local_), local_ranks_ = number(MPI_Comm_size, local_);
    int first = static_cast<int>(rank_);
    check(MPI_Bcast(&first, 1, MPI_INT, 0, local_), "MPI_Bcast");
    local_first_ = static_cast<std::size_t>(first);
    crowded_ = local_ranks_ > processors_online();
  }

  std::size_t rank() const override { return rank_; }
  std::size_t ranks() const override { return ranks_; }
  std::size_t local_rank() const override { return local_rank_; }
  std::size_t local_ranks() const override { return local_ranks_; }
  std::size_t local_first() const override { return local_first_; }
  void wait_at_most(std::chrono::nanoseconds time) override { time_ = time; }

  std::string library() const override {
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int size = 0;
    MPI_Get_library_version(text.data(), &size);
    std::string name(text.data());
    // One says all on one line, the other begins a line for its version.
    std::replace(name.begin(), name.end(), '\t', ' ');
    name.resize(std::min(name.find('\n'), name.size()));
    name.resize(std::min(name.find(','), name.size()));
    return name;
  }

  // From each to each: so that it is known who does not come, which no collective call tells.
  void swap(std::span<const stages::Outgoing> to, std::span<const stages::Incoming> from, const char* what) override {
    open_.clear();
    of_.clear();
    expected_.clear();
    for (std::size_t i = 1; i < ranks_; ++i) {
      const std::size_t r = (rank_ + ranks_ - i) % ranks_;
      each_part(from[r].bytes, [&](std::size_t at, int bytes) {
        check(MPI_Irecv(static_cast<std::byte*>(from[r].data) + at, bytes, MPI_BYTE, static_cast<int>(r), 0, all_,
                        open(r, bytes)),
              "MPI_Irecv");
      });
    }
    for (std::size_t i = 1; i < ranks_; ++i) {
      const std::size_t r = (rank_ + i) % ranks_;
      each_part(to[r].bytes, [&](std::size_t at, int bytes) {
        check(MPI_Isend(static_cast<const std::byte*>(to[r].data) + at, bytes, MPI_BYTE, static_cast<int>(r), 0, all_,
                        open(r)),
              "MPI_Isend");
      });
    }
    statuses_.resize(open_.size());
    wait(what);
  }

  void end() override {
    MPI_Comm_free(&local_);
    MPI_Comm_free(&all_);
    MPI_Finalize();
  }

  void abort(int code) override { MPI_Abort(MPI_COMM_WORLD, code); }

 private:
  static constexpr std::size_t most_of_a_message = std::size_t{1} << 30;

  void check(int result, const char* call) const {
    if (result == MPI_SUCCESS) return;
    std::array<char, MPI_MAX_ERROR_STRING> text{};
    int size = 0;
    MPI_Error_string(result, text.data(), &size);
    start_.failed(std::string(call) + ": " + text.data(), -1);
  }
  template <class F>
  std::size_t number(F ask, MPI_Comm of) const {
    int n = 0;
    check(ask(of, &n), "MPI_Comm_rank");
    return static_cast<std::size_t>(n);
  }
  template <class F>
  static void each_part(std::size_t bytes, F f) {
    for (std::size_t at = 0; at < bytes; at += most_of_a_message)
      f(at, static_cast<int>(std::min(most_of_a_message, bytes - at)));
  }
  static std::size_t processors_online() {
    return static_cast<std::size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  }
  // bytes: that have to come, or nothing.
  MPI_Request* open(std::size_t rank, int bytes = -1) {
    of_.push_back(rank);
    expected_.push_back(bytes);
    return &open_.emplace_back(MPI_REQUEST_NULL);
  }

  // By asking again and again, since a library that waits by itself cannot be stopped. Where there are more ranks than
  // processors, the one that is waited for may need this one: it is offered to others from the beginning, and
  // otherwise, since other programs may want it, too, after some 50 microseconds.
  void wait(const char* what) {
    constexpr int between_looks = 256;
    const int at_once = crowded_ ? 16 : 500;
    Clock::time_point begin{};
    for (int asked = 0;; ++asked) {
      int done = 0;
      const int result = MPI_Testall(static_cast<int>(open_.size()), open_.data(), &done, statuses_.data());
      if (result == MPI_ERR_IN_STATUS) refused();
      check(result, "MPI_Testall");
      if (done) return check_sizes(what);
      if (asked < at_once) continue;
      ::sched_yield();
      if (asked % between_looks != 0 || time_ == time_.zero()) continue;
      const auto now = Clock::now();
      if (begin == Clock::time_point{}) begin = now;
      if (now - begin > time_) late(what);
    }
  }

  // Another one may be at another place of the same program, or of another.
  void check_sizes(const char* what) const {
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      int bytes = 0;
      if (expected_[i] < 0) continue;
      check(MPI_Get_count(&statuses_[i], MPI_BYTE, &bytes), "MPI_Get_count");
      if (bytes != expected_[i])
        start_.failed("rank " + std::to_string(of_[i]) + " sent " + std::to_string(bytes) + " bytes as " + what +
                          ", expected " + std::to_string(expected_[i]),
                      -1);
    }
  }
  void refused() const {
    for (std::size_t i = 0; i < statuses_.size(); ++i) {
      const int error = statuses_[i].MPI_ERROR;
      if (error == MPI_SUCCESS || error == MPI_ERR_PENDING) continue;
      std::array<char, MPI_MAX_ERROR_STRING> text{};
      int size = 0;
      MPI_Error_string(error, text.data(), &size);
      start_.failed("a message of or to rank " + std::to_string(of_[i]) + ": " + text.data(), -1);
    }
  }

  void late(const char* what) {
    for (std::size_t i = 0; i < open_.size(); ++i) {
      int done = 1;
      if (open_[i] != MPI_REQUEST_NULL) check(MPI_Test(&open_[i], &done, MPI_STATUS_IGNORE), "MPI_Test");
      if (!done) start_.failed(what, static_cast<int>(of_[i]));
    }
    start_.failed(what, -1);
  }

  const EngineStart start_;
  MPI_Comm all_ = MPI_COMM_NULL, local_ = MPI_COMM_NULL;
  std::size_t rank_ = 0, ranks_ = 1, local_rank_ = 0, local_ranks_ = 1, local_first_ = 0;
  bool crowded_ = false;
  std::chrono::nanoseconds time_{};
  std::vector<MPI_Request> open_;
  std::vector<std::size_t> of_;  // whose request it is
  std::vector<int> expected_;    // bytes of each, -1: of what is sent
  std::vector<MPI_Status> statuses_;
};

}  // namespace
}  // namespace sluice::apps

extern "C" {
extern const char* const sluice_engine_version;
const char* const sluice_engine_version = SLUICE_VERSION;
}

extern "C" sluice::apps::Engine* sluice_engine(const sluice::apps::EngineStart& start) {
  static sluice::apps::MpiEngine* const engine = new sluice::apps::MpiEngine(start);  // lasts as long as the process
  return engine;
}
