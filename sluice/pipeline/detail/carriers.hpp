// The typed part of the verbs that carry values through: zip, filter and feedback.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

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

template <class F, class T>
class FilterBody final : public CallableProducer<F, T> {
 public:
  FilterBody(F f, Producer<T>& in) : CallableProducer<F, T>(std::move(f)), in_(in) {}
  void set_exclusive(std::size_t, bool exclusive) override { exclusive_ = exclusive; }
  bool copies(std::size_t) const override { return std::is_copy_constructible_v<T>; }
  bool run(std::uint64_t&, std::uint64_t, const std::atomic<bool>&) override { return true; }
  std::uint64_t sift(std::uint64_t& in, std::uint64_t last, std::uint64_t made, std::uint64_t limit,
                     const std::atomic<bool>& stop) override {
    auto& f = this->function();
    for (; in < last && made < limit && !stop.load(std::memory_order_relaxed); ++in)
      if (f(std::as_const(in_.ring[in]))) hand_on(in_.ring[in], this->ring.slot(made++));
    return made;
  }
  // Of a message, which is not the filter's own.
  std::optional<std::size_t> payload_bytes() const override { return in_.payload_bytes(); }

 private:
  void hand_on(T& in, Slot<T>& slot) {
    if constexpr (transferable<T>) {
      transfer(in, slot.recycled(), exclusive_);
    } else {
      slot.clear();
      slot.set(taken(in, exclusive_));
    }
  }

  Producer<T>& in_;
  bool exclusive_ = false;
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
