// From a function to a measured stage: the program of docs/write-a-stage.md.
//
//  samples -> smooth -> level -> highest
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include <sluice/pipeline/graph.hpp>

// [function]
// The mean of each sample and its neighbours up to `reach` away. in, out (n), any unit.
void smooth(const std::vector<double>& in, std::size_t reach, std::vector<double>& out) {
  out.resize(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::size_t first = i < reach ? 0 : i - reach, last = std::min(in.size(), i + reach + 1);
    double sum = 0;
    for (std::size_t k = first; k < last; ++k) sum += in[k];
    out[i] = sum / static_cast<double>(last - first);
  }
}
// [function]

// [stage]
using Samples = std::vector<double>;

struct Smooth {
  std::size_t reach = 8;       // neighbours on each side
  std::size_t samples = 4096;  // of a message, at most

  using Output = Samples;
  void operator()(const Samples& in, Samples& out) const { smooth(in, reach, out); }
  std::size_t payload_bytes() const { return samples * sizeof(double); }
};
static_assert(sluice::verbs::Map<Smooth, Samples, Samples>);
// [stage]

// A sine of `messages` x 4096 samples with a jagged edge.
struct Sine {
  int messages = 200;

  using Output = Samples;
  bool operator()(Samples& out) {
    if (made_ == messages) return false;
    out.resize(4096);
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = std::sin(static_cast<double>(i) / 300) + (i % 2 == 0 ? 0.1 : -0.1);
    ++made_;
    return true;
  }
  void reset() { made_ = 0; }
  std::size_t payload_bytes() const { return 4096 * sizeof(double); }

 private:
  int made_ = 0;
};

int main() {
  // [graph]
  double highest = 0;
  sluice::Graph g("smooth");
  auto samples = g.source("samples", Sine{}, sluice::capacity(4));
  auto smoothed = g.map("smooth", Smooth{.reach = 16}, samples, sluice::unlimited);
  auto levels = g.map(
      "level", [](const Samples& s) { return *std::max_element(s.begin(), s.end()); }, smoothed);
  g.sink(
      "highest", [&](const double& level) { highest = std::max(highest, level); }, levels);
  g.run();
  // [graph]

  std::printf("%s\n%s\nhighest %.4f\n\n", g.picture().c_str(), g.table().c_str(), highest);

  // [stats]
  for (const sluice::StageStats& s : g.stats().stages)
    std::printf("%-8s %4llu items, busy %5.1f ms, starved %5.1f ms, blocked %5.1f ms\n", s.name.c_str(),
                static_cast<unsigned long long>(s.items), s.busy * 1e3, s.starved * 1e3, s.blocked * 1e3);
  // [stats]
}
