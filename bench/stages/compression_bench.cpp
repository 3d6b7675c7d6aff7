// Fashion-MNIST's training images compressed by bzip2, xz and zstd: Inflate beside a bare loop of the format's own
// library over the same bytes in memory; and, of files of several blocks or frames, a graph that decodes them on all
// threads, beside the library alone, too.
//
// The files are made here, by the tools, in a temporary folder. Whatever is measured makes the bytes that are in the
// gzip file; the ratios are medians of those within a round.
//
//   compression_bench [--images FILE] [--threads 2] [--rounds 11] [--only xz]
#include <bzlib.h>
#include <fmt/core.h>
#include <lzma.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/block_pieces.hpp>
#include <sluice/stages/inflate.hpp>
#include "bench/support/guarded.hpp"
#include "bench/support/in_turn.hpp"

namespace sluice::bench {
namespace {

using namespace stages;

// Of the bytes that were made: how many, and whether they are the same ones.
struct Made {
  std::size_t bytes = 0;
  unsigned long checksum = adler32(0, nullptr, 0);
  void operator()(std::span<const std::uint8_t> some) {
    bytes += some.size();
    if (checks) checksum = adler32(checksum, some.data(), static_cast<unsigned>(some.size()));
  }
  bool checks = false;  // which takes time
  bool operator==(const Made& other) const { return bytes == other.bytes && checksum == other.checksum; }
};

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("sluice-bench-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  // What the command writes to its output.
  std::string make(const std::string& name, const std::string& command) const {
    const std::string path = (path_ / name).string();
    if (std::system((command + " >'" + path + "'").c_str()) != 0) throw std::runtime_error(command + ": failed");
    return path;
  }

 private:
  std::filesystem::path path_;
};

std::vector<std::uint8_t> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr std::size_t room = 256 * 1024;  // as Inflate's chunks

void bare_bzip2(std::span<const std::uint8_t> in, Made& made) {
  std::vector<std::uint8_t> out(room);
  bz_stream bzip2{};
  BZ2_bzDecompressInit(&bzip2, 0, 0);
  bzip2.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
  bzip2.avail_in = static_cast<unsigned>(in.size());
  for (int result = BZ_OK; result == BZ_OK;) {
    bzip2.next_out = reinterpret_cast<char*>(out.data());
    bzip2.avail_out = room;
    result = BZ2_bzDecompress(&bzip2);
    made({out.data(), room - bzip2.avail_out});
  }
  BZ2_bzDecompressEnd(&bzip2);
}

void bare_xz(std::span<const std::uint8_t> in, Made& made) {
  std::vector<std::uint8_t> out(room);
  lzma_stream xz = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&xz, UINT64_MAX, LZMA_CONCATENATED) != LZMA_OK) return;
  xz.next_in = in.data();
  xz.avail_in = in.size();
  for (lzma_ret result = LZMA_OK; result == LZMA_OK;) {
    xz.next_out = out.data();
    xz.avail_out = room;
    result = lzma_code(&xz, LZMA_FINISH);
    made({out.data(), room - xz.avail_out});
  }
  lzma_end(&xz);
}

void bare_zstd(std::span<const std::uint8_t> in, Made& made) {
  std::vector<std::uint8_t> out(room);
  ZSTD_DCtx* const zstd = ZSTD_createDCtx();
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  while (from.pos < from.size) {
    ZSTD_outBuffer to{out.data(), room, 0};
    if (ZSTD_isError(ZSTD_decompressStream(zstd, &to, &from))) break;
    made({out.data(), to.pos});
  }
  ZSTD_freeDCtx(zstd);
}

void inflate(const std::string& path, Made& made) {
  Inflate source{.path = path};
  for (Chunk chunk; source(chunk);) made({chunk.data, chunk.size});
}

//  pieces -> inflate -> verify -> count
void graph(const std::string& path, std::size_t threads, Made& made) {
  Graph g("decode", Threads(threads));
  auto pieces = g.source("pieces", BlockPieces{.path = path}, capacity(2 * threads));
  auto blocks = g.map("inflate", DecodeBlock{}, pieces, unlimited);
  auto chunks = g.expand("verify", VerifyBlocks{}, blocks, capacity(2));
  g.sink(
      "count",
      [&](const Chunk& chunk) {
        made({chunk.data, chunk.size});
      },
      chunks);
  g.run();
}

struct Case {
  const char *name, *command;  // a command that compresses its input
  void (*bare)(std::span<const std::uint8_t>, Made&);
  bool blocks;
};

constexpr Case cases[] = {
    {"bzip2", "bzip2", bare_bzip2, false},
    {"xz -6", "xz -T1 -6", bare_xz, false},
    {"zstd -3", "zstd -q -3", bare_zstd, false},
    {"zstd -19", "zstd -q -19", bare_zstd, false},
    {"xz, blocks of 2 MiB", "xz -T1 -6 --block-size=2MiB", bare_xz, true},
    {"xz, blocks of 8 MiB", "xz -T1 -6 --block-size=8MiB", bare_xz, true},
    {"zstd, frames of 2 MiB", "split -b 2M --filter='zstd -q -3'", bare_zstd, true},
    {"pzstd", "pzstd -q -3 -p 2", bare_zstd, true},
};

int run(int argc, char** argv) {
  std::string images = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
  std::string only;
  std::size_t threads = 2, rounds = 11;
  CLI::App app{"Compressed files: Inflate, and a graph on all threads, beside the library of each format"};
  app.add_option("--images", images, "A gzip file, whose contents are compressed otherwise")->capture_default_str();
  app.add_option("--threads", threads, "Threads of the graph")->capture_default_str();
  app.add_option("--rounds", rounds, "Rounds that count")->capture_default_str();
  app.add_option("--only", only, "Those with this in their names");
  CLI11_PARSE(app, argc, argv);
  Made expected{.checks = true};
  inflate(images, expected);

  const Folder folder;
  fmt::print("{:.1f} MB of images, {} threads where it is a graph\n{:<22} {:>10} {:>10} {:>10}\n",
             static_cast<double>(expected.bytes) / 1e6, threads, "", "bare ms", "ours ms", "/ bare");
  for (const Case& c : cases) {
    if (std::string(c.name).find(only) == std::string::npos) continue;
    const std::string path = folder.make("images", "gzip -dc '" + images + "' | " + c.command);
    const std::vector<std::uint8_t> bytes = contents(path);
    const auto ours = [&](Made& made) { c.blocks ? graph(path, threads, made) : inflate(path, made); };
    Made by_bare{.checks = true}, by_ours{.checks = true};
    c.bare(bytes, by_bare), ours(by_ours);
    if (!(by_bare == expected) || !(by_ours == expected)) throw std::runtime_error("other bytes were decoded");
    Made not_checked;
    const InTurn t({{"bare", [&] { c.bare(bytes, not_checked); }}, {"ours", [&] { ours(not_checked); }}}, rounds);
    fmt::print("{:<22} {:>10.1f} {:>10.1f} {:>10.3f}\n", std::string(c.name) + (c.blocks ? ", graph" : ""),
               t.seconds("bare") * 1e3, t.seconds("ours") * 1e3, t.ratio("ours", "bare"));
  }
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("compression_bench", sluice::bench::run, argc, argv);
}
