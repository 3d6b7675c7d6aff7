// The typed part of the verbs that carry values through: zip, filter, partition and feedback.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <sluice/pipeline/detail/bodies.hpp>
#include <sluice/pipeline/detail/ring.hpp>

namespace sluice::detail {

// Message k out of its slot: swapped with what lies in `out` when nobody else reads it (so that both slots keep memory
// to use again), copied otherwise. Without a copy constructor the graph's check has made sure of the former.
template <class T>
void transfer(T& in, T& out, bool exclusive) {
  if (exclusive) {
    using std::swap;
    swap(in, out);
  } else if constexpr (std::is_copy_assignable_v<T>) {
    out = in;
  }
}
template <class T>
T taken(T& in, bool exclusive) {
  if constexpr (std::is_copy_constructible_v<T>) {
    return exclusive ? T(std::move(in)) : T(std::as_const(in));
  } else {
    return T(std::move(in));
  }
}
template <class T>
inline constexpr bool transferable = std::default_initializable<T>&& std::swappable<T> &&
                                     (std::is_copy_assignable_v<T> || !std::is_copy_constructible_v<T>);

// Into the slot of a stream of its own; carries_memory: in both directions.
template <class T>
void hand_on(T& in, Slot<T>& slot, bool carries_memory, bool exclusive) {
  if constexpr (transferable<T>) {
    if (carries_memory || std::is_trivially_copyable_v<T>) return transfer(in, slot.recycled(), exclusive);
  }
  slot.clear();
  slot.set(taken(in, exclusive));
}

template <class... In>
class ZipBody final : public Producer<std::tuple<In...>> {
 public:
  explicit ZipBody(Producer<In>&... in) : in_(in...), carries_memory_(recycles()) {}
  void set_exclusive(std::size_t port, bool exclusive) override { exclusive_[port] = exclusive; }
  bool copies(std::size_t port) const override {
    constexpr bool can[] = {std::is_copy_constructible_v<In>...};
    return can[port];
  }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    for (; at < last && !asked_to_stop(stop); ++at) {
      const bool hole = std::apply([&](auto&... in) { return (in.ring.hole(at) || ...); }, in_);
      this->ring.set_hole(at, hole);
      if (hole)
        this->mishaps.pass_over(1);
      else
        join(at, Parts{});
    }
    return true;
  }
  // What an input's stage recycles is carried with its memory, the rest of the pair is not.
  bool recycles() const override { return recycles(Parts{}); }
  bool releases() const override { return releases(Parts{}); }
  void release(std::uint64_t first, std::uint64_t last) override {
    for (; first < last; ++first) release(first, Parts{});
  }
  std::optional<std::size_t> payload_bytes() const override {
    std::size_t sum = 0;
    bool known = true;
    const auto add = [&](std::optional<std::size_t> bytes) {
      sum += bytes.value_or(0);
      known &= bytes.has_value();
    };
    std::apply([&](auto&... in) { (add(in.payload_bytes()), ...); }, in_);
    return known ? std::optional(sum) : std::nullopt;
  }

 private:
  using Parts = std::index_sequence_for<In...>;
  static constexpr bool all_transferable = (transferable<In> && ...);

  template <std::size_t... I>
  bool recycles(std::index_sequence<I...>) const {
    return all_transferable && (std::get<I>(in_).recycles() || ...);
  }
  template <std::size_t... I>
  bool releases(std::index_sequence<I...>) const {
    return (std::get<I>(in_).releases() || ...) || (!recycles() && !(std::is_trivially_destructible_v<In> && ...));
  }
  template <std::size_t... I>
  void release(std::uint64_t k, std::index_sequence<I...>) {
    auto& slot = this->ring.slot(k);
    if constexpr (all_transferable) {
      if (recycles() && slot.engaged())
        return ((std::get<I>(in_).releases() ? forget(std::get<I>(slot.value())) : void()), ...);
    }
    slot.clear();
  }
  template <class T>
  static void forget(T& value) {
    value = T();
  }
  template <std::size_t... I>
  void join(std::uint64_t k, std::index_sequence<I...>) {
    auto& slot = this->ring.slot(k);
    if constexpr (all_transferable) {
      if (carries_memory_ || (std::is_trivially_copyable_v<In> && ...)) {
        auto& out = slot.recycled();
        return (transfer(std::get<I>(in_).ring[k], std::get<I>(out), exclusive_[I]), ...);
      }
    }
    slot.clear();
    slot.set(std::tuple<In...>(taken(std::get<I>(in_).ring[k], exclusive_[I])...));
  }

