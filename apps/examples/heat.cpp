// A cycle: heat spreads along a rod whose ends are held at 0 and 100 degrees; each step is cut into strips that are
// worked on at the same time, and its result is the next step's start.
//
//  steps -> step -> strip => relax => join -> rod
//  rod -> step
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <tuple>
#include <vector>

#include <sluice/pipeline/graph.hpp>

using Rod = std::vector<double>;    // temperatures, in degrees
using Step = std::tuple<int, Rod>;  // the number of the step and the rod before it

struct Strip {
  const Rod* rod;  // in place until the strips are joined
  std::size_t first, last;
};

struct Cut {
  Strip operator()(const Step& step, std::size_t part, std::size_t parts) const {
    const Rod& rod = std::get<Rod>(step);
    return {&rod, rod.size() * part / parts, rod.size() * (part + 1) / parts};
  }
};

struct Relax {
  using Output = Rod;
  void operator()(const Strip& strip, Rod& out) const {
    const Rod& rod = *strip.rod;
    out.clear();
    for (std::size_t i = strip.first; i < strip.last; ++i)
      out.push_back(i == 0 || i + 1 == rod.size() ? rod[i] : (rod[i - 1] + rod[i + 1]) / 2);
  }
};

struct Join {
  using Output = Rod;
  void operator()(sluice::Group<Rod> strips, Rod& out) {
    out.clear();
    for (const Rod& strip : strips) out.insert(out.end(), strip.begin(), strip.end());
  }
};

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 2000;
  Rod cold(33, 0.0);
  cold.back() = 100;

  int next = 0;
  const auto count = [&]() -> std::optional<int> { return next < steps ? std::optional(next++) : std::nullopt; };

  sluice::Graph g("heat");
  auto rod = g.feedback("rod", cold);
  auto step = g.zip("step", g.source("steps", count), rod);
  auto strips = g.split("strip", Cut{}, step, sluice::shards(4), sluice::capacity(1));
  auto relaxed = g.map("relax", Relax{}, strips, sluice::unlimited);
  rod.close(g.fold("join", Join{}, relaxed, sluice::capacity(1)));
  g.run();

  std::printf("%s", g.picture().c_str());
  for (std::size_t i = 0; i < rod.value().size(); i += 8) std::printf("%3zu  %6.2f\n", i, rod.value()[i]);
}
