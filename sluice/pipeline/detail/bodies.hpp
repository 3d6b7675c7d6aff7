// The typed part of the verbs that call a callable: loops over the rings of their streams. zip and feedback:
// carriers.hpp.
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
  std::size_t state_bytes() const override {
    if constexpr (requires(const Callable<F>& f) { f.state_bytes(); })
      return const_cast<CallableProducer*>(this)->function().state_bytes();
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

}  // namespace sluice::detail
