// The verbs, and what a callable must look like to be a stage: one concept for each.
//
// A stage is any callable that satisfies its verb's concept; nothing here knows of oneTBB, so a file of stages may
// include it. Every verb that makes values takes them in two forms:
//
//   value form      Out  operator()(const In&)         the value returned becomes the message
//   recycling form  void operator()(const In&, Out&)   writes into an Out that was used for an earlier message (or is
//                                                      default-constructed), so its heap memory is used again
//
//   verb       value form                                          recycling form
//   source     std::optional<Out> f()            nullopt: the end  bool f(Out&)                      false: the end
//              std::optional<Out> f(std::stop_token)               bool f(Out&, std::stop_token)     one that may wait
//   map        Out f(const In&) const                              void f(const In&, Out&) const
//   expand     void push(const In&), std::optional<Out> pull(),    void push(const In&), bool pull(Out&),
//              void finish()  (if there is something left at the end)
//   filter     bool f(const In&)              whether the message is kept
//   partition  bool f(const In&)              whether it goes into the first stream or the second
//              std::variant<A, B> f(const In&)                     what goes into the one or the other
//   split      Out f(const In&, size_t part, size_t parts) const   the same with a last argument Out& and no result
//   fold       Out f(Group<In>)                                    void f(Group<In>, Out&)
//   sink       void f(const In&...), void finish()  (optional: all messages have been seen)
//              Demand f(const In&...)         the same, and whether it wants more
//
// A source that takes a stop_token may wait, for a socket or a clock: it is asked on a thread of its own, so that it
// keeps none of the graph's, and what it makes is handed on at once. stop(), cancel() and errors request the token's
// stop and so wake it; after stop(), or when a sink has
// enough, it is asked on until it says that it has ended, so that what it holds is not lost: it has to look at its
// token.
//
// What takes `const In&` looks at a message where it lies. A map, an expand, a sink or a partition (into a variant)
// that is the only reader may take it instead, `Out f(In&&) const` or `Out f(In) const`; where others read it, too, one
// that can only take is refused when the graph is checked, and one that takes a value is given a copy. (One whose
// parameter is `auto`, or that is overloaded, looks, where it can.)
//
// An expand is given an input by push, then asked by pull until it has nothing more (nullopt, false); then comes the
// next push. At the end comes finish, and pull until it has nothing more again.
//
// The output type of a recycling form is named by the stage (`using Output = Out;`) or at the wiring site
// (`g.map<Out>(...)`). Optional for every stage: `void reset()`, called before each run, and
// `std::size_t payload_bytes() const`, the most heap memory that one of its outputs owns, in bytes (std::optional where
// it may be unknown), `std::size_t state_bytes() const`, the most that it holds itself, where that is worth stating,
// and `double waited_seconds() const`, how long its bodies have waited for the outside so far, where they know it: that
// is not busy time; callable from any thread.
//
// What a filter keeps it hands on as it is, as does a partition: moved, where it is the only reader, otherwise copied.
// Its messages have numbers of their own, without gaps. A partition judges when there is room in both of its streams.
//
// A zip's message is a std::tuple<A, B>.
//
// When its last reader is done, a message is destroyed. What is written in the recycling form is not: it stays in its
// slot, with all that it owns, for a later message to be written over it. (A feedback's values stay until the next
// one.)
//
// A map's operator() is const because it may run on several messages at once; a split's because it cuts the same way
// whatever came before. All but maps run one message at a time, in order. A sink that says `Demand::enough` has seen
// messages 0 to k and is finished; the run ends as by stop(). Input references stay valid until every
// consumer of the message's segment has consumed it; the input of a split until the shards made from it are consumed.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <variant>

namespace sluice {

enum class Verb { source, map, expand, filter, partition, zip, split, fold, sink, feedback };
const char* to_string(Verb verb);

// What a sink says of the messages behind the one that it has taken.
enum class Demand { more, enough };

// The shards of one message, in shard order: what a fold receives. A view: valid during the call.
template <class T>
class Group {
 public:
  // slots: a ring of `mask + 1` values of `stride` bytes each; the group starts at message `first`.
  Group(const std::byte* slots, std::size_t stride, std::uint64_t mask, std::uint64_t first, std::size_t size)
      : slots_(slots), stride_(stride), mask_(mask), first_(first), size_(size) {}

