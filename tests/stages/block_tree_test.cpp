#include <sluice/stages/block_tree.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::stages {
namespace {

// The sum written out: "((0+1)+2)".
std::string sum_of(std::size_t blocks, const std::vector<std::size_t>& cuts) {
  std::vector<BlockNode> nodes;
  for (std::size_t i = 0; i + 1 < cuts.size(); i++)
    for (const BlockNode& node : block_nodes(cuts[i], cuts[i + 1])) nodes.push_back(node);
  std::vector<std::string> text;
  for (const BlockNode& node : nodes) {
    std::vector<std::string> row;
    for (std::size_t block = node.first(); block < node.last(); block++) row.push_back(std::to_string(block));
    for (; row.size() > 1;) {
      std::vector<std::string> above;
      for (std::size_t i = 0; i < row.size(); i += 2) above.push_back("(" + row[i] + "+" + row[i + 1] + ")");
      row = above;
    }
    text.push_back(row[0]);
  }
  std::vector<Addition> plan;
  addition_plan(nodes, plan);
  for (const Addition& a : plan) text.push_back("(" + text[a.left] + "+" + text[a.right] + ")");
  return blocks ? text.back() : "";
}

TEST(BlockTree, SiblingsAreMergedAndTheRestGoesFromRightToLeft) {
  EXPECT_EQ(sum_of(1, {0, 1}), "0");
  EXPECT_EQ(sum_of(3, {0, 3}), "((0+1)+2)");
  EXPECT_EQ(sum_of(4, {0, 4}), "((0+1)+(2+3))");
  EXPECT_EQ(sum_of(7, {0, 7}), "(((0+1)+(2+3))+((4+5)+6))");
}

TEST(BlockTree, EveryWayOfCuttingGivesTheSameAdditions) {
  for (std::size_t blocks = 1; blocks <= 20; blocks++) {
    const std::string whole = sum_of(blocks, {0, blocks});
    for (std::size_t a = 0; a <= blocks; a++)
      for (std::size_t b = a; b <= blocks; b++)
        for (std::size_t c = b; c <= blocks; c++)
          ASSERT_EQ(sum_of(blocks, {0, a, b, c, blocks}), whole) << a << ' ' << b << ' ' << c;
  }
}

TEST(BlockTree, TheNodesOfARunCoverItOnceFromLeftToRight) {
  for (std::size_t first = 0; first < 20; first++)
    for (std::size_t last = first; last < 40; last++) {
      std::size_t at = first;
      for (const BlockNode& node : block_nodes(first, last)) {
        EXPECT_EQ(node.first(), at);
        at = node.last();
      }
      EXPECT_EQ(at, last);
    }
}

TEST(BlockTree, TheNodesOfARunAreMaximal) {
  for (std::size_t first = 0; first < 20; first++)
    for (std::size_t last = first; last < 40; last++)
      for (const BlockNode& node : block_nodes(first, last)) {
        const BlockNode parent{node.level + 1, node.index / 2};
        EXPECT_TRUE(parent.first() < first || parent.last() > last) << first << ' ' << last;
      }
}

TEST(BlockTree, AnEmptyRunHasNoNodes) {
  EXPECT_TRUE(block_nodes(3, 3).empty());
  EXPECT_EQ(most_nodes(3, 3), 0u);
}

TEST(BlockTree, ARunNeedsNoMoreNodesAtOnceThanTwoALevel) {
  EXPECT_EQ(most_nodes(0, 4), 2u);
  EXPECT_EQ(most_nodes(0, 8), 3u);
  for (std::size_t first = 0; first < 70; first++)
    for (std::size_t n = 1; n < 70; n++) {
      std::size_t levels = 0;
      while (n >> levels) levels++;
      EXPECT_LE(most_nodes(first, first + n), 2 * levels);
      EXPECT_GE(most_nodes(first, first + n), block_nodes(first, first + n).size());
    }
}

TEST(BlockTree, FewerThanTwoNodesNeedNoAddition) {
  std::vector<Addition> plan{{7, 8}};
  addition_plan({}, plan);
  EXPECT_TRUE(plan.empty());
  addition_plan(std::vector<BlockNode>{{2, 0}}, plan);
  EXPECT_TRUE(plan.empty());
}

}  // namespace
}  // namespace sluice::stages
