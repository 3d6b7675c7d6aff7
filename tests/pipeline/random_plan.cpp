#include "tests/pipeline/random_plan.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

namespace sluice::test {
namespace {

Concurrency draw_concurrency(Random& random) {
  return {random.of<std::size_t>({1, 1, 0, 0, 0, 2, 3, random.between(1, 20)})};
}

// Draws a plan, stage by stage.
class Planner {
 public:
  Planner(Plan& plan, std::uint64_t seed, Plan::Wrong wrong) : plan_(plan), random_(seed) {
    plan_.threads = random_.of<std::size_t>({1, 1, 2, 2, 2, 3, 4, 5, 8, 16});
    tight_ = random_.chance(5);
    if (!tight_) slow_ = random_.of<unsigned>({0, 0, 0, 3, 10});
    draw_sources();
    for (std::size_t steps = random_.between(1, 14); steps > 0; --steps) draw();
    for (const auto& [feedback, pair] : open_) close(feedback, pair);
    if (wrong == Plan::unequal) draw_unequal();
    if (wrong == Plan::stalled) draw_stalled();
    draw_sinks();
    draw_manners(seed, wrong);
    for (PlanStage& s : stages_) s.capacity = std::max(s.capacity, s.least_capacity);
    if (wrong == Plan::stalled) stages_[plan_.patient_stage].capacity = room_of_the_stalled_;
  }

 private:
  static constexpr std::size_t most_messages = 2500;

  std::size_t capacity() {
    if (tight_) return random_.between(1, 2);
    return random_.of<std::size_t>({1, 1, 2, 3, 4, 7, 16, random_.between(1, 64)});
  }

  std::size_t add(Verb verb, std::vector<std::size_t> inputs) {
    PlanStage s;
    s.verb = verb;
    s.name = std::string(to_string(verb)) + std::to_string(stages_.size());
    s.capacity = capacity();
    s.recycling = random_.chance(40);
    s.gate = stages_.size();
    if (!inputs.empty()) {
      const PlanStage& in = stages_[inputs[0]];
      s.family = in.family, s.bracket = in.bracket, s.lag = in.lag, s.at_most = in.at_most;
      s.endless = std::all_of(inputs.begin(), inputs.end(), [this](std::size_t i) { return stages_[i].endless; });
      for (const std::size_t i : inputs) s.lag = std::max(s.lag, stages_[i].lag);
      // Whoever is joined with a stream that lags must be let run ahead of it.
      for (const std::size_t i : inputs) {
        auto& least = stages_[stages_[i].gate].least_capacity;
        least = std::max(least, s.lag - stages_[i].lag + 1);
        ++stages_[i].readers;
      }
    }
    if (random_.chance(slow_)) {
      s.delay.kind = random_.of({Delay::spin, Delay::yield, Delay::sleep});
      s.delay.one_in = s.delay.kind == Delay::sleep ? 50 : random_.of({1u, 3u, 20u});
      s.delay.turns = static_cast<int>(random_.between(10, s.delay.kind == Delay::spin ? 3000 : 40));
    }
    s.inputs = std::move(inputs);
    stages_.push_back(std::move(s));
    return stages_.size() - 1;
  }

  std::size_t add_source(std::size_t count, std::size_t family) {
    const std::size_t id = add(Verb::source, {});
    stages_[id].count = stages_[id].at_most = count;
    stages_[id].family = family;
    return id;
  }

  std::size_t draw_count() {
    if (tight_) return random_.below(1000);
    return random_.of<std::size_t>({random_.below(3), random_.below(20), random_.below(100), random_.below(300)});
  }

  // A family has either loops or streams that lag: a loop whose only value is held back would stall.
  std::size_t new_family() {
    loops_.push_back(random_.chance(60));
    return loops_.size() - 1;
  }

  void draw_sources() {
    for (std::size_t n = random_.of<std::size_t>({1, 1, 1, 2, 3}); n > 0; --n) {
      if (!stages_.empty() && random_.chance(40))
        add_source(stages_[0].count, stages_[0].family);
      else
        add_source(draw_count(), new_family());
    }
  }

