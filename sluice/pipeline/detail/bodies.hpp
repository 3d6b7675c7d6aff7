// The typed part of the verbs that call a callable: loops over the rings of their streams. Sources that are filled from
// outside: fed.hpp; zip, filter, partition and feedback: carriers.hpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/detail/ring.hpp>
#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/detail/takes.hpp>
#include <sluice/pipeline/verbs.hpp>

namespace sluice::detail {

// A callable given as std::ref(f) is used in place, any other is moved in.
template <class F>
F& callable(F& f) {
  return f;
}
template <class F>
F& callable(std::reference_wrapper<F>& f) {
  return f.get();
}
template <class F>
using Callable = std::remove_reference_t<std::unwrap_reference_t<F>>;

template <class F>
void reset_if_it_can(F& f) {
  if constexpr (requires { f.reset(); }) f.reset();
}

template <class T>
class Producer : public Body {
 public:
  void set_holes(bool holes) override { holes_ = holes; }
  void allocate(std::size_t messages) override { ring.allocate(messages, holes_); }
  std::size_t value_bytes() const override { return Ring<T>::stride; }

  // Whether a consumed message stays where it is, for the memory that it owns.
  virtual bool recycles() const { return false; }
  bool releases() const override { return !std::is_trivially_destructible_v<T> && !recycles(); }
  void release(std::uint64_t first, std::uint64_t last) override {
    for (std::uint64_t k = first; k < last; ++k) ring.slot(k).clear();
  }
  void release_all() override {
    if (releases()) ring.clear();
  }

  Ring<T> ring;

 private:
  bool holes_ = false;
};

// A producer whose messages come from a user's callable.
template <class F, class T>
class CallableProducer : public Producer<T> {
 public:
  explicit CallableProducer(F f) : f_(std::move(f)) {}
  void reset() override { reset_if_it_can(function()); }
  std::optional<std::size_t> payload_bytes() const override {
    if constexpr (requires(const Callable<F>& f) { f.payload_bytes(); })
      return const_cast<CallableProducer*>(this)->function().payload_bytes();
    else if constexpr (std::is_trivially_destructible_v<T>)  // owns nothing
      return 0;
    else
      return std::nullopt;
  }
  std::size_t state_bytes() const override {
    if constexpr (requires(const Callable<F>& f) { f.state_bytes(); })
      return const_cast<CallableProducer*>(this)->function().state_bytes();
    else
      return 0;
  }

  double waited_seconds() const override {
    if constexpr (requires(const Callable<F>& f) { f.waited_seconds(); })
      return const_cast<CallableProducer*>(this)->function().waited_seconds();
    else
      return 0;
  }

 protected:
  Callable<F>& function() { return callable(f_); }

  // Message k by the callable's form: the value that it returns, or the value that it writes into. What lay in the slot
  // goes before a new value is made: both at once would be more than the slot's share of the bound.
  template <class G, class... In>
  void make(std::uint64_t k, G& g, In&&... in) {
    auto& slot = this->ring.slot(k);
    if constexpr (verbs::RecyclingForm<G, T, In...>) {
      g(std::forward<In>(in)..., slot.recycled());
    } else {
      slot.clear();
      slot.set(g(std::forward<In>(in)...));
    }
  }

  // Makes messages [at, last), each by make_one(at), where some may be left out. hole(at): whether what it would be
  // made of is not there.
  template <class Hole, class Make>
  void make_with_care(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop, Hole hole, Make make_one) {
    for (; at < last && !asked_to_stop(stop); ++at) {
      const bool none = hole(at);
      if (none) this->mishaps.pass_over(1);
      this->ring.set_hole(at, none || !tried(at, [&] { make_one(at); }));
    }
  }
  // Whether f() threw nothing, or what it threw costs no more than its message.
  template <class Try>
  bool tried(std::uint64_t message, Try f) {
    try {
      f();
      return true;
    } catch (...) {
      this->mishaps.take(message);
      return false;
    }
  }

 private:
  F f_;
};

template <class F, class T>
class SourceBody final : public CallableProducer<F, T> {
 public:
  using CallableProducer<F, T>::CallableProducer;
  bool recycles() const override { return !verbs::ValueForm<Callable<F>, std::optional<T>>; }
  void report(Progress& progress) override { progress_ = &progress; }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    if (this->ring.may_have_holes())
      return progress_ ? ask<true, true>(at, last, stop) : ask<true, false>(at, last, stop);
    return progress_ ? ask<false, true>(at, last, stop) : ask<false, false>(at, last, stop);
  }