  std::tuple<Producer<In>&...> in_;
  const bool carries_memory_;
  bool exclusive_[sizeof...(In)] = {};
};

template <class F, class T>
class FilterBody final : public CallableProducer<F, T> {
 public:
  FilterBody(F f, Producer<T>& in) : CallableProducer<F, T>(std::move(f)), in_(in), carries_memory_(in.recycles()) {}
  bool recycles() const override { return in_.recycles(); }
  void set_exclusive(std::size_t, bool exclusive) override { exclusive_ = exclusive; }
  bool copies(std::size_t) const override { return std::is_copy_constructible_v<T>; }
  bool run(std::uint64_t&, std::uint64_t, const std::atomic<bool>&) override { return true; }
  std::uint64_t sift(std::uint64_t& in, std::uint64_t last, std::uint64_t made, std::uint64_t limit,
                     const std::atomic<bool>& stop) override {
    auto& f = this->function();
    const auto go_on = [&] { return in < last && made < limit && !asked_to_stop(stop); };
    if (!this->mishaps.skips() && !in_.ring.may_have_holes()) {
      for (; go_on(); ++in)
        if (f(std::as_const(in_.ring[in]))) hand_on(in_.ring[in], this->ring.slot(made++), carries_memory_, exclusive_);
      return made;
    }
    for (; go_on(); ++in) {
      if (in_.ring.hole(in)) {
        this->mishaps.pass_over(1);
        continue;
      }
      bool keep = false;
      this->tried(in, [&] { keep = f(std::as_const(in_.ring[in])); });
      if (keep) hand_on(in_.ring[in], this->ring.slot(made++), carries_memory_, exclusive_);
    }
    return made;
  }
  // Of a message, which is not the filter's own.
  std::optional<std::size_t> payload_bytes() const override { return in_.payload_bytes(); }

 private:
  Producer<T>& in_;
  const bool carries_memory_;
  bool exclusive_ = false;
};

// A partition's second stream: its messages are made by the first one's body.
template <class T>
class BranchBody final : public Producer<T> {
 public:
  bool run(std::uint64_t&, std::uint64_t, const std::atomic<bool>&) override { return true; }
  bool recycles() const override { return recycles_; }
  std::optional<std::size_t> payload_bytes() const override { return payload_; }
  void is_made_by(const Producer<T>& first) {
    recycles_ = first.recycles();
    payload_ = first.payload_bytes();
  }

 private:
  bool recycles_ = false;
  std::optional<std::size_t> payload_;
};

// By a predicate: both streams have the type of the one that comes in.
template <class F, class T>
class SiftingPartition final : public CallableProducer<F, T> {
 public:
  SiftingPartition(F f, Producer<T>& in, BranchBody<T>& rest)
      : CallableProducer<F, T>(std::move(f)), in_(in), rest_(rest), carries_memory_(in.recycles()) {
    rest.is_made_by(*this);
  }
  bool recycles() const override { return in_.recycles(); }
  bool takes_out() const override { return true; }
  void set_exclusive(std::size_t, bool exclusive) override { exclusive_ = exclusive; }
  bool copies(std::size_t) const override { return std::is_copy_constructible_v<T>; }
  bool run(std::uint64_t&, std::uint64_t, const std::atomic<bool>&) override { return true; }
  void part(std::uint64_t& in, std::uint64_t last, Body::Branches& to, const std::atomic<bool>& stop) override {
    auto& f = this->function();
    const bool careful = this->mishaps.skips() || in_.ring.may_have_holes();
    for (; in < last && to.made[0] < to.limit[0] && to.made[1] < to.limit[1] && !asked_to_stop(stop); ++in) {
      bool first = false;
      if (!careful) {
        first = f(std::as_const(in_.ring[in]));
      } else if (in_.ring.hole(in)) {
        this->mishaps.pass_over(1);
        continue;
      } else if (!this->tried(in, [&] { first = f(std::as_const(in_.ring[in])); })) {
        continue;
      }
      hand_on(in_.ring[in], first ? this->ring.slot(to.made[0]++) : rest_.ring.slot(to.made[1]++), carries_memory_,
              exclusive_);
    }
  }
  std::optional<std::size_t> payload_bytes() const override { return in_.payload_bytes(); }

