// An epoch of training straight from the files: by zlib in chunks, and in pieces by libdeflate, the first time, when it
// is found out where they lie, and again; beside decoding the images alone (also as several threads would have to share
// it, where it is guessed where pieces begin), and training alone, of the same images in memory.
//
// The rows that an epoch has seen are counted, and the weights of all streamed ones have the same bits.
//
//   stream_bench [--data DIR] [--threads 1,2] [--rounds 11]
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/model.hpp>
#include "apps/job/load.hpp"
#include "apps/job/scan.hpp"
#include "apps/job/training.hpp"
#include "bench/support/guarded.hpp"
#include "bench/support/in_turn.hpp"

namespace sluice::bench {
namespace {

using namespace stages;

// Where pieces begin is guessed, on one thread: what others would have to do at the same time.
std::size_t guessed(const std::vector<std::string>& paths) {
  std::size_t bytes = 0;
  for (const std::string& path : paths) {
    GzipPieces source{.path = path, .guess = true};
    VerifyPieces verify;
    Piece piece;
    CheckedPiece checked;
    for (Chunk chunk; source(piece);) {
      DecodePiece{}(piece, checked);
      verify.push(checked);
      while (verify.pull(chunk)) bytes += chunk.size;
    }
  }
  return bytes;
}

template <class Source>
std::size_t decoded(const std::vector<std::string>& paths) {
  std::size_t bytes = 0;
  for (const std::string& path : paths) {
    Source source{.path = path};
    typename Source::Output out;
    while (source(out)) {
      if constexpr (std::is_same_v<Source, GzipPieces>)
        bytes += out.chunk.size;
      else
        bytes += out.size;
    }
  }
  return bytes;
}

void measure(const DataFiles& files, std::size_t thread_count, std::size_t rounds) {
  const Threads threads(thread_count);
  apps::Loading loading(files, {}, threads);
  apps::FileScan scan(files, {}, threads);
  const apps::LabelledSet& held = loading.run().train;
  apps::LabelledSet in_pieces = scan.run().train, in_chunks = in_pieces;
  in_chunks.decoder = apps::Decoder::zlib;
  Weights initial;
  initial.renew() = random_model(held.shape.pixels(), held.shape.classes, 0);
  apps::Training training(held, {}, threads, initial), by_zlib(in_chunks, {}, threads, initial),
      again(in_pieces, {}, threads, initial);
  again.run(1);  // where the pieces lie
  by_zlib.run(1);
  const std::string after_one = weights_sha256(*by_zlib.weights());
  std::optional<apps::Training> first;

  const std::vector<std::string>& paths = files.train_images.paths();
  std::size_t bytes = 0, in_pieces_bytes = 0, guessed_bytes = 0;
  apps::Metrics of_zlib, of_first, of_again;
  std::uint64_t trained = 0;
  const InTurn t({{"zlib alone", [&] { bytes = decoded<Inflate>(paths); }},
                  {"pieces alone", [&] { in_pieces_bytes = decoded<GzipPieces>(paths); }},
                  {"guessed alone", [&] { guessed_bytes = guessed(paths); }},
                  {"training alone", [&] { training.run(++trained); }},
                  {"by zlib", [&] { of_zlib = by_zlib.run(1); }},
                  {"first", [&] { of_first = first->run(1); },
                   [&] {
                     apps::LabelledSet anew = in_pieces;
                     anew.known.clear();  // what others have found
                     first.emplace(anew, apps::TrainingSettings{}, threads, initial);
                   }},
                  {"again", [&] { of_again = again.run(1); }}},
                 rounds);
  if (of_zlib.count != held.count || of_first.count != held.count || of_again.count != held.count ||
      bytes < held.count * held.shape.pixels() || in_pieces_bytes != bytes || guessed_bytes != bytes)
    throw std::runtime_error("not all rows were seen");
  if (weights_sha256(*first->weights()) != after_one ||
      weights_sha256(*again.weights()) != weights_sha256(*by_zlib.weights()))
    throw std::runtime_error("the weights depend on how the files are decoded");
  for (const char* name :
       {"zlib alone", "pieces alone", "guessed alone", "training alone", "by zlib", "first", "again"})
    fmt::print("{:>8} {:<16} {:>9.1f} {:>12.0f} {:>10.3f}\n", thread_count, name, t.seconds(name) * 1e3,
               static_cast<double>(held.count) / t.seconds(name), t.ratio(name, "by zlib"));
}

int run(int argc, char** argv) {
  DataFilesWanted wanted;
  std::vector<std::size_t> thread_counts = {1, 2};
  std::size_t rounds = 11;
  CLI::App app{"An epoch straight from the files, beside decoding alone and training alone"};
  app.add_option("--data", wanted.folder, "Folder of the four files");
  app.add_option("--threads", thread_counts, "Threads")->delimiter(',')->capture_default_str();
  app.add_option("--rounds", rounds, "Rounds that count")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const DataFiles files = find_data_files(wanted);
  fmt::print("{:>8} {:<16} {:>9} {:>12} {:>10}\n", "threads", "", "ms/epoch", "images/s", "/ by zlib");
  for (const std::size_t threads : thread_counts) measure(files, threads, rounds);
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("stream_bench", sluice::bench::run, argc, argv);
}
