// A step's sums from all ranks: each rank's part of the fixed tree of row blocks becomes the whole tree on every rank.
//
// (plan of this rank's row blocks; their losses; their hits) -> the plan of the whole step, loss and hits of all its
// rows. A rank adds its row blocks to the maximal complete subtrees that its run of them has
// (sluice/stages/block_tree.hpp); what is exchanged are those nodes, float32, and a double a row block for the loss;
// what is left of the tree is added by whoever takes the plan, in the same order on every rank. So the sum has the same
// bits for any number of ranks. (A sum by MPI has not: its order follows the number of ranks, the library and the
// length of the message.)
//
// Two ways lead to the same additions, `Way`:
//   gather   every rank gets the nodes of all others, and adds them. One round. For few ranks. Those of a host read
//   each
//            other's where they lie: what comes out is to be read before the sums of the next step are handed in, as
//            it is where they are of the model that the step leads to.
//   slices   rank r gets slice r of all nodes, adds it, and every rank gets the sums. Two rounds, but of 2 gradients
//            altogether, in place of one for each node of the others. For many.
//
// With the sums goes a wish: to end after this step, as a number above 0 (a signal). The highest of all ranks is in
// what comes out, the same everywhere, and behind it nothing is exchanged any more; nor is it behind a loss that is no
// finite number, which is the same everywhere, too. Order and thread-safety: a map, one step at a time, in order; the
// state is apart, so that it can be looked at meanwhile. Errors: those of Peers; std::invalid_argument where the step's
// rows are not as many as the ranks agree on.
//
//   ExchangeState state{.peers = &peers};
//   auto all = g.map("exchange", Exchange{&state}, g.zip("due", plan, g.zip("sums", losses, hits)), capacity(1));
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/aligned_buffer.hpp>
#include <sluice/stages/block_tree.hpp>
#include <sluice/stages/limits.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/peers.hpp>
#include <sluice/stages/plan.hpp>
#include <sluice/stages/reduce.hpp>

namespace sluice::stages {

// What a rank brings to a step.
using RankSums = std::tuple<GradientPlan, std::tuple<BlockLosses, BatchHits>>;

// Of a whole step.
struct Exchanged : GradientPlan {
  BatchLoss loss;
  BatchHits hits;
  int wish = 0;       // of any rank: to end behind this step
  bool over = false;  // one behind that: nothing in it means anything

  AlignedBuffer<float> memory;  // of the nodes
};

enum class ExchangeWay { automatic, gather, slices };

struct ExchangeState {
  Peers* peers = nullptr;
  ExchangeWay way = ExchangeWay::automatic;
  std::atomic<int> wish{0};  // of this rank: from any thread, at any time

  // Since the beginning, of any run: steps, those of them by slices, seconds in which others were waited for (and bytes
  // travelled), bytes sent.
  std::atomic<std::uint64_t> steps{0}, steps_by_slices{0}, nanoseconds{0}, bytes{0};

  bool over = false;  // behind a step with a wish, until a run begins

  // What follows from which row blocks are whose: nearly every step has the same.
  struct Cut {
    std::vector<std::size_t> begins{};            // of row blocks, as in StepRows
    std::vector<std::vector<BlockNode>> nodes{};  // of each rank
    std::vector<BlockNode> places{};              // of all
    std::vector<Addition> additions{};            // of these
  };
  Cut cut{};
  SliceSum sum{};                   // kept for their memory
  AlignedBuffer<float> outgoing{};  // of slices

  // What this rank says and its nodes, twice, in turn: while others still read those of a step, the next ones are
  // written.
  SharedMemory shared{};
  std::size_t shared_floats = 0;  // of each
  bool odd = false;
};

// The way that takes fewer bytes by each rank, where that is more than another round costs: see docs/many-machines.md.
// nodes: of the step; floats: of each. (Where all ranks see each other's nodes nothing travels: it is not asked.)
ExchangeWay exchange_way(std::size_t ranks, std::size_t nodes, std::size_t floats);

struct Exchange {
  ExchangeState* state = nullptr;
  Limits limits = {};  // optional, for payload_bytes; rows: of a step

  using Output = Exchanged;
  void operator()(const RankSums& in, Exchanged& out) const;
  std::optional<std::size_t> payload_bytes() const;
  std::size_t state_bytes() const;
  double waited_seconds() const { return static_cast<double>(state->nanoseconds) * 1e-9; }

 private:
  void share(const GradientPlan& plan) const;
  void gather(const RankSums& in, Exchanged& out) const;
  void by_slices(const RankSums& in, Exchanged& out) const;
};

static_assert(verbs::Map<Exchange, RankSums, Exchanged>);

}  // namespace sluice::stages