  // A stream for which `fits`; those that nobody reads yet, and the latest, are likelier.
  template <class F>
  std::size_t pick(F&& fits) {
    std::vector<std::size_t> all, unread;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (stages_[i].verb == Verb::sink || i == plan_.wrong_stage || !fits(stages_[i])) continue;
      all.push_back(i);
      if (stages_[i].readers == 0) unread.push_back(i);
    }
    if (all.empty()) return none;
    if (!unread.empty() && random_.chance(60)) return unread[random_.below(unread.size())];
    if (random_.chance(30)) return all.back();
    return all[random_.below(all.size())];
  }
  std::size_t pick() {
    return pick([](const PlanStage&) { return true; });
  }
  // One to be joined with `a`.
  std::size_t pick_partner(std::size_t a) {
    return pick([&](const PlanStage& b) {
      return !b.is_pair() && b.family == stages_[a].family && b.bracket == stages_[a].bracket;
    });
  }

  void draw() {
    const std::size_t what = random_.below(100);
    if (what < 28) return draw_map(pick());
    if (what < 34) return random_.chance(50) ? draw_filter() : draw_partition();
    if (what < 42) return draw_expand(pick());
    if (what < 56) return draw_zip();
    if (what < 68) return draw_split();
    if (what < 82) return draw_fold();
    if (what < 92) return draw_feedback();
    draw_sink(pick());
  }

  void draw_map(std::size_t in) {
    const std::size_t id = add(Verb::map, {in});
    stages_[id].concurrency = draw_concurrency(random_);
    stages_[id].gate = stages_[in].gate;
  }

  void draw_expand(std::size_t in) {
    const std::size_t id = add(Verb::expand, {in});
    PlanStage& s = stages_[id];
    s.expansion.salt = random_();
    const bool whole = s.bracket == none;
    if (whole && random_.chance(50)) {  // one for one: stays in its family
      s.expansion.kind = Expansion::lag;
      if (!s.endless && !loops_[s.family]) s.lag += s.expansion.most = random_.below(4);
      return;
    }
    s.expansion.kind = random_.of({Expansion::repeat, Expansion::gather});
    s.expansion.most = s.expansion.kind == Expansion::gather ? random_.between(1, 5) : random_.below(4);
    s.expansion.rest = random_.below(3);
    if (s.at_most * s.expansion.most > most_messages) s.expansion.most = 1;
    s.at_most = s.at_most * s.expansion.most + s.expansion.rest;
    s.family = new_family();
    s.bracket = none;
    s.lag = 0;
  }

  void draw_filter() {
    const std::size_t in = pick([](const PlanStage& s) { return !s.is_pair() && s.bracket == none; });
    if (in == none) return;
    PlanStage& s = stages_[add(Verb::filter, {in})];
    s.family = new_family();
    s.lag = 0;
  }

  void draw_partition() {
    const std::size_t in = pick([](const PlanStage& s) { return !s.is_pair() && s.bracket == none; });
    if (in == none) return;
    const std::size_t first = add(Verb::partition, {in}), second = add(Verb::partition, {in});
    --stages_[in].readers;  // the second one is made by the first
    stages_[first].second = second, stages_[second].first = first;
    for (const std::size_t id : {first, second}) stages_[id].family = new_family(), stages_[id].lag = 0;
  }