 private:
  template <bool careful, bool watched>
  bool ask(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) {
    const std::uint64_t longest = durations().ticket;
    for (const std::uint64_t begin = ticks(); at < last && !asked_to_stop(stop); ++at) {
      const std::uint64_t now = ticks();
      if constexpr (watched) {
        progress_->since.store(now, std::memory_order_relaxed);  // what is stored next releases it
        progress_->at.store(at, std::memory_order_release);
      }
      // What is made already does not wait for a source that has become slow. (The lookout relies on it.)
      if (now - begin > longest) break;
      if constexpr (careful) {
        bool more = true;
        this->ring.set_hole(at, !this->tried(at, [&] { more = make_one(at); }));
        if (!more) return false;
      } else if (!make_one(at)) {
        return false;
      }
    }
    return true;
  }
  bool make_one(std::uint64_t at) {
    auto& f = this->function();
    if constexpr (!verbs::ValueForm<Callable<F>, std::optional<T>>) {
      return f(this->ring.slot(at).recycled());
    } else {
      this->ring.slot(at).clear();
      std::optional<T> value = f();
      if (value) this->ring.slot(at).set(std::move(*value));
      return value.has_value();
    }
  }

  Progress* progress_ = nullptr;  // somebody looks
};

template <class F, class In, class T>
class MapBody final : public CallableProducer<F, T> {
  using G = const Callable<F>;
  static constexpr bool looks = verbs::Makes<G, T, const In&>;
  static constexpr bool takes = !looks || by_value<typename FirstParameter<Callable<F>>::type, In>;

 public:
  MapBody(F f, Producer<In>& in) : CallableProducer<F, T>(std::move(f)), in_(in) {}
  bool recycles() const override {
    return looks ? verbs::RecyclingForm<G, T, const In&> : verbs::RecyclingForm<G, T, In&&>;
  }
  bool takes_out() const override { return takes; }
  bool copies(std::size_t) const override { return looks; }
  void set_exclusive(std::size_t, bool exclusive) override { exclusive_ = exclusive; }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    if constexpr (takes) {
      if (!looks || exclusive_) return run_by<In&&>(at, last, stop), true;
    }
    if constexpr (looks) run_by<const In&>(at, last, stop);
    return true;
  }

 private:
  template <class Message>
  void run_by(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) {
    G& f = this->function();
    if (!this->ring.may_have_holes()) {
      for (; at < last && !asked_to_stop(stop); ++at) this->make(at, f, static_cast<Message>(in_.ring[at]));
      return;
    }
    this->make_with_care(
        at, last, stop, [this](std::uint64_t k) { return in_.ring.hole(k); },
        [&](std::uint64_t k) { this->make(k, f, static_cast<Message>(in_.ring[k])); });
  }

  Producer<In>& in_;
  bool exclusive_ = false;
};

template <class F, class In, class T>
class ExpandBody final : public CallableProducer<F, T> {
  static constexpr bool looks = verbs::Pushed<Callable<F>, const In&>;
  static constexpr bool takes = !looks || by_value<typename FirstPushed<Callable<F>>::type, In>;

 public:
  ExpandBody(F f, Producer<In>& in) : CallableProducer<F, T>(std::move(f)), in_(in) {}
  bool recycles() const override {
    return requires(Callable<F> & f, T & out) {
      f.pull(out);
    };
  }
  bool takes_out() const override { return takes; }
  bool copies(std::size_t) const override { return looks; }
  void set_exclusive(std::size_t, bool exclusive) override { exclusive_ = exclusive; }
  bool run(std::uint64_t&, std::uint64_t, const std::atomic<bool>&) override { return true; }
  void push(std::uint64_t k) override {
    if (in_.ring.hole(k)) this->mishaps.pass_over(1);
    pushed_ = k;
    none_ = in_.ring.hole(k) || !attempt([&] { give(k); });
  }
  bool pull(std::uint64_t k) override {
    if (none_) return false;
    bool made = false;
    none_ = !attempt([&] { made = pull_one(k); });
    return made;
  }
  void finish() override {
    none_ = false;
    finished_ = true;
    if constexpr (requires { this->function().finish(); }) this->function().finish();
  }
  void reset() override {
    none_ = finished_ = false;
    CallableProducer<F, T>::reset();
  }

 private:
  template <class Try>
  bool attempt(Try f) {
    if (this->mishaps.skips() && !finished_) return this->tried(pushed_, f);
    f();
    return true;
  }
  void give(std::uint64_t k) {
    auto& f = this->function();
    if constexpr (takes) {
      if (!looks || exclusive_) return static_cast<void>(f.push(std::move(in_.ring[k])));
    }
    if constexpr (looks) f.push(std::as_const(in_.ring[k]));
  }
  bool pull_one(std::uint64_t k) {
    auto& f = this->function();
    if constexpr (requires(T & out) { f.pull(out); }) {
      return f.pull(this->ring.slot(k).recycled());
    } else {
      this->ring.slot(k).clear();
      std::optional<T> value = f.pull();
      if (!value) return false;
      this->ring.slot(k).set(std::move(*value));
      return true;
    }
  }

