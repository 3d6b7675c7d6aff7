#include <sluice/stages/exchange.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <span>
#include <stdexcept>

#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/shard.hpp>

namespace sluice::stages {
namespace {

using kernels::lanes;

// What a rank says beside its nodes; the losses of its row blocks follow.
struct Header {
  std::uint64_t rows = 0, hits = 0;
  std::int64_t wish = 0;
};

constexpr std::size_t cache_lines(std::size_t floats) {
  return (floats + lanes - 1) / lanes * lanes;
}
constexpr std::size_t header_floats = cache_lines(sizeof(Header) / sizeof(float));

std::size_t said_floats(std::size_t blocks) {
  return header_floats + cache_lines(blocks * sizeof(double) / sizeof(float));
}

std::size_t blocks_of(const StepRows& step, std::size_t rank) {
  return step.begins[rank + 1] - step.begins[rank];
}

void say(float* to, const RankSums& in, int wish) {
  const auto& [losses, hits] = std::get<1>(in);
  const Header header{.rows = losses.count, .hits = hits.hits, .wish = wish};
  std::memcpy(to, &header, sizeof header);
  if (!losses.sums.empty()) std::memcpy(to + header_floats, losses.sums.data(), losses.sums.size() * sizeof(double));
}

// The next rank's: row blocks are added in order.
void add_said(const float* from, std::size_t blocks, Exchanged& out) {
  Header header;
  std::memcpy(static_cast<void*>(&header), from, sizeof header);
  out.rows += header.rows;
  out.loss.count += header.rows, out.hits.count += header.rows;
  out.hits.hits += header.hits;
  out.wish = std::max(out.wish, static_cast<int>(header.wish));
  for (std::size_t b = 0; b < blocks; ++b) {
    double loss = 0;
    std::memcpy(&loss, from + header_floats + b * sizeof loss / sizeof(float), sizeof loss);
    out.loss.sum += loss;
  }
}

// The nodes of a run of row blocks, to where they are to lie, one behind the other: of those of its shards, which are
// parts of them.
void merge(const GradientPlan& plan, std::span<const BlockNode> wanted, SliceSum& sum, float* to) {
  std::vector<Addition> additions;
  std::size_t first = 0;
  for (const BlockNode& node : wanted) {
    std::size_t last = first;
    while (last < plan.places.size() && plan.places[last].last() <= node.last()) ++last;
    addition_plan(std::span(plan.places).subspan(first, last - first), additions);
    sum.begin = 0, sum.end = plan.size;
    sum.add_up(std::span(plan.nodes).subspan(first, last - first), additions, 0);
    to = std::copy_n(sum.values, plan.size, to);
    first = last;
  }
}

void cut(const std::vector<std::size_t>& begins, ExchangeState::Cut& cut) {
  if (cut.begins == begins) return;
  cut = {.begins = begins};
  for (std::size_t r = 0; r + 1 < begins.size(); ++r) {
    cut.nodes.push_back(block_nodes(begins[r], begins[r + 1]));
    cut.places.insert(cut.places.end(), cut.nodes.back().begin(), cut.nodes.back().end());
  }
  addition_plan(cut.places, cut.additions);
}

void begin(const GradientPlan& in, Exchanged& out) {
  out.rows = 0;
  out.weights = in.weights, out.next = in.next, out.to = in.to;
  out.partials.clear(), out.nodes.clear(), out.places.clear(), out.additions.clear();
  out.size = in.size;
  out.loss = {}, out.hits = {};
  out.wish = 0, out.over = false;
}

// Of a run of as many row blocks as a rank has at most, wherever it begins, two nodes a level are left.
std::size_t most_nodes_of_a_run(std::size_t blocks, std::size_t ranks) {
  const std::size_t most = (blocks + ranks - 1) / ranks;
  return std::min(most, 2 * static_cast<std::size_t>(std::bit_width(most)));
}

// What a rank says and its nodes, at most.
std::size_t most_floats_of_a_rank(std::size_t blocks, std::size_t ranks, std::size_t size) {
  return said_floats((blocks + ranks - 1) / ranks) + most_nodes_of_a_run(blocks, ranks) * size;
}

void swap(ExchangeState& state, std::span<const Outgoing> to, std::span<const Incoming> from, const char* what) {
  const auto began = std::chrono::steady_clock::now();
  state.peers->swap(to, from, what);
  state.nanoseconds += static_cast<std::uint64_t>((std::chrono::steady_clock::now() - began).count());
  for (const Outgoing& one : to) state.bytes += one.bytes;
}

}  // namespace

// A round more costs what some 64 KiB do, from 10 Gbit/s Ethernet to InfiniBand within a factor of three.
ExchangeWay exchange_way(std::size_t ranks, std::size_t nodes, std::size_t floats) {
  constexpr double round = 64 * 1024;
  const auto n = static_cast<double>(ranks), bytes = static_cast<double>(floats * sizeof(float));
  const auto all = static_cast<double>(nodes);
  const double gather = (n - 1) / n * all * bytes;
  const double slices = (n - 1) / n * (all / n + 1) * bytes;
  return slices + round < gather ? ExchangeWay::slices : ExchangeWay::gather;
}

void Exchange::operator()(const RankSums& in, Exchanged& out) const {
  const GradientPlan& plan = std::get<0>(in);
  begin(plan, out);
  if (state->over) {
    out.memory.resize(plan.size);
    std::fill_n(out.memory.data(), plan.size, 0.f);
    out.nodes = {out.memory.data()};
    out.rows = 1, out.over = true;
    return;
  }
  if (plan.step.begins.size() != state->peers->ranks() + 1)
    throw std::invalid_argument(fmt::format("a batch that is cut for {} processes, of {}",
                                            plan.step.begins.size() - !plan.step.begins.empty(),
                                            state->peers->ranks()));
  const std::size_t ranks = state->peers->ranks();
  if (const std::size_t blocks = std::get<0>(std::get<1>(in)).sums.size();
      blocks != blocks_of(plan.step, state->peers->rank()))
    throw std::invalid_argument(fmt::format("{} row blocks of a step, expected the {} that are this process's", blocks,
                                            blocks_of(plan.step, state->peers->rank())));
  cut(plan.step.begins, state->cut);
  out.places = state->cut.places;
  ExchangeWay way = state->way;
  if (way != ExchangeWay::slices) share(plan);
  if (way == ExchangeWay::automatic)
    way = state->shared.of_all ? ExchangeWay::gather : exchange_way(ranks, out.places.size(), plan.size);
  const bool slices = way == ExchangeWay::slices;
  slices ? by_slices(in, out) : gather(in, out);
  if (out.rows != plan.step.rows)
    throw std::invalid_argument(fmt::format("a step of {} rows on all ranks, expected {}", out.rows, plan.step.rows));
  ++state->steps, state->steps_by_slices += slices;
  // Nobody may wait for one who does not come: what ends training is known to all behind the same step.
  if (out.wish || !std::isfinite(out.loss.sum)) state->over = true;
}

// For the longest step so far; all ranks come to it together, since steps are the same on all.
void Exchange::share(const GradientPlan& plan) const {
  const std::size_t blocks = limits.known() ? (limits.rows + kernels::row_block - 1) / kernels::row_block : 0;
  const std::size_t most =
      most_floats_of_a_rank(std::max(blocks, plan.step.blocks()), state->peers->ranks(), plan.size);
  if (most <= state->shared_floats) return;
  state->shared_floats = cache_lines(most);
  state->shared = state->peers->share(2 * state->shared_floats * sizeof(float), "the sums of a step");
}

//  what each rank says | its nodes, of each rank, one behind the other; without the nodes that are seen where they lie
void Exchange::gather(const RankSums& in, Exchanged& out) const {
  const GradientPlan& plan = std::get<0>(in);
  const StepRows& step = plan.step;
  const std::size_t ranks = state->peers->ranks(), mine = state->peers->rank();
  const std::vector<std::vector<BlockNode>>& nodes = state->cut.nodes;
  const SharedMemory& shared = state->shared;
  const std::size_t turn = state->odd ? state->shared_floats : 0;
  state->odd = !state->odd;
  const auto said = [&](std::size_t r) { return said_floats(blocks_of(step, r)); };
  const auto whole = [&](std::size_t r) { return said(r) + nodes[r].size() * plan.size; };
  const auto received = [&](std::size_t r) {
    return r == mine ? shared.own ? 0 : whole(r) : shared.of[r] ? said(r) : whole(r);
  };
  std::vector<std::size_t> begins{0};
  for (std::size_t r = 0; r < ranks; ++r) begins.push_back(begins.back() + received(r));
  out.memory.resize(begins.back());
  const auto region = [&](std::size_t r) { return out.memory.data() + begins[r]; };
  float* const own = shared.own ? static_cast<float*>(static_cast<void*>(shared.own)) + turn : region(mine);
  say(own, in, state->wish);
  merge(plan, nodes[mine], state->sum, own + said(mine));

  std::vector<Outgoing> to(ranks);
  std::vector<Incoming> from(ranks);
  for (std::size_t r = 0; r < ranks; ++r) {
    if (r == mine) continue;
    to[r] = {own, (shared.seen_by[r] ? said(mine) : whole(mine)) * sizeof(float)};
    from[r] = {region(r), received(r) * sizeof(float)};
  }
  swap(*state, to, from, "the sums of a step");

  for (std::size_t r = 0; r < ranks; ++r) {
    const float* const its = r == mine ? own : region(r);
    add_said(its, blocks_of(step, r), out);
    const float* node = its + said(r);
    if (shared.of[r]) node = static_cast<const float*>(static_cast<const void*>(shared.of[r])) + turn + said(r);
    for (std::size_t i = 0; i < nodes[r].size(); ++i) out.nodes.push_back(node + i * plan.size);
  }
  out.additions = state->cut.additions;
}

//  what each rank says | this rank's slice of its nodes, of each rank, one behind the other; then the sum
void Exchange::by_slices(const RankSums& in, Exchanged& out) const {
  const GradientPlan& plan = std::get<0>(in);
  const StepRows& step = plan.step;
  const std::size_t ranks = state->peers->ranks(), mine = state->peers->rank();
  const std::size_t lines = plan.size / lanes;
  const auto slice = [&](std::size_t r) { return first_unit(lines, r, ranks) * lanes; };
  const auto slice_size = [&](std::size_t r) { return slice(r + 1) - slice(r); };
  std::vector<std::size_t> begins{0}, nodes;
  for (std::size_t r = 0; r < ranks; ++r) {
    nodes.push_back(state->cut.nodes[r].size());
    begins.push_back(begins.back() + said_floats(blocks_of(step, r)) + nodes[r] * slice_size(mine));
  }
  out.memory.resize(begins.back() + plan.size);
  const auto region = [&](std::size_t r) { return out.memory.data() + begins[r]; };
  float* const sum = out.memory.data() + begins.back();

  // What goes to each rank: the same words, and its slice.
  const std::size_t said = said_floats(blocks_of(step, mine)), own = nodes[mine] * plan.size;
  state->outgoing.resize(own + ranks * said + own);
  float* const whole = state->outgoing.data();
  merge(plan, state->cut.nodes[mine], state->sum, whole);
  std::vector<Outgoing> to(ranks);
  std::vector<Incoming> from(ranks);
  float* next = whole + own;
  const int wish = state->wish;  // the same to all
  for (std::size_t r = 0; r < ranks; ++r) {
    float* const begin = r == mine ? region(mine) : next;
    say(begin, in, wish);
    float* at = begin + said;
    for (std::size_t i = 0; i < nodes[mine]; ++i) at = std::copy_n(whole + i * plan.size + slice(r), slice_size(r), at);
    if (r == mine) continue;
    next = at;
    to[r] = {begin, static_cast<std::size_t>(at - begin) * sizeof(float)};
    from[r] = {region(r), (begins[r + 1] - begins[r]) * sizeof(float)};
  }
  swap(*state, to, from, "the slices of a step");

  std::vector<const float*> slices;
  for (std::size_t r = 0; r < ranks; ++r) {
    add_said(region(r), blocks_of(step, r), out);
    for (std::size_t i = 0; i < nodes[r]; ++i)
      slices.push_back(region(r) + said_floats(blocks_of(step, r)) + i * slice_size(mine));
  }
  out.additions = state->cut.additions;
  if (slice_size(mine) > 0) {
    state->sum.begin = 0, state->sum.end = slice_size(mine);
    state->sum.add_up(slices, out.additions, 0);
    std::copy_n(state->sum.values, slice_size(mine), sum + slice(mine));
  }
  for (std::size_t r = 0; r < ranks; ++r) {
    if (r == mine) {
      to[r] = {}, from[r] = {};
      continue;
    }
    to[r] = {sum + slice(mine), slice_size(mine) * sizeof(float)};
    from[r] = {sum + slice(r), slice_size(r) * sizeof(float)};
  }
  swap(*state, to, from, "the sum of a step");
  out.nodes = {sum};
  out.additions.clear();
}

std::optional<std::size_t> Exchange::payload_bytes() const {
  if (!limits.known()) return std::nullopt;
  const std::size_t ranks = state->peers->ranks();
  const std::size_t blocks = (limits.rows + kernels::row_block - 1) / kernels::row_block;
  const std::size_t size = kernels::gradient_size(limits.pixels, limits.classes);
  const std::size_t nodes = std::min(ranks * most_nodes_of_a_run(blocks, ranks), blocks) + 1;
  const std::size_t said = ranks * (header_floats + lanes) + 2 * blocks;
  return (said + nodes * size) * sizeof(float) +
         2 * nodes * (sizeof(const float*) + sizeof(BlockNode) + sizeof(Addition)) + (ranks + 1) * sizeof(std::size_t) +
         StepPlan::bytes(limits);
}

std::size_t Exchange::state_bytes() const {
  if (!limits.known()) return 0;
  const std::size_t ranks = state->peers->ranks();
  const std::size_t blocks = (limits.rows + kernels::row_block - 1) / kernels::row_block;
  const std::size_t size = kernels::gradient_size(limits.pixels, limits.classes);
  // What goes out in slices: this rank's nodes as they are and as they are cut, and what it says to each.
  // Or what it shares, twice.
  const std::size_t outgoing =
      2 * most_nodes_of_a_run(blocks, ranks) * size + ranks * said_floats((blocks + ranks - 1) / ranks);
  const std::size_t shared = 2 * cache_lines(most_floats_of_a_rank(blocks, ranks, size));
  return (outgoing + shared) * sizeof(float) + SliceSum::bytes(blocks, size);
}

}  // namespace sluice::stages
