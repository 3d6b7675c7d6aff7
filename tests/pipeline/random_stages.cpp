#include "tests/pipeline/random_stages.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "tests/support/concurrency.hpp"

namespace sluice::test {

void StageBody::prepare(const Result& expected, std::size_t window, std::vector<Trap> traps) {
  expected_ = &expected;
  window_ = window;
  traps_ = std::move(traps);
  trapped_.clear();
  for (const Trap& t : traps_) {
    const std::uint64_t at = stage().verb == Verb::split ? t.sequence / stage().shards : t.sequence;
    trapped_.push_back(stage().inputs.empty() || t.where != Trap::body ? 0 : expected.made[stage().inputs[0]][at]);
  }
  finishes_ = resets_ = 0;
  enough_at = ~std::uint64_t{0};
}

void StageBody::fault(const std::string& what) {
  watch_.fault(stage().name + ": " + what + " (made " + std::to_string(made_) + ", taken " + std::to_string(taken_) +
               ")");
}

// The k-th message that comes in is the k-th that was to come: in order, none lost, none twice.
void StageBody::expect_input(std::uint64_t k, Digest in) {
  const auto& expected = stage().verb == Verb::sink ? expected_->made[id_] : expected_->made[stage().inputs[0]];
  if (k >= expected.size() || expected[k] != in || in == hole)
    fault("another message than number " + std::to_string(k));
}

std::uint64_t StageBody::next_there(std::uint64_t k) const {
  const PlanStage& s = stage();
  if (s.inputs.empty()) return k;
  const std::size_t group = s.verb == Verb::fold ? plan_.stages[plan_.stages[s.inputs[0]].bracket].shards : 1;
  std::size_t length = ~std::size_t{0};
  for (const std::size_t in : s.inputs) length = std::min(length, expected_->made[in].size() / group);
  while (k < length && expected_->input_is_hole(s, k, group)) ++k;
  return k;
}

void StageBody::fail_if_it_does(Digest at) const {
  if (stage().skips && fails(id_, at)) throw Failed(stage().name);
}

// Nothing is made that would not fit.
void StageBody::expect_room(std::uint64_t k) {
  if (watch_.stopped) return;  // what is for nobody passes
  for (const Consumer& c : consumers)
    if (k >= (c.body->done * c.multiply + c.slack) / c.divide + window_)
      fault("message " + std::to_string(k) + " has no room");
}

void StageBody::spring(Trap::Where where, std::uint64_t k) const {
  for (const Trap& t : traps_)
    if (t.where == where && t.sequence == k) spring(t);
}

void StageBody::spring(const Trap& trap) const {
  if (!trap.cancels) throw Sprung(stage().name);
  watch_.cancel();
}

void StageBody::delay(Digest in) const {
  const Delay& d = stage().delay;
  if (d.kind == Delay::no || in % d.one_in != 0) return;
  if (d.kind == Delay::spin) spin(d.turns);
  if (d.kind == Delay::yield) std::this_thread::yield();
  if (d.kind == Delay::sleep) std::this_thread::sleep_for(std::chrono::microseconds(d.turns));
}

void StageBody::reset() {
  watch_.begun = true;
  ++resets_;
  made_ = taken_ = 0;
  done = next_there(0);
  sum_ = id_;
  expansion_ = stage().expansion;
  spring(Trap::reset, 0);
}

std::optional<Digest> StageBody::source() {
  const Inside inside(*this);
  expect_room(made_);
  spring(Trap::body, made_);
  delay(mix(made_));
  if (made_ == stage().count) return std::nullopt;
  const Digest out = mix(id_, made_++);
  fail_if_it_does(out);
  return out;
}

Digest StageBody::map(Digest in) {
  const Inside inside(*this);
  for (std::size_t t = 0; t < traps_.size(); ++t)
    if (traps_[t].where == Trap::body && trapped_[t] == in) spring(traps_[t]);
  delay(in);
  ++made_;
  fail_if_it_does(in);
  return mix(id_, in);
}

void StageBody::push(Digest in) {
  const Inside inside(*this);
  taken_ = next_there(taken_);
  expect_input(taken_, in);
  spring(Trap::body, taken_);
  ++taken_;
  if (stage().skips && fails(id_, in)) done = next_there(taken_);
  fail_if_it_does(in);
  expansion_.push(in);
}

std::optional<Digest> StageBody::pull() {
  const Inside inside(*this);
  expect_room(made_);
  spring(Trap::pull, made_);
  const auto out = expansion_.pull();
  if (out) {
    delay(*out);
    ++made_;
  } else {
    done = next_there(taken_);
  }
  return out;
}

bool StageBody::keep(Digest in) {
  const Inside inside(*this);
  taken_ = next_there(taken_);
  expect_input(taken_, in);
  expect_room(made_);
  spring(Trap::body, taken_);
  delay(in);
  ++taken_;
  done = next_there(taken_);
  fail_if_it_does(in);
  const bool kept = keeps(id_, in);
  made_ += kept;
  return kept;
}

bool StageBody::part(Digest in, StageBody& second) {
  second.expect_room(second.made_);
  const std::uint64_t kept = made_;
  if (keep(in)) return true;
  if (made_ != kept) fault("kept two");
  ++second.made_;
  return false;
}

void StageBody::finish() {
  const Inside inside(*this);
  ++finishes_;
  taken_ = next_there(taken_);
  if (taken_ != expected_->taken[id_] && !watch_.stopped) fault("finished too early");
  if (stage().verb == Verb::sink)
    done = std::uint64_t{1} << 42;  // what is left over of a feedback does not wait for it
  spring(Trap::finish, 0);
  expansion_.finish();
}

Digest StageBody::cut(Digest in, std::size_t part, std::size_t parts) {
  const Inside inside(*this);
  while (made_ % parts == 0 && next_there(made_ / parts) != made_ / parts) made_ += parts;
  const std::uint64_t k = made_;
  expect_room(k);
  expect_input(k / parts, in);
  if (k % parts != part || parts != stage().shards) fault("part " + std::to_string(part));
  spring(Trap::body, k);
  delay(in);
  ++made_;
  const Digest out = mix(mix(id_, in), part * 16 + parts);
  fail_if_it_does(out);
  return out;
}

Demand StageBody::sink(Digest in) {
  const Inside inside(*this);
  taken_ = next_there(taken_);
  expect_input(taken_, in);
  spring(Trap::body, taken_);
  delay(in);
  ++taken_;
  done = next_there(taken_);
  fail_if_it_does(in);
  if (taken_ <= enough_at) return Demand::more;
  return Demand::enough;
}

}  // namespace sluice::test
