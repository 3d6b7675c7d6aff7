// What is said of a stage where it is wired: how many messages it may work on at once, how many messages its segment
// may hold, into how many shards a split cuts.
//
//   g.map("forward", SoftmaxForward{}, shards, unlimited);
//   g.source("batch", Batcher{...}, capacity(4));
//   g.split("shard", Sharder{}, work, shards(8), capacity(2));
//
// Concurrency is a map's: `serial` (the default: one message at a time, in order, so that a slow one delays those
// behind it), `unlimited`, `up_to(n)` (several at once, in any order). Capacity is a gate's (source, expand, filter,
// zip, split, fold, feedback), in messages of its segment, those in a body included; of a split in messages before the
// cut. Default: `default_capacity`; of a feedback 1.
#pragma once

#include <cstddef>

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

}  // namespace sluice