  // How stages take and make messages, which changes nothing of what they are, but for those that they skip.
  void draw_manners(std::uint64_t seed, Plan::Wrong wrong) {
    Random random(seed + 0x9E3779B97F4A7C15u);
    // A feedback needs every value, and what gives on as many as it gets would give on fewer.
    const bool needs_all = std::any_of(stages_.begin(), stages_.end(), [](const PlanStage& s) {
      return s.verb == Verb::feedback || (s.verb == Verb::expand && s.expansion.kind == Expansion::lag);
    });
    const bool skip = wrong == Plan::nothing && !needs_all && random.chance(60);
    for (PlanStage& s : stages_) {
      if (s.verb == Verb::source) s.waits = random.chance(15);
      const bool has_body = s.verb != Verb::zip && s.verb != Verb::feedback && s.first == none;
      if (skip && has_body) s.skips = random.chance(15);
      const bool may_take = s.verb == Verb::map || s.verb == Verb::expand || s.verb == Verb::sink;
      if (!may_take || s.inputs.size() != 1) continue;
      const PlanStage& in = stages_[s.inputs[0]];
      if (in.readers == 1 && !(s.endless && in.verb == Verb::feedback)) s.takes = random.chance(30);
    }
  }

  void draw_zip() {
    const std::size_t a = pick([](const PlanStage& s) { return !s.is_pair(); });
    const std::size_t b = a == none ? none : pick_partner(a);
    if (b != none) add(Verb::zip, {a, b});
  }

  void draw_split() {
    const std::size_t in = pick([&](const PlanStage& s) {
      return s.at_most < most_messages && (s.bracket == none || stages_[stages_[s.bracket].inputs[0]].bracket == none);
    });
    if (in == none) return;
    const std::size_t id = add(Verb::split, {in});
    PlanStage& s = stages_[id];
    s.bracket = id;
    s.shards = random_.between(1, std::clamp<std::size_t>(most_messages / (s.at_most + 1), 1, 9));
    s.at_most *= s.shards;
    if (random_.chance(70)) draw_map(id);
    if (random_.chance(70)) draw_fold();
  }

  void draw_fold() {
    const std::size_t in = pick([](const PlanStage& s) { return s.bracket != none; });
    if (in == none) return;
    const std::size_t id = add(Verb::fold, {in});
    const PlanStage& split = stages_[stages_[in].bracket];
    stages_[id].bracket = stages_[split.inputs[0]].bracket;
    stages_[id].at_most = stages_[split.inputs[0]].at_most;
  }

  //  stream, feedback (and what is made of it) -> zip -> ... -> feedback
  void draw_feedback() {
    const std::size_t with = pick(
        [this](const PlanStage& s) { return !s.is_pair() && s.bracket == none && !s.endless && loops_[s.family]; });
    if (with == none) return;
    std::size_t id = add(Verb::feedback, {});
    stages_[id].family = stages_[with].family, stages_[id].at_most = stages_[with].at_most + 1;
    stages_[id].endless = true;
    stages_[id].capacity = random_.of<std::size_t>({1, 1, 1, 2, 5});
    const std::size_t feedback = id;
    if (random_.chance(20)) draw_map(id), id = stages_.size() - 1;
    open_.emplace_back(feedback, random_.chance(50) ? add(Verb::zip, {with, id}) : add(Verb::zip, {id, with}));
  }

  void close(std::size_t feedback, std::size_t pair) {
    std::size_t by = pick([&](const PlanStage& s) {
      return !s.is_pair() && s.bracket == none && !s.endless && s.family == stages_[feedback].family;
    });
    if (random_.chance(40) || by == none) draw_map(pair), by = stages_.size() - 1;
    stages_[feedback].inputs = {by};
    ++stages_[by].readers;
  }

  // One stream, or several of one family.
  void draw_sink(std::size_t first) {
    std::vector<std::size_t> inputs{first};
    if (!stages_[first].is_pair())
      for (std::size_t more = random_.of<std::size_t>({0, 0, 1, 2}); more > 0; --more)
        inputs.push_back(pick_partner(first));
    add(Verb::sink, inputs);
  }

  void draw_sinks() {
    for (std::size_t i = 0; i < stages_.size(); ++i)
      if (stages_[i].verb != Verb::sink && stages_[i].readers == 0) draw_sink(i);
  }

  // A zip with a source of another length.
  void draw_unequal() {
    const std::size_t a = pick([this](const PlanStage& s) {
      return !s.is_pair() && s.bracket == none && !s.endless && s.family == stages_[0].family;
    });
    std::size_t count = draw_count();
    if (count == stages_[0].count) ++count;
    const std::size_t b = add_source(count, new_family());
    plan_.wrong_stage = random_.chance(50) ? add(Verb::zip, {a, b}) : add(Verb::zip, {b, a});
  }

