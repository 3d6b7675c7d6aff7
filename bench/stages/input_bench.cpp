// The stages before training, each alone: inflate (beside bare zlib in one call), parse, shuffle, batch.
//
// The input is made here: an IDX file of 20,000 images of 28 x 28, compressible as pictures are. Items are images (of
// inflate: none), bytes are decoded bytes. Each benchmark first compares what its stage made with what was put in.
#include <benchmark/benchmark.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include <sluice/stages/batcher.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/parse.hpp>
#include <sluice/stages/shuffle.hpp>

namespace sluice::bench {
namespace {

using namespace sluice::stages;

struct Input {
  static constexpr std::size_t count = 20'000, rows = 28, columns = 28;
  std::vector<std::uint8_t> decoded;     // the IDX file
  std::vector<std::uint8_t> compressed;  // as one gzip member
  std::string path;

  Input() {
    const auto big_endian = [&](std::uint32_t n) {
      for (int shift = 24; shift >= 0; shift -= 8) decoded.push_back(static_cast<std::uint8_t>(n >> shift));
    };
    for (const std::uint32_t n : {0x803u, unsigned{count}, unsigned{rows}, unsigned{columns}}) big_endian(n);
    std::uint64_t state = 1;
    for (std::size_t i = 0; i < count * rows * columns; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      decoded.push_back(state >> 63 ? static_cast<std::uint8_t>(state >> 33 & 0xf8) : std::uint8_t{0});
    }
    path = (std::filesystem::temp_directory_path() / ("sluice_input_bench_" + std::to_string(::getpid()) + ".gz"))
               .string();
    gzFile file = gzopen(path.c_str(), "wb6");
    gzwrite(file, decoded.data(), static_cast<unsigned>(decoded.size()));
    gzclose(file);
    compressed.resize(std::filesystem::file_size(path));
    std::FILE* in = std::fopen(path.c_str(), "rb");
    if (!in || std::fread(compressed.data(), 1, compressed.size(), in) != compressed.size()) std::abort();
    std::fclose(in);
  }
  ~Input() { std::filesystem::remove(path); }

  std::vector<Chunk> chunks() const {
    Inflate inflate{.path = path};
    std::vector<Chunk> all;
    for (Chunk chunk; inflate(chunk);) all.push_back(chunk);
    return all;
  }
};

const Input& input() {
  static const Input one;
  return one;
}

bool same(const std::vector<Chunk>& chunks, const std::vector<std::uint8_t>& bytes) {
  std::size_t at = 0;
  for (const Chunk& chunk : chunks) {
    if (at + chunk.size > bytes.size() || !std::equal(chunk.data, chunk.data + chunk.size, bytes.data() + at))
      return false;
    at += chunk.size;
  }
  return at == bytes.size();
}

CollectImages parsed(const std::vector<Chunk>& chunks) {
  ParseImages parse;
  CollectImages images;
  Elements elements;
  for (const Chunk& chunk : chunks) {
    parse.push(chunk);
    while (parse.pull(elements)) images(elements);
  }
  parse.finish();
  return images;
}

DataSet data_set() {
  CollectLabels labels;
  labels.labels.assign(Input::count, 1);
  return make_data_set(parsed(input().chunks()), labels, {});
}

void bytes_of(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void bare_zlib(benchmark::State& state) {
  std::vector<std::uint8_t> out(input().decoded.size());
  for (auto _ : state) {
    z_stream zlib{};
    inflateInit2(&zlib, 15 + 16);
    zlib.next_in = const_cast<std::uint8_t*>(input().compressed.data());
    zlib.avail_in = static_cast<unsigned>(input().compressed.size());
    zlib.next_out = out.data();
    zlib.avail_out = static_cast<unsigned>(out.size());
    if (::inflate(&zlib, Z_FINISH) != Z_STREAM_END) state.SkipWithError("zlib could not decode its own output");
    inflateEnd(&zlib);
  }
  if (out != input().decoded) state.SkipWithError("zlib decoded other bytes");
  bytes_of(state, out.size());
}
BENCHMARK(bare_zlib)->Unit(benchmark::kMillisecond);

// The memory is used again, as where nobody keeps the chunks.
void inflate_stage(benchmark::State& state) {
  if (!same(input().chunks(), input().decoded)) return state.SkipWithError("inflate decoded other bytes");
  Inflate inflate{.path = input().path};
  Chunk chunk;
  for (auto _ : state) {
    while (inflate(chunk)) benchmark::DoNotOptimize(chunk.data);
    inflate.reset();
  }
  bytes_of(state, input().decoded.size());
}
BENCHMARK(inflate_stage)->Unit(benchmark::kMillisecond);

void parse_stage(benchmark::State& state) {
  const auto chunks = input().chunks();
  const CollectImages right = parsed(chunks);
  for (std::size_t i = 0; i < Input::count; ++i)
    if (right.images.size() != Input::count ||
        !std::equal(right.images[i], right.images[i] + 784, input().decoded.data() + 16 + i * 784))
      return state.SkipWithError("parse made other images");
  for (auto _ : state) benchmark::DoNotOptimize(parsed(chunks).images.data());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(Input::count));
  bytes_of(state, input().decoded.size());
}
BENCHMARK(parse_stage)->Unit(benchmark::kMicrosecond);

void shuffle_rows(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Column<std::uint32_t> order = shuffle(count, 0, 1);
  Column<std::uint32_t> sorted = order, all(count);
  std::sort(sorted.begin(), sorted.end());
  std::iota(all.begin(), all.end(), 0u);
  if (sorted != all || order == all) return state.SkipWithError("this is no permutation, or no shuffled one");
  Shuffle rows;
  std::uint32_t epoch = 0;
  for (auto _ : state) {
    rows.begin(count, 0, ++epoch);
    rows.advance(count);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(shuffle_rows)->Arg(60'000)->Arg(6'000'000)->Unit(benchmark::kMicrosecond);

void batch_stage(benchmark::State& state) {
  const DataSet data = data_set();
  Batcher batcher{.data = &data, .batch_size = static_cast<std::size_t>(state.range(0))};
  Batch batch;
  Column<const std::uint8_t*> seen;
  batcher.reset();
  while (batcher(batch)) seen.insert(seen.end(), batch.rows.begin(), batch.rows.end());
  auto all = data.images;
  std::sort(all.begin(), all.end());
  std::sort(seen.begin(), seen.end());
  if (seen != all) return state.SkipWithError("an epoch does not have every row once");
  for (auto _ : state) {
    state.PauseTiming();
    batcher.reset();
    state.ResumeTiming();
    while (batcher(batch)) benchmark::DoNotOptimize(batch.rows.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(Input::count));
}
BENCHMARK(batch_stage)->Arg(64)->Arg(256)->Arg(4096)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::bench

BENCHMARK_MAIN();
