// An epoch of training straight from the files, beside the two that it does at once: decoding the images alone, and
// training alone, of the same images in memory. Nothing that decodes by zlib can be faster than the slower of them.
//
// The rows that a streamed epoch has seen are counted, and its loss is close to that of the epoch in memory.
//
//   stream_bench [--data DIR] [--threads 1,2] [--rounds 11]
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

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

void measure(const DataFiles& files, std::size_t thread_count, std::size_t rounds) {
  const Threads threads(thread_count);
  apps::Loading loading(files, {}, threads);
  apps::FileScan scan(files, {}, threads);
  const apps::LabelledSet &held = loading.run().train, &in_files = scan.run().train;
  Weights initial;
  initial.renew() = random_model(held.shape.pixels(), held.shape.classes, 0);
  apps::Training training(held, {}, threads, initial), streaming(in_files, {}, threads, initial);

  std::size_t bytes = 0;
  const auto decode = [&] {
    bytes = 0;
    for (const std::string& path : files.train_images.paths()) {
      Inflate inflate{.path = path};
      for (Chunk chunk; inflate(chunk);) bytes += chunk.size;
    }
  };
  apps::Metrics of_memory, of_stream;
  std::uint64_t trained = 0, from_files = 0;
  const InTurn t({{"decoding alone", decode},
                  {"training alone", [&] { of_memory = training.run(++trained); }},
                  {"streamed", [&] { of_stream = streaming.run(++from_files); }}},
                 rounds);
  if (of_stream.count != held.count || bytes < held.count * held.shape.pixels())
    throw std::runtime_error("not all rows were seen");
  if (std::abs(of_stream.loss - of_memory.loss) > 0.05 * of_memory.loss)
    throw std::runtime_error("the loss of the streamed epoch is not that of the epoch in memory");
  const std::string slower =
      t.seconds("decoding alone") > t.seconds("training alone") ? "decoding alone" : "training alone";
  for (const char* name : {"decoding alone", "training alone", "streamed"})
    fmt::print("{:>8} {:<16} {:>9.1f} {:>12.0f} {:>10.3f}\n", thread_count, name, t.seconds(name) * 1e3,
               static_cast<double>(held.count) / t.seconds(name), t.ratio(slower, name));
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
  fmt::print("{:>8} {:<16} {:>9} {:>12} {:>10}\n", "threads", "", "ms/epoch", "images/s", "of slower");
  for (const std::size_t threads : thread_counts) measure(files, threads, rounds);
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("stream_bench", sluice::bench::run, argc, argv);
}
