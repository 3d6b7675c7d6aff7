// The values of one stream: message k lies in slot k modulo the number of slots.
//
// The segment's capacity guarantees that a slot is written only after every consumer of its earlier message has
// consumed it; the ring itself checks nothing. A value stays in its slot until the slot is used again, so that stages
// in recycling form find its memory.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace sluice::detail {

template <class T>
class Slot {
 public:
  Slot() = default;
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { clear(); }

  T& value() { return *std::launder(static_cast<T*>(static_cast<void*>(storage_))); }

  template <class U>
  void set(U&& value_in) {
    if constexpr (std::is_assignable_v<T&, U&&>) {
      if (engaged_) {
        value() = std::forward<U>(value_in);
        return;
      }
    }
    clear();
    ::new (static_cast<void*>(storage_)) T(std::forward<U>(value_in));
    engaged_ = true;
  }

  // The value left by an earlier message, or a new one.
  T& recycled() requires std::default_initializable<T> {
    if (!engaged_) {
      ::new (static_cast<void*>(storage_)) T();
      engaged_ = true;
    }
    return value();
  }

  void clear() {
    if (engaged_) value().~T();
    engaged_ = false;
  }

 private:
  alignas(T) std::byte storage_[sizeof(T)];  // first, so that a Group finds the value at the slot's address
  bool engaged_ = false;
};

template <class T>
class Ring {
  // Values of a cache line or more get lines of their own: neighbouring messages are worked on by different threads.
  struct alignas(sizeof(T) >= 64 ? (alignof(T) > 64 ? alignof(T) : 64) : alignof(T)) Place {
    Slot<T> slot;
  };

 public:
  static constexpr std::size_t stride = sizeof(Place);

  // At least `messages` slots, empty. Keeps what it has when that is enough.
  void allocate(std::size_t messages) {
    const std::size_t wanted = std::bit_ceil(messages);
    if (places_ && wanted == mask_ + 1) return;
    places_ = std::make_unique<Place[]>(wanted);
    mask_ = wanted - 1;
  }

  Slot<T>& slot(std::uint64_t k) { return places_[k & mask_].slot; }
  T& operator[](std::uint64_t k) { return slot(k).value(); }

  const std::byte* bytes() const { return static_cast<const std::byte*>(static_cast<const void*>(places_.get())); }
  std::uint64_t mask() const { return mask_; }

 private:
  std::unique_ptr<Place[]> places_;
  std::uint64_t mask_ = 0;
};

}  // namespace sluice::detail
