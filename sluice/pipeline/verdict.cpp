#include <sluice/pipeline/detail/text.hpp>
#include <sluice/pipeline/verdict.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using detail::percent;

using Stages = std::vector<StageStats>;

std::string seconds(double s) {
  return s <= 0      ? "-"
         : s < 1e-6  ? fmt::format("{:.0f} ns", s * 1e9)
         : s < 99e-6 ? fmt::format("{:.1f} us", s * 1e6)
         : s < 1e-3  ? fmt::format("{:.0f} us", s * 1e6)
         : s < 99e-3 ? fmt::format("{:.1f} ms", s * 1e3)
         : s < 1     ? fmt::format("{:.0f} ms", s * 1e3)
                     : fmt::format("{:.1f} s", s);
}

std::string count(double n) {
  return n < 1e6    ? fmt::format("{:.0f}", n)
         : n < 99e6 ? fmt::format("{:.1f} M", n / 1e6)
                    : fmt::format("{:.0f} M", n / 1e6);
}

// Who stands before whom, by place in the list.
class Arrows {
 public:
  explicit Arrows(const Stages& stages) : before_(stages.size()), behind_(stages.size()) {
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < stages.size(); ++i) places[stages[i].name] = i;
    for (std::size_t i = 0; i < stages.size(); ++i)
      for (const std::string& input : stages[i].inputs)
        if (const auto at = places.find(input); at != places.end()) {
          before_[i].push_back(at->second);
          behind_[at->second].push_back(i);
        }
  }
  const std::vector<std::size_t>& inputs(std::size_t stage) const { return before_[stage]; }
  std::set<std::size_t> before(std::size_t stage) const { return reached(before_, stage); }
  std::set<std::size_t> behind(std::size_t stage) const { return reached(behind_, stage); }

 private:
  using Lists = std::vector<std::vector<std::size_t>>;
  static std::set<std::size_t> reached(const Lists& next, std::size_t from) {
    std::set<std::size_t> seen;
    std::vector<std::size_t> open = next[from];
    while (!open.empty()) {
      const std::size_t at = open.back();
      open.pop_back();
      if (seen.insert(at).second) open.insert(open.end(), next[at].begin(), next[at].end());
    }
    return seen;
  }
  Lists before_, behind_;
};

// What a run cannot be shorter than, with one stage's bodies taking `factor` of the time that they took.
class Model {
 public:
  explicit Model(const GraphStats& stats) : stats_(stats), arrows_(stats.stages) {
    for (std::size_t i = 0; i < stats.stages.size(); ++i) {
      if (stats.stages[i].verb != Verb::feedback) continue;
      std::set<std::size_t> loop;
      const auto before = arrows_.before(i);
      for (const std::size_t s : arrows_.behind(i))
        if (before.count(s)) loop.insert(s);
      loops_.push_back(loop);
    }
  }

  const Arrows& arrows() const { return arrows_; }

