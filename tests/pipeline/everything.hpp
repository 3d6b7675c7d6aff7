// A graph with every verb in it, each of whose bodies can be told to throw, and its result by a plain loop.
//
//  numbers -> plus -> repeat -> pair -> cut => square => sum -> next -> state
//  state -> pair
//                                                           -> total
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {

class Everything {
 public:
  // Throws in the body of `stage` ("total.finish": in its finish()) when it works on message `sequence`.
  struct Trap {
    std::string stage;
    std::uint64_t sequence = 0;
    void visit(const char* where, std::uint64_t k = 0) const {
      if (stage == where && sequence == k) throw std::runtime_error("trap");
    }
  };

 private:
  using Pair = std::tuple<long, long>;

  struct Numbers {
    Everything* all;
    std::uint64_t next = 0;
    std::optional<long> operator()() {
      all->trap.visit("numbers", next);
      return next < all->count_ ? std::optional(static_cast<long>(next++)) : std::nullopt;
    }
    void reset() {
      all->trap.visit("numbers.reset");
      next = 0;
    }
  };
  struct Plus {
    const Everything* all;
    long operator()(const long& n) const {
      all->trap.visit("plus", static_cast<std::uint64_t>(n));
      return n + 1;
    }
    void reset() const { all->trap.visit("plus.reset"); }
  };
  // Gives n n modulo 3 times over, and one more at the end.
  struct Repeat {
    const Everything* all;
    std::uint64_t pushed = 0, pulled = 0;
    long n = 0, left = 0;
    void push(const long& in) {
      all->trap.visit("repeat.push", pushed++);
      n = in, left = in % 3;
    }
    std::optional<long> pull() {
      all->trap.visit("repeat.pull", pulled);
      if (left == 0) return std::nullopt;
      --left, ++pulled;
      return n;
    }
    void finish() {
      all->trap.visit("repeat.finish");
      left = 1;
    }
    void reset() {
      all->trap.visit("repeat.reset");
      pushed = pulled = 0, left = 0;
    }
  };
  struct Cut {
    const Everything* all;
    mutable std::uint64_t made = 0;
    long operator()(const Pair& pair, std::size_t part, std::size_t parts) const {
      all->trap.visit("cut", made++);
      return std::get<0>(pair) * static_cast<long>(parts + part) + std::get<1>(pair);
    }
    void reset() {
      all->trap.visit("cut.reset");
      made = 0;
    }
  };
  struct Square {
    long operator()(const long& n) const { return n * n % 1009; }
  };
  struct Sum {
    const Everything* all;
    std::uint64_t made = 0;
    long operator()(Group<long> parts) {
      all->trap.visit("sum", made++);
      long sum = 0;
      for (const long& n : parts) sum = 3 * sum + n;
      return sum;
    }
    void reset() {
      all->trap.visit("sum.reset");
      made = 0;
    }
  };
  struct Total {
    Everything* all;
    void operator()(const long& n) {
      all->trap.visit("total", all->taken.size());
      all->taken.push_back(n);
    }
    void finish() { all->trap.visit("total.finish"); }
    void reset() {
      all->trap.visit("total.reset");
      all->taken.clear();
    }
  };

 public:
  Everything(std::uint64_t count, const Threads& workers, std::size_t room = 3, std::size_t parts = 3)
      : graph("everything", workers), state(graph.feedback("state", 0L)), count_(count), parts_(parts) {
    auto numbers = graph.source("numbers", Numbers{this}, capacity(room));
    auto plus = graph.map("plus", Plus{this}, numbers, unlimited);
    auto repeat = graph.expand("repeat", Repeat{this}, plus, capacity(room));
    auto pair = graph.zip("pair", repeat, state, capacity(room));
    auto cut = graph.split("cut", Cut{this}, pair, shards(parts), capacity(room));
    auto square = graph.map("square", Square{}, cut, unlimited);
    auto sum = graph.fold("sum", Sum{this}, square, capacity(room));
    state.close(graph.map(
        "next", [](const long& n) { return n % 97; }, sum));
    graph.sink("total", Total{this}, sum);
  }

  // What a run from `start` gives; the state that it leaves.
  long expected(std::vector<long>& result, long start = 0) const {
    std::vector<long> numbers;
    for (std::uint64_t k = 0; k < count_; ++k)
      numbers.insert(numbers.end(), static_cast<std::size_t>((k + 1) % 3), static_cast<long>(k + 1));
    numbers.push_back(static_cast<long>(count_));
    long weight = start;
    result.clear();
    for (const long n : numbers) {
      long sum = 0;
      for (std::size_t part = 0; part < parts_; ++part) {
        const long shard = n * static_cast<long>(parts_ + part) + weight;
        sum = 3 * sum + shard * shard % 1009;
      }
      result.push_back(sum);
      weight = sum % 97;
    }
    return weight;
  }

  Trap trap;
  std::vector<long> taken;
  Graph graph;
  Feedback<long> state;

 private:
  std::uint64_t count_;
  std::size_t parts_;
};

}  // namespace sluice::test
