#include <sluice/stages/block_tree.hpp>

#include <algorithm>

namespace sluice::stages {
namespace {

bool siblings(const BlockNode& left, const BlockNode& right) {
  return left.level == right.level && left.index % 2 == 0 && right.index == left.index + 1;
}

struct Open {
  BlockNode node;
  std::size_t operand;
};

}  // namespace

std::size_t merges_after(std::size_t first_block, std::size_t block) {
  std::size_t merges = 0;
  for (BlockNode node{0, block}; node.index % 2 == 1; merges++) {
    node = {node.level + 1, node.index / 2};
    if (node.first() < first_block) break;
  }
  return merges;
}

std::vector<BlockNode> block_nodes(std::size_t first_block, std::size_t last_block) {
  std::vector<BlockNode> nodes;
  for (std::size_t block = first_block; block < last_block; block++) {
    BlockNode node{0, block};
    for (std::size_t merges = merges_after(first_block, block); merges > 0; merges--) {
      nodes.pop_back();
      node = {node.level + 1, node.index / 2};
    }
    nodes.push_back(node);
  }
  return nodes;
}

std::size_t most_nodes(std::size_t first_block, std::size_t last_block) {
  std::size_t nodes = 0, most = 0;
  for (std::size_t block = first_block; block < last_block; block++) {
    nodes = nodes + 1 - merges_after(first_block, block);
    most = std::max(most, nodes);
  }
  return most;
}

void addition_plan(std::span<const BlockNode> nodes, std::vector<Addition>& plan) {
  plan.clear();
  std::vector<Open> open;
  const auto merge = [&] {
    const Open right = open.back();
    open.pop_back();
    Open& left = open.back();
    plan.push_back({left.operand, right.operand});
    left = {{left.node.level + 1, left.node.index / 2}, nodes.size() + plan.size() - 1};
  };
  for (std::size_t i = 0; i < nodes.size(); i++) {
    open.push_back({nodes[i], i});
    while (open.size() > 1 && siblings(open[open.size() - 2].node, open.back().node)) merge();
  }
  while (open.size() > 1) merge();
}

}  // namespace sluice::stages
