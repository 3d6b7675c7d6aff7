// Which type a stage makes: named at the wiring site, or the stage's own `Output`, or returned by the value form.
//
// One mistake is one error: a stage whose type cannot be found makes a stream of UnknownOutput, and what reads such a
// stream is not judged.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

#include <sluice/pipeline/options.hpp>
#include <sluice/pipeline/verbs.hpp>

namespace sluice::detail {

// Stands for an output type that cannot be found; no verb's concept is satisfied by it.
struct UnknownOutput {
  UnknownOutput() = delete;
};
template <class T>
inline constexpr bool known = !std::is_same_v<T, UnknownOutput>;

template <class R>
struct Unwrapped {
  using type = R;
};
template <class R>
struct Unwrapped<std::optional<R>> {
  using type = R;
};

// What F returns for these arguments, or UnknownOutput where it cannot be called so or returns nothing.
template <class F, class... In>
struct Returned {
  using type = UnknownOutput;
};
template <class F, class... In>
requires(std::is_invocable_v<F&, In...>) struct Returned<F, In...> {
  using result = std::remove_cvref_t<std::invoke_result_t<F&, In...>>;
  using type = std::conditional_t<std::is_void_v<result>, UnknownOutput, result>;
};

// The first of several that is known.
template <class... Tries>
struct FirstKnown {
  using type = UnknownOutput;
};
template <class First, class... Rest>
struct FirstKnown<First, Rest...> {
  using type = typename std::conditional_t<known<typename First::type>, First, FirstKnown<Rest...>>::type;
};

// F::Output, or what Otherwise finds.
template <class F, class Otherwise>
struct OutputNamedBy : Otherwise {};
template <class F, class Otherwise>
requires requires {
  typename std::remove_cv_t<F>::Output;
}
struct OutputNamedBy<F, Otherwise> {
  using type = typename std::remove_cv_t<F>::Output;
};

// Where a callable ought to be const and is not, its type is known all the same.
template <class F, class... In>
struct MadeOf : OutputNamedBy<F, FirstKnown<Returned<const F, In...>, Returned<F, In...>>> {};
template <class F, class In>
struct MadeOf<F, In> : OutputNamedBy<F, FirstKnown<Returned<const F, const In&>, Returned<const F, In&&>,
                                                   Returned<F, const In&>, Returned<F, In&&>>> {};

// Only a source's optional is unwrapped: its nullopt is the end. A map may well make optionals.
template <class F, class... In>
struct ReturnedByOptional : Unwrapped<typename Returned<F, In...>::type> {};
template <class F>
struct MadeBySource : OutputNamedBy<F, FirstKnown<ReturnedByOptional<F>, ReturnedByOptional<F, std::stop_token>>> {};

template <class F>
struct Pulled {
  using type = UnknownOutput;
};
template <class F>
requires requires(F& f) {
  f.pull();
}
struct Pulled<F> {
  using type = typename Unwrapped<std::remove_cvref_t<decltype(std::declval<F&>().pull())>>::type;
};
template <class F>
struct MadeByExpand : OutputNamedBy<F, Pulled<F>> {};

// Out, or where none is named what Found finds. Nothing is looked for where an input is not known.
template <class Out, class Found, class... In>
using OutputOf = typename std::conditional_t<(known<In> && ...),
                                             std::conditional_t<std::is_void_v<Out>, Found, std::type_identity<Out>>,
                                             std::type_identity<UnknownOutput>>::type;

// Whether F writes into an output whose type nobody names: into something that stands for a reference to any.
struct AnyOutput {
  template <class T>
  operator T&() const;
};
template <class T, class F, class... In>
constexpr bool nameless() {
  if constexpr (known<T>)
    return false;
  else
    return std::is_invocable_v<F&, In..., AnyOutput>;
}

template <class A>
inline constexpr bool is_option =
    std::is_same_v<A, Concurrency> || std::is_same_v<A, UpTo> || std::is_same_v<A, Capacity> ||
    std::is_same_v<A, Shards> || std::is_same_v<A, OnError>;

// The two streams of a partition.
template <class F, class In>
struct PartsOf {
  using result = typename FirstKnown<Returned<F, const In&>, Returned<F, In&&>>::type;
  template <class R>
  struct Types {
    using first = In;
    using second = In;
  };
  template <class A, class B>
  struct Types<std::variant<A, B>> {
    using first = A;
    using second = B;
  };
  using First = typename Types<result>::first;
  using Second = typename Types<result>::second;
  static constexpr bool by_predicate = std::is_same_v<result, bool>;
};

}  // namespace sluice::detail