 private:
  Producer<T>& in_;
  BranchBody<T>& rest_;
  const bool carries_memory_;
  bool exclusive_ = false;
};

// By what the body makes of a message: one of two types, a stream each.
template <class F, class In, class A, class B>
class SortingPartition final : public CallableProducer<F, A> {
  using Made = std::variant<A, B>;
  static constexpr bool looks = verbs::ValueForm<Callable<F>, Made, const In&>;
  static constexpr bool takes = !looks || by_value<typename FirstParameter<Callable<F>>::type, In>;

 public:
  SortingPartition(F f, Producer<In>& in, BranchBody<B>& rest)
      : CallableProducer<F, A>(std::move(f)), in_(in), rest_(rest) {}
  bool takes_out() const override { return takes; }
  bool copies(std::size_t) const override { return looks; }
  void set_exclusive(std::size_t, bool exclusive) override { exclusive_ = exclusive; }
  bool run(std::uint64_t&, std::uint64_t, const std::atomic<bool>&) override { return true; }
  void part(std::uint64_t& in, std::uint64_t last, Body::Branches& to, const std::atomic<bool>& stop) override {
    const bool careful = this->mishaps.skips() || in_.ring.may_have_holes();
    for (; in < last && to.made[0] < to.limit[0] && to.made[1] < to.limit[1] && !asked_to_stop(stop); ++in) {
      if (!careful) {
        place(call(in), to);
      } else if (in_.ring.hole(in)) {
        this->mishaps.pass_over(1);
      } else {
        this->tried(in, [&] { place(call(in), to); });
      }
    }
  }

 private:
  Made call(std::uint64_t k) {
    auto& f = this->function();
    if constexpr (takes) {
      if (!looks || exclusive_) return f(std::move(in_.ring[k]));
    }
    if constexpr (looks) return f(std::as_const(in_.ring[k]));
  }
  void place(Made made, Body::Branches& to) {
    if (A* const first = std::get_if<0>(&made)) {
      this->ring.slot(to.made[0]).set(std::move(*first));
      ++to.made[0];
    } else {
      rest_.ring.slot(to.made[1]).set(std::get<1>(std::move(made)));
      ++to.made[1];
    }
  }

  Producer<In>& in_;
  BranchBody<B>& rest_;
  bool exclusive_ = false;
};

template <class T>
class FeedbackBody final : public Producer<T> {
 public:
  explicit FeedbackBody(T initial) : value_(std::move(initial)) {}
  void close(Producer<T>& in) { in_ = &in; }
  const T& value() const { return value_; }
  // The last message is not for nobody: keep() takes it.
  bool recycles() const override { return true; }
  void set_value(T value) { value_ = std::move(value); }

  void set_exclusive(std::size_t, bool exclusive) override { exclusive_ = exclusive; }
  bool copies(std::size_t) const override { return std::is_copy_constructible_v<T>; }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    for (; at < last && !asked_to_stop(stop); ++at) {
      auto& slot = this->ring.slot(at);
      if (at == 0)
        slot.set(taken(value_, false));
      else if constexpr (transferable<T>)
        transfer(in_->ring[at - 1], slot.recycled(), exclusive_);
      else
        slot.set(taken(in_->ring[at - 1], exclusive_));
    }
    return true;
  }
  void keep(std::uint64_t end) override { value_ = std::move(this->ring[end]); }
  std::optional<std::size_t> payload_bytes() const override { return in_ ? in_->payload_bytes() : std::nullopt; }

 private:
  T value_;
  Producer<T>* in_ = nullptr;
  bool exclusive_ = false;
};

}  // namespace sluice::detail