  // A stage's own bound.
  double load(std::size_t s, std::size_t faster = none, double factor = 1) const {
    const StageStats& stage = stats_.stages[s];
    return stage.busy * (s == faster ? factor : 1) / static_cast<double>(std::max<std::size_t>(1, stage.at_once));
  }
  // What a stage adds to the laps of its loop: shards of one message are all that can be worked on at once.
  double lap_load(std::size_t s, std::size_t faster = none, double factor = 1) const {
    const StageStats& stage = stats_.stages[s];
    const std::size_t at_once =
        stage.sharded && stage.verb == Verb::map ? std::min(stage.at_once, std::max<std::size_t>(1, stage.shards)) : 1;
    return stage.busy * (s == faster ? factor : 1) / static_cast<double>(at_once);
  }
  double threads(std::size_t faster = none, double factor = 1) const {
    double busy = 0;
    for (std::size_t s = 0; s < stats_.stages.size(); ++s) busy += stats_.stages[s].busy * (s == faster ? factor : 1);
    return busy / static_cast<double>(std::max<std::size_t>(1, stats_.threads));
  }
  // The longest way round: what is beside it in the loop does not make a lap longer.
  double loop(const std::set<std::size_t>& stages, std::size_t faster = none, double factor = 1) const {
    double lap = 0;
    for (const auto& [stage, ways] : ways_to(stages, faster, factor)) lap = std::max(lap, ways.first);
    return lap;
  }
  // The stages of the longest way, the last one first.
  std::vector<std::size_t> longest_way(const std::set<std::size_t>& stages) const {
    const auto ways = ways_to(stages, none, 1);
    auto at = std::max_element(ways.begin(), ways.end(),
                               [](const auto& a, const auto& b) { return a.second.first < b.second.first; });
    std::vector<std::size_t> way;
    for (std::size_t s = at->first; s != none; s = ways.at(s).second) way.push_back(s);
    return way;
  }
  double bound(std::size_t faster = none, double factor = 1) const {
    double most = threads(faster, factor);
    for (std::size_t s = 0; s < stats_.stages.size(); ++s) most = std::max(most, load(s, faster, factor));
    for (const auto& stages : loops_) most = std::max(most, loop(stages, faster, factor));
    return most;
  }
  // What is not explained by the bound stays as it is.
  double gain(std::size_t stage) const { return gain_of(bound() - bound(stage, 0.5)); }
  double threads_gain() const {
    GraphStats twice = stats_;
    twice.threads *= 2;
    for (StageStats& s : twice.stages)
      if (s.verb == Verb::map && s.at_once >= stats_.threads &&
          (s.concurrency == unlimited || s.concurrency.limit > s.at_once))
        s.at_once *= 2, s.shards *= s.sharded ? 2 : 1;
    return gain_of(bound() - Model(twice).bound());
  }
  // What handing out adds to the laps: how long a shard waits for a thread. The first of a message has that of the
  // split.
  double handing_out(const std::set<std::size_t>& loop) const {
    double sum = 0;
    for (const std::size_t s : loop) {
      const StageStats& stage = stats_.stages[s];
      // With more shards than threads a shard also waits for the turn of its neighbours.
      if (stage.verb == Verb::map && stage.sharded && stage.shards > 1 && stage.shards <= stats_.threads)
        sum += stage.ready / static_cast<double>(stage.shards - 1);
    }
    return sum;
  }
  bool cuts(const std::set<std::size_t>& loop) const {
    return std::any_of(loop.begin(), loop.end(), [this](std::size_t s) { return stats_.stages[s].sharded; });
  }
  const std::set<std::size_t>* slowest_loop() const {
    const auto slowest = std::max_element(loops_.begin(), loops_.end(),
                                          [this](const auto& a, const auto& b) { return loop(a) < loop(b); });
    return slowest == loops_.end() ? nullptr : &*slowest;
  }

  static constexpr std::size_t none = ~std::size_t{0};

 private:
  double gain_of(double saved) const {
    return stats_.wall / std::max(1e-9, stats_.wall - std::clamp(saved, 0.0, 0.99 * stats_.wall));
  }
  // For each stage of a loop, in the order of wiring: the longest way from the feedback through it, and the stage
  // before it on that way.
  using Ways = std::map<std::size_t, std::pair<double, std::size_t>>;
  Ways ways_to(const std::set<std::size_t>& stages, std::size_t faster, double factor) const {
    Ways ways;
    for (const std::size_t s : stages) {
      std::pair<double, std::size_t> longest{0, none};
      if (stats_.stages[s].verb != Verb::feedback)
        for (const std::size_t before : arrows_.inputs(s))
          if (const auto way = ways.find(before); way != ways.end() && way->second.first >= longest.first)
            longest = {way->second.first, before};
      ways[s] = {longest.first + lap_load(s, faster, factor), longest.second};
    }
    return ways;
  }
  const GraphStats& stats_;
  Arrows arrows_;
  std::vector<std::set<std::size_t>> loops_;
};

std::string faster(double gain) {
  return gain < 1.05 ? "twice as fast would not make the run faster"
                     : fmt::format("twice as fast would make the run {:.1f} times faster", gain);
}

// " while the stages behind it starve 80 % of the time and those before it are blocked 90 %"
std::string neighbours(const GraphStats& stats, const Model& model, std::size_t stage) {
  const auto mean = [&](const std::set<std::size_t>& others, double StageStats::*time, bool gates_only) {
    double sum = 0;
    std::size_t count = 0;
    for (const std::size_t o : others) {
      const StageStats& other = stats.stages[o];
      if (gates_only && other.verb == Verb::map) continue;  // never blocked: their room was granted before them
      sum += other.*time / (stats.wall * static_cast<double>(std::max<std::size_t>(1, other.at_once)));
      ++count;
    }
    return count == 0 ? 0.0 : sum / static_cast<double>(count);
  };
  const double starving = mean(model.arrows().behind(stage), &StageStats::starved, false);
  const double blocked = mean(model.arrows().before(stage), &StageStats::blocked, true);
  std::vector<std::string> said;
  if (starving >= 0.05) said.push_back(fmt::format("the stages behind it starve {} of the time", percent(starving)));
  if (blocked >= 0.05)
    said.push_back(said.empty() ? fmt::format("the stages before it are blocked {} of the time", percent(blocked))
                                : fmt::format("those before it are blocked {}", percent(blocked)));
  return said.empty() ? "" : fmt::format(" while {}", fmt::join(said, " and "));
}

