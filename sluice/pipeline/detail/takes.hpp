// How a callable takes a message: looks at it where it lies, or takes it out of its slot, by value or by rvalue.
#pragma once

#include <type_traits>
#include <utility>

namespace sluice::detail {

// The type of the first parameter, as it is written, of what has one signature only; otherwise (overloads, `auto`)
// void, and the message is looked at.
template <class F>
struct FirstOf {
  using type = void;
};
template <class R, class A, class... B>
struct FirstOf<R (*)(A, B...)> {
  using type = A;
};
template <class R, class A, class... B>
struct FirstOf<R (*)(A, B...) noexcept> {
  using type = A;
};
template <class R, class C, class A, class... B>
struct FirstOf<R (C::*)(A, B...)> {
  using type = A;
};
template <class R, class C, class A, class... B>
struct FirstOf<R (C::*)(A, B...) const> {
  using type = A;
};
template <class R, class C, class A, class... B>
struct FirstOf<R (C::*)(A, B...) noexcept> {
  using type = A;
};
template <class R, class C, class A, class... B>
struct FirstOf<R (C::*)(A, B...) const noexcept> {
  using type = A;
};
template <class R, class C, class A, class... B>
struct FirstOf<R (C::*)(A, B...)&> {
  using type = A;
};
template <class R, class C, class A, class... B>
struct FirstOf<R (C::*)(A, B...) const&> {
  using type = A;
};
template <class R, class C, class A, class... B>
struct FirstOf<R (C::*)(A, B...)& noexcept> {
  using type = A;
};
template <class R, class C, class A, class... B>
struct FirstOf<R (C::*)(A, B...) const& noexcept> {
  using type = A;
};

template <class F>
struct FirstParameter : FirstOf<F> {};
template <class F>
requires requires {
  &F::operator();
}
struct FirstParameter<F> : FirstOf<decltype(&F::operator())> {};
template <class F>
struct FirstPushed {
  using type = void;
};
template <class F>
requires requires {
  &F::push;
}
struct FirstPushed<F> : FirstOf<decltype(&F::push)> {};

// Whether a parameter of this type takes a message by value that is worth moving.
template <class Parameter, class In>
inline constexpr bool by_value = std::is_same_v<std::remove_cv_t<Parameter>, In> && !std::is_trivially_copyable_v<In>;

}  // namespace sluice::detail
