// What is said of a stage where it is wired: how many messages it may work on at once, how many messages its segment
// may hold, into how many shards a split cuts, what becomes of an exception.
//
//   g.map("forward", SoftmaxForward{}, shards, unlimited);
//   g.source("batch", Batcher{...}, capacity(4));
//   g.split("shard", Sharder{}, work, shards(8), capacity(2));
//   g.map("parse", Parse{}, lines, on_error(skip, [&](const StageError& e) { log(e.what()); }));
//
// Concurrency is a map's: `serial` (the default: one message at a time, in order, so that a slow one delays those
// behind it), `unlimited`, `up_to(n)` (several at once, in any order). Capacity is a gate's (source, expand, filter,
// partition, zip, split, fold, feedback), in messages of its segment, those in a body included; of a split in messages
// before the cut. Default: `default_capacity`; of a feedback 1.
//
// An exception of a body ends the run, unless the stage is told on_error(skip): then it costs its message alone. The
// handler, where one is given, hears of stage, number and cause: of a stage one call at a time, in no order, on the
// thread of the body; what it throws ends the run. The message leaves a hole under its number: maps, splits, folds and
// zips pass holes on, filters, expands, partitions and sinks pass over them, and all count them
// (sluice/pipeline/stats.hpp). An exception of finish() or reset() has no message and ends the run. Not on the way
// round to a feedback, which needs every value.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include <sluice/pipeline/errors.hpp>

namespace sluice {

struct Concurrency {
  std::size_t limit = 1;  // bodies at once; 0: no limit
  friend bool operator==(Concurrency, Concurrency) = default;
};
inline constexpr Concurrency serial{1};
inline constexpr Concurrency unlimited{0};

// At most n bodies at once. up_to(0) is refused when the graph is checked.
struct UpTo {
  std::size_t limit;
};
constexpr UpTo up_to(std::size_t n) {
  return {n};
}

struct Capacity {
  std::size_t messages;
};
constexpr Capacity capacity(std::size_t messages) {
  return {messages};
}
inline constexpr std::size_t default_capacity = 16;

struct Shards {
  std::size_t count;
};
constexpr Shards shards(std::size_t count) {
  return {count};
}

struct Skip {};
inline constexpr Skip skip{};
struct OnError {
  std::function<void(const StageError&)> handler;
};
inline OnError on_error(Skip, std::function<void(const StageError&)> handler = {}) {
  return {std::move(handler)};
}

}  // namespace sluice