// How many of its bodies can be at once, and why not more.
std::string manner(const GraphStats& stats, const StageStats& stage) {
  if (stage.verb != Verb::map) return fmt::format("one {} body at a time", to_string(stage.verb));
  if (stage.concurrency == serial) return "serial";
  if (stage.at_once >= stats.threads)
    return stats.threads == 1 ? "on the one thread" : fmt::format("on all {} threads", stats.threads);
  return fmt::format("{} at once", stage.at_once);
}

std::string advice(const GraphStats& stats, const StageStats& stage) {
  if (stage.verb != Verb::map) return "";
  if (stage.at_once >= stats.threads) return "more threads, with processors for them, would do it, too; ";
  if (stage.concurrency != unlimited && stage.concurrency.limit <= stage.at_once)
    return stage.concurrency == serial ? "as a map it may work on several messages at once: give it a concurrency; "
                                       : "a higher concurrency would do it, too; ";
  return "its segment holds no more messages: a larger capacity would do it, too; ";
}

// Without its text.
Verdict named(Verdict::Kind kind, const GraphStats& stats, const Model& model, std::size_t stage, double share) {
  return {kind, stats.stages[stage].name, share, model.gain(stage), model.threads_gain(), {}};
}

Verdict stage_verdict(const GraphStats& stats, const Model& model, std::size_t s) {
  const StageStats& stage = stats.stages[s];
  Verdict v = named(Verdict::Kind::stage, stats, model, s, model.load(s) / stats.wall);
  std::vector<std::string> equals;
  for (std::size_t o = 0; o < stats.stages.size(); ++o)
    if (o != s && model.load(o) > 0.9 * model.load(s)) equals.push_back("'" + stats.stages[o].name + "'");
  std::string tail = faster(v.gain);
  if (!equals.empty())
    tail += fmt::format(", for {} {} as busy: only together are they worth it", fmt::join(equals, " and "),
                        equals.size() == 1 ? "is" : "are");
  v.text = fmt::format("bottleneck: {}, {} and {} busy{}; {}{}", stage.name, manner(stats, stage), percent(v.share),
                       neighbours(stats, model, s), advice(stats, stage), tail);
  return v;
}

Verdict loop_verdict(const GraphStats& stats, const Model& model, const std::set<std::size_t>& loop) {
  std::vector<std::size_t> order = model.longest_way(loop);
  std::reverse(order.begin(), order.end());
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return model.lap_load(a) > model.lap_load(b); });
  const double lap = model.loop(loop);
  const auto feedback =
      std::find_if(loop.begin(), loop.end(), [&](std::size_t s) { return stats.stages[s].verb == Verb::feedback; });
  const std::uint64_t values = stats.stages[*feedback].items;  // a run makes one more than it has laps
  const std::uint64_t laps = values > stats.runs ? values - stats.runs : 1;
  std::vector<std::string> shares;
  for (const std::size_t s : order)
    if (const double share = model.lap_load(s) / stats.wall; share >= 0.005)
      shares.push_back(fmt::format("{} {}", stats.stages[s].name, percent(share)));
  const double rest = 1 - lap / stats.wall;
  if (rest >= 0.005) {
    shares.push_back("outside its bodies " + percent(rest));
    if (const double handed = std::min(rest, model.handing_out(loop) / stats.wall); handed >= 0.005)
      shares.back() +=
          fmt::format(" ({} until the shards have a thread, {} until the slowest is done and between stages)",
                      percent(handed), percent(rest - handed));
  }
  const std::size_t s = order.front();
  Verdict v = named(Verdict::Kind::loop, stats, model, s, model.lap_load(s) / stats.wall);
  v.text = fmt::format(
      "bottleneck: {}, in the loop of feedback '{}', whose stages wait for one another; a lap takes {}: {}; {} {}",
      v.stage, stats.stages[*feedback].name, seconds(stats.wall / static_cast<double>(laps)), fmt::join(shares, ", "),
      v.stage, faster(v.gain));
  if (model.cuts(loop))
    v.text += v.threads_gain < 1.05
                  ? "; twice as many threads would not"
                  : fmt::format("; twice as many threads and shards, with processors for them, {:.1f} times at most",
                                v.threads_gain);
  if (rest > std::max(0.3, v.share))
    v.text +=
        "; the largest part of a lap passes outside of bodies: larger messages, or processors that are free, would "
        "help more";
  return v;
}