  //  stream -> lag -> zip
  //         --------> zip
  // The zip needs a message that the stream has no room for.
  void draw_stalled() {
    std::size_t room = random_.between(1, 8);
    const std::size_t stream = add_source(room + random_.between(1, 50), new_family());
    const std::size_t lag = add(Verb::expand, {stream});
    stages_[lag].expansion.kind = Expansion::lag;
    stages_[lag].expansion.most = room + random_.below(3);
    stages_[lag].expansion.salt = random_();
    stages_[lag].lag = stages_[lag].expansion.most;
    plan_.patient_stage = stream;
    room_of_the_stalled_ = room;
    plan_.wrong_stage = add(Verb::zip, {stream, lag});
  }

  Plan& plan_;
  Random random_;
  std::vector<PlanStage>& stages_ = plan_.stages;
  bool tight_ = false;                                     // many messages, little room: wake-ups all the time
  unsigned slow_ = 0;                                      // percent of the stages that take their time
  std::vector<bool> loops_;                                // by family
  std::vector<std::pair<std::size_t, std::size_t>> open_;  // feedbacks, each with a zip that reads it
  std::size_t room_of_the_stalled_ = 0;
};

}  // namespace

Plan::Plan(std::uint64_t seed, Wrong wrong) {
  Planner(*this, seed, wrong);
}

std::vector<std::size_t> Plan::change(Random& random) {
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    PlanStage& s = stages[i];
    if (!random.chance(30) || s.verb == Verb::sink) continue;
    changed.push_back(i);
    if (s.verb == Verb::map) {
      s.concurrency = draw_concurrency(random);
    } else {
      s.capacity = s.least_capacity + random.of<std::size_t>({0, 0, 1, 2, random.below(64)});
      if (s.verb == Verb::split) s.shards = random.between(1, s.shards + 1 < 9 ? s.shards + 1 : 9);
    }
  }
  return changed;
}

void Plan::change_lengths(Random& random) {
  std::map<std::size_t, std::size_t> lengths;  // by family
  for (PlanStage& s : stages)
    if (s.verb == Verb::source) s.count = lengths.try_emplace(s.family, random.below(s.at_most + 1)).first->second;
}

bool Plan::skips() const {
  return std::any_of(stages.begin(), stages.end(), [](const PlanStage& s) { return s.skips; });
}

std::size_t Plan::shards_of_message(std::size_t stage) const {
  std::size_t product = 1;
  for (std::size_t split = stages[stage].bracket; split != none; split = stages[stages[split].inputs[0]].bracket)
    product *= stages[split].shards;
  return product;
}

std::string Plan::describe() const {
  static constexpr const char *expansions[] = {" repeat ", " lag ", " gather "},
                              *delays[] = {"", " spin ", " yield ", " sleep "};
  std::ostringstream out;
  out << threads << " threads\n";
  for (const PlanStage& s : stages) {
    out << "  " << s.name << " <-";
    for (const std::size_t i : s.inputs) out << ' ' << stages[i].name;
    if (s.verb == Verb::source) out << " count " << s.count;
    if (s.verb == Verb::map)
      out << " concurrency " << s.concurrency.limit;
    else if (s.verb != Verb::sink)
      out << " capacity " << s.capacity;
    if (s.verb == Verb::split) out << " shards " << s.shards;
    if (s.verb == Verb::expand) out << expansions[s.expansion.kind] << s.expansion.most << " rest " << s.expansion.rest;
    if (s.recycling) out << " recycling";
    if (s.takes) out << " takes";
    if (s.waits) out << " waits";
    if (s.skips) out << " skips";
    if (s.delay.kind != Delay::no) out << delays[s.delay.kind] << s.delay.turns << " one in " << s.delay.one_in;
    out << '\n';
  }
  return out.str();
}

}  // namespace sluice::test
