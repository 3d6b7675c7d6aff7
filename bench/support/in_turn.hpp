// Times alternatives in turn, round by round, so that a machine that gets slower meanwhile gets slower for all of them.
//
// Every figure is a median over the rounds; every ratio is the median of the ratios within a round, to the first
// alternative or to another one. Each alternative checks its own answer and throws when it is wrong.
//
//   InTurn timed({{"plain", plain}, {"graph", graph}}, 11);
//   fmt::print("{:.1f} ns, {:.2f} of plain\n", timed.seconds("graph") / n * 1e9, timed.ratio("graph", "plain"));
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::bench {

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <class F>
double timed(const F& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct Alternative {
  std::string name;
  std::function<void()> run;
  std::function<void()> before{};  // not timed
};

class InTurn {
 public:
  InTurn(const std::vector<Alternative>& alternatives, std::size_t rounds) {
    for (const auto& a : alternatives) series_.push_back({a.name, {}});
    for (std::size_t round = 0; round <= rounds; ++round)  // the first warms up
      for (std::size_t k = 0; k < alternatives.size(); ++k) {
        const std::size_t i = round % 2 ? k : alternatives.size() - 1 - k;
        if (alternatives[i].before) alternatives[i].before();
        const double seconds = timed(alternatives[i].run);
        if (round > 0) series_[i].seconds.push_back(seconds);
      }
  }

  double seconds(const std::string& name) const { return median(find(name).seconds); }
  double ratio(const std::string& name, const std::string& to) const {
    const auto &a = find(name).seconds, &b = find(to).seconds;
    std::vector<double> ratios(a.size());
    std::transform(a.begin(), a.end(), b.begin(), ratios.begin(), [](double x, double y) { return x / y; });
    return median(ratios);
  }

 private:
  struct Series {
    std::string name;
    std::vector<double> seconds;
  };
  const Series& find(const std::string& name) const {
    for (const Series& s : series_)
      if (s.name == name) return s;
    throw std::out_of_range("nothing was timed under the name " + name);
  }
  std::vector<Series> series_;
};

}  // namespace sluice::bench
