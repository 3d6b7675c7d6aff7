// The values of one stream: message k lies in slot k modulo the number of slots.
//
// The segment's capacity guarantees that a slot is written only after every consumer of its earlier message has
// consumed it; the ring itself checks nothing. What a stage in recycling form has written stays in its slot until the
// slot is used again, so that it finds its memory; any other value is destroyed when it has been consumed.
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
  bool engaged() const { return engaged_; }

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

  // At least `messages` slots, empty. Keeps what it has when that is enough. holes: whether a number may have no
  // message.
  void allocate(std::size_t messages, bool holes = false) {
    const std::size_t wanted = std::bit_ceil(messages);
    if (!places_ || wanted != mask_ + 1) {
      places_ = std::make_unique<Place[]>(wanted);
      mask_ = wanted - 1;
    }
    holes_ = holes ? std::make_unique<bool[]>(wanted) : nullptr;
  }

  // Whether there is no message under this number. Said of every number, where one may have none.
  bool hole(std::uint64_t k) const { return holes_ && holes_[k & mask_]; }
  void set_hole(std::uint64_t k, bool hole) {
    if (holes_) holes_[k & mask_] = hole;
  }
  bool may_have_holes() const { return holes_ != nullptr; }

  void clear() {
    if (places_)
      for (std::uint64_t k = 0; k <= mask_; ++k) slot(k).clear();
  }

  Slot<T>& slot(std::uint64_t k) { return places_[k & mask_].slot; }
  T& operator[](std::uint64_t k) { return slot(k).value(); }

  const std::byte* bytes() const { return static_cast<const std::byte*>(static_cast<const void*>(places_.get())); }
  std::uint64_t mask() const { return mask_; }

 private:
  std::unique_ptr<Place[]> places_;
  std::unique_ptr<bool[]> holes_;
  std::uint64_t mask_ = 0;
};

}  // namespace sluice::detail
