// What the exchange of a step costs between the processes that a launcher started, beside a bare MPI_Allgatherv of the
// same bytes, and what the engine's messages cost by themselves: latency and bandwidth. One JSON object, by rank 0.
//
//   mpirun -np 2 exchange_probe_openmpi --rounds 31
#include <mpi.h>
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include <sluice/stages/batcher.hpp>
#include <sluice/stages/exchange.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/gradient.hpp>
#include "apps/ranks/engine.hpp"
#include "apps/ranks/sharing.hpp"
#include "bench/stages/example.hpp"
#include "bench/support/in_turn.hpp"

extern "C" sluice::apps::Engine* sluice_engine(const sluice::apps::EngineStart& start);

namespace {

using namespace sluice;
using namespace sluice::stages;

template <class T>
Group<T> group_of(const std::vector<T>& shards) {
  return {static_cast<const std::byte*>(static_cast<const void*>(shards.data())), sizeof(T), ~std::uint64_t{0}, 0,
          shards.size()};
}

double microseconds(int calls, const auto& f) {
  MPI_Barrier(MPI_COMM_WORLD);
  return bench::timed([&] {
           for (int i = 0; i < calls; ++i) f();
         }) /
         calls * 1e6;
}

// A step's sums of this rank: as training brings them.
struct Brought {
  Brought(std::size_t rows, const Peers& peers) : example(784, 10, rows) {
    auto& [batch, weights] = example.work;
    const RowRun its = Batcher{.rank = peers.rank(), .ranks = peers.ranks()}.share(rows);
    batch.rows.assign(batch.rows.begin() + static_cast<std::ptrdiff_t>(its.first_row),
                      batch.rows.begin() + static_cast<std::ptrdiff_t>(its.first_row + its.rows));
    batch.labels.resize(its.rows);
    batch.step = step_of(rows, peers.ranks());
    batch.runs = {{.rows = its.rows, .first_block = its.first_block}};
    SoftmaxForward{}(Sharder{}(example.work, 0, 1), scored.front());
    SoftmaxGradient{}(scored.front(), partial.front());
    Plan plan{.part = true};
    plan(group_of(partial), std::get<0>(sums));
    CrossEntropyOfBlocks{}(group_of(scored), std::get<0>(std::get<1>(sums)));
    std::get<1>(std::get<1>(sums)) = Accuracy{}(group_of(scored));
  }
  bench::Example example;
  std::vector<Scored> scored{1};
  std::vector<Shared<PartialGradient>> partial{1};
  RankSums sums;
};

}  // namespace

int main(int argc, char** argv) {
  int rounds = 31;
  CLI::App cli("What the exchange of a step costs");
  cli.add_option("--rounds", rounds, "Of each, in turn");
  CLI11_PARSE(cli, argc, argv);
  apps::Engine& engine = *sluice_engine({.failed = [](const std::string& what, int rank) {
    std::fprintf(stderr, "exchange_probe: %s, rank %d\n", what.c_str(), rank);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }});
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  apps::Sharing peers(engine, host.data());
  const std::size_t ranks = engine.ranks(), mine = engine.rank();
  nlohmann::ordered_json told = {{"library", engine.library()}, {"ranks", ranks}};
  for (const std::size_t rows : {std::size_t{256}, std::size_t{4096}}) {
    const Brought brought(rows, peers);
    Exchanged all;
    std::vector<double> gather, slices, bare, to_bare;
    std::vector<int> bytes(ranks), at(ranks);
    ExchangeState state{.peers = &peers, .way = ExchangeWay::gather};
    const Exchange exchange{.state = &state};
    exchange(brought.sums, all);
    // What this rank has for each of the others: nodes, and what is said beside them.
    const std::size_t node_bytes = all.size * sizeof(float);
    const std::uint64_t own = state.cut.nodes[mine].size() * node_bytes + 64 +
                              std::get<0>(std::get<1>(brought.sums)).sums.size() * sizeof(double);
    std::vector<std::uint64_t> owns(ranks);
    MPI_Allgather(&own, 1, MPI_UINT64_T, owns.data(), 1, MPI_UINT64_T, MPI_COMM_WORLD);
    int whole = 0;
    for (std::size_t r = 0; r < ranks; ++r) bytes[r] = static_cast<int>(owns[r]), at[r] = whole, whole += bytes[r];
    std::vector<std::byte> memory(static_cast<std::size_t>(whole));
    std::vector<const float*> received;
    for (std::size_t r = 0; r < ranks; ++r)
      for (std::size_t i = 0; i < state.cut.nodes[r].size(); ++i)
        received.push_back(static_cast<const float*>(
            static_cast<const void*>(memory.data() + static_cast<std::size_t>(at[r]) + i * node_bytes)));
    // Both also with what follows: by the addition nodes are read for the first time, where they lie.
    SliceSum sum;
    sum.begin = 0, sum.end = all.size;
    constexpr int calls = 200;
    const auto allgatherv = [&] {
      MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, memory.data(), bytes.data(), at.data(), MPI_BYTE,
                     MPI_COMM_WORLD);
    };
    const auto by = [&](ExchangeWay way) {
      state.way = way;
      exchange(brought.sums, all);
    };
    const auto add = [&](std::span<const float* const> nodes) { sum.add_up(nodes, all.additions, 0); };
    std::vector<double> bare_added, gather_added, to_bare_added;
    for (int round = 0; round < rounds; ++round) {
      bare.push_back(microseconds(calls, allgatherv));
      gather.push_back(microseconds(calls, [&] { by(ExchangeWay::gather); }));
      to_bare.push_back(gather.back() / bare.back());
      bare_added.push_back(microseconds(calls, [&] {
        allgatherv();
        add(received);
      }));
      gather_added.push_back(microseconds(calls, [&] {
        by(ExchangeWay::gather);
        add(all.nodes);
      }));
      to_bare_added.push_back(gather_added.back() / bare_added.back());
      slices.push_back(microseconds(calls, [&] { by(ExchangeWay::slices); }));
      by(ExchangeWay::gather);
    }
    told["batch " + std::to_string(rows)] = {{"bytes", whole},
                                             {"allgatherv_us", bench::median(bare)},
                                             {"gather_us", bench::median(gather)},
                                             {"gather_to_allgatherv", bench::median(to_bare)},
                                             {"allgatherv_and_addition_us", bench::median(bare_added)},
                                             {"gather_and_addition_us", bench::median(gather_added)},
                                             {"gather_to_allgatherv_with_addition", bench::median(to_bare_added)},
                                             {"slices_us", bench::median(slices)}};
  }
  // There and back, of both at once: what a message of so many bytes takes.
  std::vector<std::byte> sent(1 << 20), received(ranks << 20);
  const auto message = [&](std::size_t size) {
    std::vector<Outgoing> to(ranks);
    std::vector<Incoming> from(ranks);
    const std::size_t other = mine ^ 1;
    if (other < ranks) to[other] = {sent.data(), size}, from[other] = {received.data(), size};
    std::vector<double> took;
    for (int round = 0; round < rounds; ++round)
      took.push_back(microseconds(size > 4096 ? 10 : 200, [&] { engine.swap(to, from, "a message"); }));
    return bench::median(took);
  };
  const double small = message(64), large = message(1 << 20);
  told["latency_us"] = small;
  told["gb_per_s"] = (1 << 20) / (large - small) * 1e-3;
  if (mine == 0) std::puts(told.dump().c_str());
  engine.end();
}