Verdict threads_verdict(const GraphStats& stats, const Model& model, std::size_t s) {
  const StageStats& stage = stats.stages[s];
  Verdict v =
      named(Verdict::Kind::threads, stats, model, s, stage.busy / stats.wall / static_cast<double>(stats.threads));
  v.text = fmt::format(
      "bottleneck: {}, the largest part ({}) of what keeps {} {} busy; more threads would help, and {}", stage.name,
      percent(v.share), stats.threads == 1 ? "the one thread" : fmt::format("all {} threads", stats.threads),
      percent(model.threads() / stats.wall), faster(v.gain));
  return v;
}

}  // namespace

Verdict verdict(const GraphStats& stats) {
  const Model model(stats);
  if (stats.wall <= 0 || model.bound() <= 0)
    return {Verdict::Kind::nothing, {}, 0, 1, 1, "bottleneck: none, no body has run"};
  const auto largest = [&](auto measure) {
    std::size_t best = 0;
    for (std::size_t s = 1; s < stats.stages.size(); ++s)
      if (measure(s) > measure(best)) best = s;
    return best;
  };
  const double bound = model.bound();
  const std::size_t busiest = largest([&](std::size_t s) { return model.load(s); });
  const auto* loop = model.slowest_loop();
  Verdict v;
  if (loop && model.loop(*loop) >= 0.8 * bound)
    v = loop_verdict(stats, model, *loop);
  else if (model.load(busiest) >= 0.9 * bound)
    v = stage_verdict(stats, model, busiest);
  else
    v = threads_verdict(stats, model, largest([&](std::size_t s) { return stats.stages[s].busy; }));
  const auto waits = std::max_element(stats.stages.begin(), stats.stages.end(),
                                      [](const StageStats& a, const StageStats& b) { return a.waiting < b.waiting; });
  if (waits->waiting > 0.5 * stats.wall && waits->waiting + bound > 0.8 * stats.wall) {
    v.kind = Verdict::Kind::outside;
    v.stage = waits->name;
    v.share = waits->waiting / stats.wall;
    v.gain = v.threads_gain = 1;
    v.text = fmt::format(
        "bottleneck: {}, which waits for the outside {} of the time; nothing in the graph would be faster "
        "for being made so",
        v.stage, percent(v.share));
  } else if (bound < 0.5 * stats.wall && v.kind != Verdict::Kind::loop) {
    v.kind = Verdict::Kind::scheduling;
    double ready = 0;
    for (const StageStats& s : stats.stages) ready += s.ready;
    v.text = fmt::format(
        "bottleneck: {}, but its bodies take only {} of the run: the rest passes outside of bodies ({} of the time a "
        "message waited for a thread); larger messages, or processors that are free, would help more; {}",
        v.stage, percent(bound / stats.wall), percent(ready / stats.wall), faster(v.gain));
  }
  return v;
}

std::string profile_table(const GraphStats& stats) {
  std::size_t width = 5;
  for (const StageStats& s : stats.stages) width = std::max(width, s.name.size());
  const auto line = [&](const auto&... cells) {
    return fmt::format("{:<{}} {:>7} {:>7} {:>7} {:>5} {:>7} {:>7} {:>5} {:>6} {:>7} {:>7}\n", cells...);
  };
  std::string text =
      line("stage", width, "at once", "items", "items/s", "busy", "starved", "blocked", "ready", "queue", "p50", "p99");
  const double wall = std::max(stats.wall, 1e-9);
  for (const StageStats& s : stats.stages) {
    const double whole = wall * static_cast<double>(std::max<std::size_t>(1, s.at_once));
    const std::string queue = s.capacity == 0 ? "" : fmt::format("{}/{}", s.high_water, s.capacity);
    text += line(s.name, width, s.at_once, count(static_cast<double>(s.items)),
                 count(static_cast<double>(s.items) / wall), percent(s.busy / whole), percent(s.starved / whole),
                 percent(s.blocked / whole), percent(s.ready / whole), queue, seconds(s.p50), seconds(s.p99));
  }
  // What most graphs have nothing of is a line where there is some.
  for (const StageStats& s : stats.stages) {
    if (s.waiting >= 0.01 * wall)
      text += fmt::format("{}: {} of the time waiting for the outside\n", s.name, percent(s.waiting / wall));
    if (s.errors > 0)
      text += fmt::format("{}: {} messages lost to exceptions\n", s.name, count(static_cast<double>(s.errors)));
    if (s.left_over > 0)
      text += fmt::format("{}: {} messages left over behind an early end\n", s.name,
                          count(static_cast<double>(s.left_over)));
    if (s.latency_p99 > 0)
      text += fmt::format("{}: from a message's making to its end p50 {}, p99 {}{}\n", s.name, seconds(s.latency_p50),
                          seconds(s.latency_p99),
                          s.holes > 0 ? fmt::format("; {} were not there", count(static_cast<double>(s.holes))) : "");
  }
  return text;
}

}  // namespace sluice
