// Small stages for tests of the framework, and what it throws as text.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>

namespace sluice::test {

// 0, 1, 2, ... count - 1, in every run.
class Count {
 public:
  explicit Count(int count) : count_(count) {}
  std::optional<int> operator()() { return next_ < count_ ? std::optional(next_++) : std::nullopt; }
  void reset() { next_ = 0; }

 private:
  int count_, next_ = 0;
};

// 0, 1, 2, ... without end: until the run is cancelled or stopped.
struct Endless {
  int next = 0;
  std::optional<int> operator()() { return next++; }
  void reset() { next = 0; }
};

// What a sink has taken. To be given as std::ref.
template <class T = int>
struct Collect {
  std::vector<T> taken;
  int finished = 0, resets = 0;
  void operator()(const T& message) { taken.push_back(message); }
  void finish() { ++finished; }
  void reset() {
    taken.clear();
    finished = 0;
    ++resets;
  }
};

// What is wrong with a graph's wiring.
using Mistakes = std::vector<std::string>;
inline Mistakes mistakes(Graph& g) {
  try {
    g.check();
  } catch (const WiringError& e) {
    return e.mistakes();
  }
  return {};
}

inline std::vector<int> iota(int count, int from = 0) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), from);
  return numbers;
}

// Gives each input on `lag` inputs later; at the end what is left.
class Lag {
 public:
  explicit Lag(std::size_t lag) : lag_(lag) {}
  void push(const int& n) { held_.push_back(n); }
  std::optional<int> pull() {
    if (held_.size() - given_ <= (finished_ ? 0 : lag_)) return std::nullopt;
    return held_[given_++];
  }
  void finish() { finished_ = true; }
  void reset() { *this = Lag(lag_); }

 private:
  std::size_t lag_, given_ = 0;
  std::vector<int> held_;
  bool finished_ = false;
};

// Gives input n n modulo `most` + 1 times over: also not at all.
class Repeat {
 public:
  explicit Repeat(int most) : most_(most) {}
  void push(const int& n) { n_ = n, left_ = n % (most_ + 1); }
  std::optional<int> pull() { return left_-- > 0 ? std::optional(n_) : std::nullopt; }
  void reset() { left_ = 0; }
  static std::vector<int> expected(int count, int most) {
    std::vector<int> all;
    for (int n = 0; n < count; ++n) all.insert(all.end(), static_cast<std::size_t>(n % (most + 1)), n);
    return all;
  }

 private:
  int most_, n_ = 0, left_ = 0;
};

// (message, part) -> message * parts + part
struct Cut {
  int operator()(const int& n, std::size_t part, std::size_t parts) const {
    return n * static_cast<int>(parts) + static_cast<int>(part);
  }
};

struct Sum {
  long operator()(Group<int> parts) { return std::accumulate(parts.begin(), parts.end(), 0L); }
};

// The text of the E that f throws; a failure if it throws none.
template <class E, class F>
std::string thrown(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    ADD_FAILURE() << "threw another exception: " << e.what();
    return {};
  }
  ADD_FAILURE() << "threw nothing";
  return {};
}

template <class F>
std::optional<StageError> stage_error(F&& f) {
  try {
    f();
  } catch (const StageError& e) {
    return e;
  } catch (const std::exception& e) {
    ADD_FAILURE() << "threw another exception: " << e.what();
    return std::nullopt;
  }
  ADD_FAILURE() << "threw no StageError";
  return std::nullopt;
}

}  // namespace sluice::test
