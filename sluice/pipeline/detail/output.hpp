// Which type a stage makes: named at the wiring site, or returned by the value form, or the stage's own `Output`.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <sluice/pipeline/verbs.hpp>

namespace sluice::detail {

// Stands for an output type that cannot be found; no verb's concept is satisfied by it.
struct UnknownOutput {
  UnknownOutput() = delete;
};

// A class, not a function: g++ 16 does not look into functions any more where there was an error.
template <class T>
struct KnownOutput {
  static_assert(
      !std::is_same_v<T, UnknownOutput>,
      "sluice: which type does this stage make? Name it, g.source<Out>(...), or say `using Output = Out;` in it");
  static constexpr bool value = true;
};

template <class R>
struct Unwrapped {
  using type = R;
};
template <class R>
struct Unwrapped<std::optional<R>> {
  using type = R;
};

template <class F, class... In>
struct DeducedOutput {
  using type = UnknownOutput;
};
template <class F, class... In>
requires requires {
  typename std::remove_cv_t<F>::Output;
}
struct DeducedOutput<F, In...> {
  using type = typename std::remove_cv_t<F>::Output;
};
template <class F, class... In>
requires(!requires { typename std::remove_cv_t<F>::Output; } && std::is_invocable_v<F&, In...> &&
         !std::is_void_v<std::invoke_result_t<F&, In...>>) struct DeducedOutput<F, In...> {
  // Only a source's optional is unwrapped: its nullopt is the end. A map may well make optionals.
  using result = std::remove_cvref_t<std::invoke_result_t<F&, In...>>;
  using type = typename std::conditional_t<sizeof...(In) == 0, Unwrapped<result>, std::type_identity<result>>::type;
};

template <class Out, class F, class... In>
using OutputOf =
    typename std::conditional_t<std::is_void_v<Out>, DeducedOutput<F, In...>, std::type_identity<Out>>::type;

template <class F>
struct DeducedPull {
  using type = UnknownOutput;
};
template <class F>
requires requires {
  typename F::Output;
}
struct DeducedPull<F> {
  using type = typename F::Output;
};
template <class F>
requires(
    !requires { typename F::Output; } && requires(F & f) { f.pull(); }) struct DeducedPull<F> {
  using type = typename Unwrapped<std::remove_cvref_t<decltype(std::declval<F&>().pull())>>::type;
};

template <class Out, class F>
using PullOf = typename std::conditional_t<std::is_void_v<Out>, DeducedPull<F>, std::type_identity<Out>>::type;

}  // namespace sluice::detail
