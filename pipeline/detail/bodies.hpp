// The typed part of each verb: loops over the rings of its streams and calls the user's callable.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "pipeline/detail/clock.hpp"
#include "pipeline/detail/ring.hpp"
#include "pipeline/detail/stage.hpp"
#include "pipeline/verbs.hpp"

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
  void allocate(std::size_t messages) override { ring.allocate(messages); }
  std::size_t value_bytes() const override { return Ring<T>::stride; }

  Ring<T> ring;
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

 private:
  F f_;
};

template <class F, class T>
class SourceBody final : public CallableProducer<F, T> {
 public:
  using CallableProducer<F, T>::CallableProducer;
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    auto& f = this->function();
    for (const std::uint64_t begin = ticks(); at < last && !stop.load(std::memory_order_relaxed); ++at) {
      // What is made already does not wait for a source that has become slow.
      if (ticks() - begin > ticket_ticks) break;
      if constexpr (!verbs::ValueForm<Callable<F>, std::optional<T>>) {
        if (!f(this->ring.slot(at).recycled())) return false;
      } else {
        this->ring.slot(at).clear();
        std::optional<T> value = f();
        if (!value) return false;
        this->ring.slot(at).set(std::move(*value));
      }
    }
    return true;
  }
};

template <class F, class In, class T>
class MapBody final : public CallableProducer<F, T> {
 public:
  MapBody(F f, Producer<In>& in) : CallableProducer<F, T>(std::move(f)), in_(in) {}
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    const auto& f = this->function();
    for (; at < last && !stop.load(std::memory_order_relaxed); ++at) this->make(at, f, std::as_const(in_.ring[at]));
    return true;
  }

 private:
  Producer<In>& in_;
};

template <class F, class In, class T>
class ExpandBody final : public CallableProducer<F, T> {
 public:
  ExpandBody(F f, Producer<In>& in) : CallableProducer<F, T>(std::move(f)), in_(in) {}
  bool run(std::uint64_t&, std::uint64_t, const std::atomic<bool>&) override { return true; }
  void push(std::uint64_t k) override { this->function().push(std::as_const(in_.ring[k])); }
  bool pull(std::uint64_t k) override {
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
  void finish() override {
    if constexpr (requires { this->function().finish(); }) this->function().finish();
  }

 private:
  Producer<In>& in_;
};

template <class F, class In, class T>
class SplitBody final : public CallableProducer<F, T> {
 public:
  SplitBody(F f, Producer<In>& in) : CallableProducer<F, T>(std::move(f)), in_(in) {}
  void set_shards(std::size_t count) override { shards_ = count; }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    const auto& f = this->function();
    for (; at < last && !stop.load(std::memory_order_relaxed); ++at)
      this->make(at, f, std::as_const(in_.ring[at / shards_]), static_cast<std::size_t>(at % shards_), shards_);
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
  void set_shards(std::size_t count) override { shards_ = count; }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    auto& f = this->function();
    for (; at < last && !stop.load(std::memory_order_relaxed); ++at)
      this->make(at, f, Group<In>(in_.ring.bytes(), Ring<In>::stride, in_.ring.mask(), at * shards_, shards_));
    return true;
  }

 private:
  Producer<In>& in_;
  std::size_t shards_ = 1;
};

template <class F, class... In>
class SinkBody final : public Body {
 public:
  SinkBody(F f, Producer<In>&... in) : f_(std::move(f)), in_(in...) {}
  void reset() override { reset_if_it_can(callable(f_)); }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    auto& f = callable(f_);
    for (; at < last && !stop.load(std::memory_order_relaxed); ++at)
      std::apply([&](auto&... in) { f(std::as_const(in.ring[at])...); }, in_);
    return true;
  }
  void finish() override {
    if constexpr (requires { callable(f_).finish(); }) callable(f_).finish();
  }

 private:
  F f_;
  std::tuple<Producer<In>&...> in_;
};

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

template <class... In>
class ZipBody final : public Producer<std::tuple<In...>> {
 public:
  explicit ZipBody(Producer<In>&... in) : in_(in...) {}
  void set_exclusive(std::size_t port, bool exclusive) override { exclusive_[port] = exclusive; }
  bool copies(std::size_t port) const override {
    constexpr bool can[] = {std::is_copy_constructible_v<In>...};
    return can[port];
  }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    for (; at < last && !stop.load(std::memory_order_relaxed); ++at) join(at, std::index_sequence_for<In...>{});
    return true;
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
  template <std::size_t... I>
  void join(std::uint64_t k, std::index_sequence<I...>) {
    auto& slot = this->ring.slot(k);
    if constexpr ((transferable<In> && ...)) {
      auto& out = slot.recycled();
      (transfer(std::get<I>(in_).ring[k], std::get<I>(out), exclusive_[I]), ...);
    } else {
      slot.clear();
      slot.set(std::tuple<In...>(taken(std::get<I>(in_).ring[k], exclusive_[I])...));
    }
  }

  std::tuple<Producer<In>&...> in_;
  bool exclusive_[sizeof...(In)] = {};
};

template <class T>
class FeedbackBody final : public Producer<T> {
 public:
  explicit FeedbackBody(T initial) : value_(std::move(initial)) {}
  void close(Producer<T>& in) { in_ = &in; }
  const T& value() const { return value_; }
  void set_value(T value) { value_ = std::move(value); }

  void set_exclusive(std::size_t, bool exclusive) override { exclusive_ = exclusive; }
  bool copies(std::size_t) const override { return std::is_copy_constructible_v<T>; }
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    for (; at < last && !stop.load(std::memory_order_relaxed); ++at) {
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
