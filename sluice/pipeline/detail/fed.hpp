// The typed part of sources that are filled from outside: an inlet, and a source with a thread of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

#include <sluice/pipeline/detail/bodies.hpp>
#include <sluice/pipeline/detail/carriers.hpp>
#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/detail/feed.hpp>

namespace sluice::detail {

template <class T, class Base>
class Fed : public Base, public Feed {
 public:
  using Base::Base;
  Feed* feed() override { return this; }

  // The value is taken only if it is accepted.
  Put put(T& value, Until until) {
    std::unique_lock lock(mutex_);
    const Put room = await_room(lock, until);
    if (room != Put::accepted) return room;
    queue_.push_back({std::move(value), ticks()});
    accept();
    return room;
  }

  // Without the lock: what a message's moving and destroying does is its own business.
  bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) override {
    if (taken_.empty()) {
      const std::lock_guard lock(mutex_);
      taken_.swap(queue_);
    }
    if (!taken_.empty()) oldest_ = taken_.front().stamp;
    for (; at < last && !taken_.empty() && !asked_to_stop(stop); ++at) {
      std::optional<T>& value = taken_.front().value;
      this->ring.set_hole(at, !value);
      if (value)
        move_into(this->ring.slot(at), *value);
      else
        ++Mishaps::absent_here;  // counted where it was lost, on another thread
      taken_.pop_front();
    }
    return true;
  }
  void release_all() override {
    Base::release_all();
    taken_.clear();
  }
  // A message lies in the queue, or in the ring.
  std::size_t value_bytes() const override { return Base::value_bytes() + sizeof(Waiting); }

 protected:
  struct Waiting {
    std::optional<T> value;  // none: a hole
    std::uint64_t stamp = 0;
  };
  // Whether a hole was taken for a message.
  bool put_hole() {
    std::unique_lock lock(mutex_);
    if (await_room(lock, {}, By::its_thread) != Put::accepted) return false;
    queue_.push_back({std::nullopt, ticks()});
    accept();
    return true;
  }
  bool has_room() {
    std::unique_lock lock(mutex_);
    return await_room(lock, {}, By::its_thread) == Put::accepted;
  }
  // Memory of an earlier message, or none.
  T spare() {
    const std::lock_guard lock(mutex_);
    if (spares_.empty()) return T();
    T value = std::move(spares_.back());
    spares_.pop_back();
    return value;
  }

 private:
  void move_into(Slot<T>& slot, T& value) {
    if constexpr (transferable<T>) {
      if (this->recycles()) {
        transfer(value, slot.recycled(), true);
        const std::lock_guard lock(mutex_);
        spares_.push_back(std::move(value));
        return;
      }
    }
    slot.clear();
    slot.set(std::move(value));
  }
  void set_aside() override { dropped_.swap(queue_); }
  void drop() override { dropped_.clear(); }

  std::deque<Waiting> queue_, taken_, dropped_;  // the second is the gate's own
  std::vector<T> spares_;
};

template <class T>
using InletBody = Fed<T, Producer<T>>;

// A source that may wait: it is asked on a thread of its own, and keeps none of the graph's.
template <class F, class T>
class WaitingSourceBody final : public Fed<T, CallableProducer<F, T>> {
  static constexpr bool returns = verbs::ValueForm<Callable<F>, std::optional<T>, std::stop_token>;

 public:
  using Fed<T, CallableProducer<F, T>>::Fed;
  bool recycles() const override { return !returns && transferable<T>; }
  // As much memory as lies in the slots waits to be used again, or for its turn.
  std::size_t state_bytes() const override {
    const std::size_t own = CallableProducer<F, T>::state_bytes();
    return recycles() ? own + this->capacity() * this->payload_bytes().value_or(0) : own;
  }
  bool has_thread() const override { return true; }
  void fill(std::uint64_t& at, const std::stop_token& token) override {
    for (bool more = true; more && this->has_room(); ++at) {
      if (!this->mishaps.skips())
        more = make_one(token);
      else if (!this->tried(at, [&] { more = make_one(token); }))
        more = this->put_hole() && !token.stop_requested();  // one that throws when it is woken has ended
    }
  }

 private:
  // Whether there may be more.
  bool make_one(const std::stop_token& token) {
    auto& f = this->function();
    if constexpr (returns) {
      std::optional<T> value = f(token);
      return value && this->put(*value, {}) == Put::accepted;
    } else {
      T value = this->spare();
      return f(value, token) && this->put(value, {}) == Put::accepted;
    }
  }
};

}  // namespace sluice::detail