  Producer<In>& in_;
  bool exclusive_ = false;
  bool none_ = false;  // nothing (more) is made of what was pushed last
  bool finished_ = false;
  std::uint64_t pushed_ = 0;
};

template <class F, class In, class T>
class SplitBody final : public CallableProducer<F, T> {
 public:
  SplitBody(F f, Producer<In>& in) : CallableProducer<F, T>(std::move(f)), in_(in) {}
  bool recycles() const override {
    return verbs::RecyclingForm<const Callable<F>, T, const In&, std::size_t, std::size_t>;
  }
  void set_shards(std::size_t count) override { shards_ = count; }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    const auto& f = this->function();
    const auto make_one = [&](std::uint64_t k) {
      this->make(k, f, std::as_const(in_.ring[k / shards_]), static_cast<std::size_t>(k % shards_), shards_);
    };
    if (this->ring.may_have_holes())
      this->make_with_care(
          at, last, stop, [this](std::uint64_t k) { return in_.ring.hole(k / shards_); }, make_one);
    else
      for (; at < last && !asked_to_stop(stop); ++at) make_one(at);
    return true;
  }

 private:
  Producer<In>& in_;
  std::size_t shards_ = 1;
};

template <class F, class In, class T>
class FoldBody final : public CallableProducer<F, T> {
 public:
  FoldBody(F f, Producer<In>& in) : CallableProducer<F, T>(std::move(f)), in_(in) {}
  bool recycles() const override { return verbs::RecyclingForm<Callable<F>, T, Group<In>>; }
  void set_shards(std::size_t count) override { shards_ = count; }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    auto& f = this->function();
    const auto make_one = [&](std::uint64_t k) {
      this->make(k, f, Group<In>(in_.ring.bytes(), Ring<In>::stride, in_.ring.mask(), k * shards_, shards_));
    };
    const auto hole = [this](std::uint64_t k) {
      for (std::size_t part = 0; part < shards_; ++part)
        if (in_.ring.hole(k * shards_ + part)) return true;
      return false;
    };
    if (this->ring.may_have_holes())
      this->make_with_care(at, last, stop, hole, make_one);
    else
      for (; at < last && !asked_to_stop(stop); ++at) make_one(at);
    return true;
  }

 private:
  Producer<In>& in_;
  std::size_t shards_ = 1;
};

template <class F, class... In>
class SinkBody final : public Body {
  static constexpr bool looks = verbs::Sunk<Callable<F>, const In&...>;
  static constexpr bool takes =
      !looks || (sizeof...(In) == 1 && (by_value<typename FirstParameter<Callable<F>>::type, In> && ...));

 public:
  SinkBody(F f, Producer<In>&... in) : f_(std::move(f)), in_(in...) {}
  void reset() override { reset_if_it_can(callable(f_)); }
  bool takes_out() const override { return takes; }
  bool copies(std::size_t) const override { return looks; }
  void set_exclusive(std::size_t, bool exclusive) override { exclusive_ = exclusive; }  // of one input; else all are
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    const bool careful =
        mishaps.skips() || std::apply([](auto&... in) { return (in.ring.may_have_holes() || ...); }, in_);
    if (careful) {
      for (; at < last && !asked_to_stop(stop); ++at)
        if (!take_with_care(at)) return ++at, false;
    } else {
      for (; at < last && !asked_to_stop(stop); ++at)
        if (!take(at)) return ++at, false;
    }
    return true;
  }
  void finish() override {
    if constexpr (requires { callable(f_).finish(); }) callable(f_).finish();
  }

 private:
  // Whether there may be more.
  bool take(std::uint64_t k) {
    const auto call = [this](auto&&... in) {
      auto& f = callable(f_);
      if constexpr (std::is_same_v<decltype(f(std::forward<decltype(in)>(in)...)), Demand>) {
        return f(std::forward<decltype(in)>(in)...) == Demand::more;
      } else {
        f(std::forward<decltype(in)>(in)...);
        return true;
      }
    };
    if constexpr (takes) {
      if (!looks || exclusive_) return std::apply([&](auto&... in) { return call(std::move(in.ring[k])...); }, in_);
    }
    if constexpr (looks) return std::apply([&](auto&... in) { return call(std::as_const(in.ring[k])...); }, in_);
  }
  bool take_with_care(std::uint64_t k) {
    if (std::apply([&](auto&... in) { return (in.ring.hole(k) || ...); }, in_)) {
      mishaps.pass_over(1);
      return true;
    }
    try {
      return take(k);
    } catch (...) {
      mishaps.take(k);
      return true;
    }
  }

  F f_;
  std::tuple<Producer<In>&...> in_;
  bool exclusive_ = false;
};

}  // namespace sluice::detail
