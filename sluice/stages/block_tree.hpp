// The fixed tree in which the partial gradients of row blocks are added, whoever computes them.
//
// A batch is blocks 0, 1, 2, ... of 64 rows (the last may be shorter). Node (level, index) is the sum of the blocks
// [index << level, (index + 1) << level), formed as left child + right child. What remains when no two siblings are
// left is added from right to left. For seven blocks:
//
//   0   1   2   3   4   5   6
//   +-+-+   +-+-+   +-+-+   |        level 1
//     +---+---+       |     |        level 2
//         |           +--+--+        rest, right to left
//         +------+-------+
//
// A shard holds a contiguous run of blocks and hands on its maximal complete subtrees; merging the lists of all shards
// gives the same additions as one shard does, so the sum has the same bits however the batch is cut.
// Order and thread-safety: pure functions.
//
//   block_nodes(1, 4);                         // {(0, 1), (1, 1)}: block 1 alone, blocks 2 and 3 merged
//   addition_plan({{0, 0}, {0, 1}, {1, 1}});   // 0 + 1, then their sum + operand 2
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sluice::stages {

struct BlockNode {
  std::size_t level = 0;
  std::size_t index = 0;

  std::size_t first() const { return index << level; }       // first block
  std::size_t last() const { return (index + 1) << level; }  // one past the last block
  bool operator==(const BlockNode&) const = default;
};

// left + right; operands are numbered: the nodes given come first, then the results of the additions in order.
struct Addition {
  std::size_t left = 0;
  std::size_t right = 0;
  bool operator==(const Addition&) const = default;
};

// How many finished nodes of a shard that starts at first_block are merged with `block` once it is computed.
std::size_t merges_after(std::size_t first_block, std::size_t block);

// The maximal complete subtrees in [first_block, last_block), from left to right; empty for an empty run.
std::vector<BlockNode> block_nodes(std::size_t first_block, std::size_t last_block);

// The most nodes that exist at once while the blocks of such a run are computed in order.
std::size_t most_nodes(std::size_t first_block, std::size_t last_block);

// The additions that turn the nodes of a whole batch, from left to right, into one sum: first siblings, then what is
// left from right to left. The last addition gives the sum; none for fewer than two nodes. Clears `plan` first.
void addition_plan(std::span<const BlockNode> nodes, std::vector<Addition>& plan);

}  // namespace sluice::stages
