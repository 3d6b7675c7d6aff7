// Ranks that are threads of one process: what stands for an engine in tests.
//
//   ThreadRanks ranks(3);          // none sees another's memory; ThreadRanks(3, 2): ranks 0 and 1 do, as of one host
//   ranks.run([&](stages::Peers& peers) { ... });   // once for each rank, at the same time; throws what one threw
#pragma once

#include <barrier>
#include <cstddef>
#include <cstring>
#include <exception>
#include <functional>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sluice/stages/aligned_buffer.hpp>
#include <sluice/stages/peers.hpp>

namespace sluice::testing {

class ThreadRanks {
 public:
  explicit ThreadRanks(std::size_t ranks, std::size_t ranks_of_a_host = 1)
      : a_host_(ranks_of_a_host), meet_(static_cast<std::ptrdiff_t>(ranks)), to_(ranks), memory_(ranks), kept_(ranks) {}

  void run(const std::function<void(stages::Peers&)>& body) {
    std::vector<std::thread> threads;
    std::vector<std::exception_ptr> errors(to_.size());
    for (std::size_t r = 0; r < to_.size(); ++r)
      threads.emplace_back([&, r] {
        Rank rank(*this, r);
        try {
          body(rank);
        } catch (...) {
          errors[r] = std::current_exception();
          meet_.arrive_and_drop();  // the others go on without it
        }
      });
    for (std::thread& one : threads) one.join();
    for (const std::exception_ptr& error : errors)
      if (error) std::rethrow_exception(error);
  }

 private:
  class Rank : public stages::Peers {
   public:
    Rank(ThreadRanks& all, std::size_t rank) : all_(all), rank_(rank) {}
    std::size_t rank() const override { return rank_; }
    std::size_t ranks() const override { return all_.to_.size(); }
    void swap(std::span<const stages::Outgoing> to, std::span<const stages::Incoming> from, const char*) override {
      all_.to_[rank_] = to;
      all_.meet_.arrive_and_wait();
      bool fits = true;
      for (std::size_t r = 0; r < from.size(); ++r) {
        if (r == rank_) continue;
        const stages::Outgoing& sent = all_.to_[r][rank_];
        fits = fits && sent.bytes == from[r].bytes;
        if (fits && sent.bytes) std::memcpy(from[r].data, sent.data, sent.bytes);
      }
      all_.meet_.arrive_and_wait();
      if (!fits) throw std::logic_error("not as many bytes were sent as were expected");
    }
    stages::SharedMemory share(std::size_t bytes, const char* what) override {
      stages::SharedMemory shared = Peers::share(bytes, what);
      std::vector<stages::AlignedBuffer<std::byte>>& kept = all_.kept_[rank_];
      kept.emplace_back().resize(bytes);
      all_.memory_[rank_] = kept.back().data();
      all_.meet_.arrive_and_wait();
      for (std::size_t r = 0; r < ranks(); ++r) {
        if (r == rank_ || r / all_.a_host_ != rank_ / all_.a_host_) continue;
        shared.own = kept.back().data(), shared.of[r] = all_.memory_[r], shared.seen_by[r] = 1;
      }
      all_.meet_.arrive_and_wait();
      shared.of_all = all_.a_host_ >= ranks();
      return shared;
    }

   private:
    ThreadRanks& all_;
    const std::size_t rank_;
  };

  const std::size_t a_host_;
  std::barrier<> meet_;
  std::vector<std::span<const stages::Outgoing>> to_;
  std::vector<const std::byte*> memory_;                             // of each, what it shared last
  std::vector<std::vector<stages::AlignedBuffer<std::byte>>> kept_;  // until all have ended
};

}  // namespace sluice::testing