  std::size_t size() const { return size_; }
  const T& operator[](std::size_t part) const {
    return *static_cast<const T*>(static_cast<const void*>(slots_ + ((first_ + part) & mask_) * stride_));
  }

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const Group* group, std::size_t at) : group_(group), at_(at) {}
    const T& operator*() const { return (*group_)[at_]; }
    Iterator& operator++() { return ++at_, *this; }
    Iterator operator++(int) { return {group_, at_++}; }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const Group* group_ = nullptr;
    std::size_t at_ = 0;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size_}; }

 private:
  const std::byte* slots_;
  std::size_t stride_;
  std::uint64_t mask_, first_;
  std::size_t size_;
};

namespace verbs {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

// The value form is looked for first, and the recycling form must return nothing: a callable with a parameter to spare,
// defaulted or variadic, could be called with the output too, and would return its value to nobody.
template <class F, class Out, class... In>
concept ValueForm = std::invocable<F&, In...> && std::same_as<std::invoke_result_t<F&, In...>, Out>;

template <class F, class Out, class... In>
concept RecyclingForm = !ValueForm<F, Out, In...> && std::default_initializable<Out> &&
                        std::invocable<F&, In..., Out&> && std::is_void_v<std::invoke_result_t<F&, In..., Out&>>;

template <class F, class Out, class... In>
concept Makes = ValueForm<F, Out, In...> || RecyclingForm<F, Out, In...>;

template <class F, class Out>
concept Source = ValueForm<F, std::optional<Out>> ||
    (std::default_initializable<Out>&& std::invocable<F&, Out&>&& std::same_as<std::invoke_result_t<F&, Out&>, bool>);

template <class F, class Out>
concept WaitingSource = ValueForm<F, std::optional<Out>, std::stop_token> ||
    (std::default_initializable<Out>&& std::invocable<F&, Out&, std::stop_token>&&
         std::same_as<std::invoke_result_t<F&, Out&, std::stop_token>, bool>);

template <class F, class In, class Out>
concept Map = Makes<const F, Out, const In&> || Makes<const F, Out, In&&>;

template <class F, class Arg>
concept Pushed = requires(F& f, Arg&& in) {
  f.push(static_cast<Arg&&>(in));
};

template <class F, class In, class Out>
concept Expand = (Pushed<F, const In&> || Pushed<F, In&&>)&&(requires(F& f) {
  requires std::same_as<decltype(f.pull()), std::optional<Out>>;
} || (std::default_initializable<Out> &&
      requires(F & f, Out& out) { requires std::same_as<decltype(f.pull(out)), bool>; }));

template <class F, class In>
concept Filter = std::invocable<F&, const In&> && std::same_as < std::invoke_result_t<F&, const In&>,
bool > ;

template <class T>
inline constexpr bool is_either = false;
template <class A, class B>
inline constexpr bool is_either<std::variant<A, B>> = true;

template <class F, class In>
concept Partition = Filter<F, In> ||(std::invocable<F&, const In&>&& is_either<std::invoke_result_t<F&, const In&>>) ||
                    (std::invocable<F&, In&&> && is_either<std::invoke_result_t<F&, In&&>>);

template <class F, class In, class Out>
concept Split = Makes<const F, Out, const In&, std::size_t, std::size_t>;

template <class F, class In, class Out>
concept Fold = Makes<F, Out, Group<In>>;

// A bool may be meant as a wish for more, which is a Demand.
template <class F, class... In>
concept Sunk = std::invocable<F&, In...> && !std::same_as<std::invoke_result_t<F&, In...>, bool>;

template <class F, class... In>
concept Sink = Sunk<F, const In&...> || Sunk<F, In&&...>;

}  // namespace verbs
}  // namespace sluice
