// What a random plan gives: one message after the other, with no capacities and no threads.
#include <algorithm>
#include <utility>

#include "tests/pipeline/random_plan.hpp"

namespace sluice::test {

void Expansion::push(Digest in) {
  state_ = mix(state_, in);
  if (kind == repeat) left_ = mix(salt, in) % (most + 1);
  if (kind == gather && ++gathered_ == most) gathered_ = 0, left_ = 1;
  if (kind == lag) held_.push_back(in);
}

std::optional<Digest> Expansion::pull() {
  if (kind == lag) {
    if (held_.size() <= (finished_ ? 0 : most)) return std::nullopt;
    const Digest in = held_.front();
    held_.pop_front();
    return mix(salt, in);
  }
  if (left_ == 0) return std::nullopt;
  return mix(mix(salt, state_), left_--);
}

void Expansion::finish() {
  finished_ = true;
  state_ = mix(state_, 1);
  if (kind == repeat) left_ = rest;
  if (kind == gather) left_ = gathered_ > 0;
}

namespace {

// Goes round all stages, each as far as its inputs allow, until nothing moves any more.
class Interpreter {
 public:
  Interpreter(const Plan& plan, const std::vector<Digest>& start)
      : plan_(plan),
        start_(start),
        ended_(plan.stages.size()),
        expansions_(plan.stages.size()),
        sums_(plan.stages.size()) {
    const std::size_t n = plan.stages.size();
    result_.made.resize(n), result_.from.resize(n), result_.taken.resize(n);
    for (std::size_t i = 0; i < n; ++i) expansions_[i] = plan.stages[i].expansion, sums_[i] = i;
  }

  Result run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < ended_.size(); ++i) moved |= step(i);
    }
    result_.complete = std::all_of(ended_.begin(), ended_.end(), [](bool ended) { return ended; });
    return std::move(result_);
  }

 private:
  // Whether anything moved.
  bool step(std::size_t i) {
    if (ended_[i]) return false;
    const PlanStage& s = plan_.stages[i];
    if (s.first != none) return ended_[i] = ended_[s.first];  // made by the other
    auto& made = result_.made[i];
    std::size_t& taken = result_.taken[i];
    const std::size_t before = made.size() + taken;
    const std::size_t group = s.verb == Verb::fold ? plan_.stages[plan_.stages[s.inputs[0]].bracket].shards : 1;
    if (s.verb == Verb::source)
      while (made.size() < s.count) made.push_back(unless_it_fails(i, mix(i, made.size()), mix(i, made.size())));
    if (s.verb == Verb::feedback && made.empty()) made.push_back(start_[i]);
    while (!s.inputs.empty() && taken < available(s) / group) take(i, taken++, group);
    if (ends(s, taken, group)) {
      ended_[i] = true;
      if (s.verb == Verb::expand) {
        expansions_[i].finish();
        pull_all(i, none);
      }
    }
    return ended_[i] || made.size() + taken != before;
  }

  std::size_t available(const PlanStage& s) const {
    std::size_t least = none;
    for (const std::size_t in : s.inputs) least = std::min(least, result_.made[in].size());
    return least;
  }

  // A stream that is endless ends with those that it is joined with.
  bool ends(const PlanStage& s, std::size_t taken, std::size_t group) const {
    return std::all_of(s.inputs.begin(), s.inputs.end(), [&](std::size_t in) {
      const bool joined = plan_.stages[in].endless && !s.endless;
      return joined || (ended_[in] && result_.made[in].size() == taken * group);
    });
  }

  void take(std::size_t i, std::size_t k, std::size_t group) {
    const PlanStage& s = plan_.stages[i];
    auto& made = result_.made[i];
    const auto& in = result_.made[s.inputs[0]];
    const bool fixed = s.verb != Verb::filter && s.verb != Verb::partition && s.verb != Verb::expand;
    if (result_.input_is_hole(s, k, group)) {
      if (fixed) made.insert(made.end(), s.verb == Verb::split ? s.shards : 1, hole);
      return;
    }
    if (!fixed && s.skips && fails(i, in[k])) return;  // (what a sink fails at it has taken all the same)
    switch (s.verb) {
      case Verb::map:
        made.push_back(unless_it_fails(i, in[k], mix(i, in[k])));
        break;
      case Verb::partition:
        (keeps(i, in[k]) ? made : result_.made[s.second]).push_back(in[k]);
        break;
      case Verb::feedback:
        made.push_back(in[k]);
        break;
      case Verb::filter:
        if (keeps(i, in[k])) made.push_back(in[k]);
        break;
      case Verb::expand:
        expansions_[i].push(in[k]);
        pull_all(i, k);
        break;
      case Verb::split:
        for (std::size_t part = 0; part < s.shards; ++part) {
          const Digest shard = mix(mix(i, in[k]), part * 16 + s.shards);
          made.push_back(unless_it_fails(i, shard, shard));
        }
        break;
      case Verb::fold:
        if (s.skips && fails(i, in[k * group])) return made.push_back(hole);
        for (std::size_t part = 0; part < group; ++part) sums_[i] = mix(sums_[i], in[k * group + part]);
        made.push_back(sums_[i]);
        break;
      default: {  // zip and sink
        Digest sum = in[k];
        for (std::size_t port = 1; port < s.inputs.size(); ++port) sum = mix(sum, result_.made[s.inputs[port]][k]);
        made.push_back(sum);
      }
    }
  }

  void pull_all(std::size_t i, std::size_t from) {
    while (const auto out = expansions_[i].pull()) {
      result_.made[i].push_back(*out);
      result_.from[i].push_back(from);
    }
  }

  Digest unless_it_fails(std::size_t i, Digest at, Digest made) const {
    return plan_.stages[i].skips && fails(i, at) ? hole : made;
  }

  const Plan& plan_;
  const std::vector<Digest>& start_;
  std::vector<bool> ended_;
  std::vector<Expansion> expansions_;
  std::vector<Digest> sums_;  // of folds
  Result result_;
};

}  // namespace

bool Result::input_is_hole(const PlanStage& stage, std::size_t k, std::size_t group) const {
  for (const std::size_t in : stage.inputs)
    for (std::size_t part = 0; part < group; ++part)
      if (made[in][k * group + part] == hole) return true;
  return false;
}

Result interpret(const Plan& plan, const std::vector<Digest>& start) {
  return Interpreter(plan, start).run();
}

}  // namespace sluice::test
