// A reference-counted value whose memory is used again: copy the handle, not the value.
//
// in -> out: renew() gives a value that nobody else holds (this handle's own when it is the last holder, a new one
// otherwise); from then on the handle may be copied and every holder reads the same value through operator*.
// Order and thread-safety: handles are as thread-safe as std::shared_ptr's (each handle used by one thread at a time,
// the count is atomic); the value must not be written after the handle was first copied.
// Errors: std::bad_alloc. Reading an empty handle is undefined.
//
//   Shared<Model> out = ...;        // whatever an earlier message left here
//   Model& model = out.renew();     // write it
//   Shared<Model> for_later = out;  // now it is read-only
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace sluice::stages {

template <class T>
class Shared {
 public:
  Shared() = default;
  Shared(const Shared& other) : box_(other.box_) {
    if (box_) box_->holders.fetch_add(1, std::memory_order_relaxed);  // `other` holds it: it cannot end meanwhile
  }
  Shared(Shared&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  // Not one of a value for both: clang 14 does not destroy the value that `= {}` in a template makes for it.
  Shared& operator=(const Shared& other) { return *this = Shared(other); }
  Shared& operator=(Shared&& other) noexcept {
    Shared taken(std::move(other));
    return std::swap(box_, taken.box_), *this;
  }
  ~Shared() {
    if (box_ && box_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box_;
  }

  // The value, to be written: this handle's own if no other handle holds it, otherwise a new one.
  T& renew() {
    if (!unique()) *this = Shared(new Box);
    return box_->value;
  }

  bool unique() const { return box_ && box_->holders.load(std::memory_order_acquire) == 1; }

  const T& operator*() const { return box_->value; }
  const T* operator->() const { return &box_->value; }
  const T* get() const { return box_ ? &box_->value : nullptr; }
  explicit operator bool() const { return box_ != nullptr; }

 private:
  struct Box {
    std::atomic<std::size_t> holders{1};
    T value{};
  };
  explicit Shared(Box* box) : box_(box) {}
  Box* box_ = nullptr;
};

// Values that are used again, wherever their last holder was: for a stage whose messages' values outlive the messages.
// At most `most` of them are kept for it. One thread at a time.
//
//   Bytes& bytes = pool.take(out.owner);   // that nobody holds any more, or a new one; write it before it is copied
template <class T>
class Pool {
 public:
  T& take(Shared<T>& out) {
    out = {};
    for (Shared<T>& one : all_) {
      if (!one.unique()) continue;
      T& value = one.renew();
      out = one;
      return value;
    }
    if (all_.size() == most) return out.renew();
    T& value = all_.emplace_back().renew();
    out = all_.back();
    return value;
  }

 private:
  static constexpr std::size_t most = 128;
  std::vector<Shared<T>> all_;
};

}  // namespace sluice::stages
