// Ranks that are threads of one process: what stands for an engine in tests.
//
//   ThreadRanks ranks(3);
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

#include <sluice/stages/peers.hpp>

namespace sluice::testing {

class ThreadRanks {
 public:
  explicit ThreadRanks(std::size_t ranks) : meet_(static_cast<std::ptrdiff_t>(ranks)), to_(ranks) {}

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

   private:
    ThreadRanks& all_;
    const std::size_t rank_;
  };

  std::barrier<> meet_;
  std::vector<std::span<const stages::Outgoing>> to_;
};

}  // namespace sluice::testing
