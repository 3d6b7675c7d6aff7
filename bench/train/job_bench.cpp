// An epoch of the training graph beside the straight loop over the same kernels, with counters on, for shapes, batch
// sizes and thread counts. The two run in turn in one process; figures are medians, ratios are medians of the ratios of
// neighbouring epochs. Before a figure is printed the weights of both are compared: they have the same bits.
//
//   job_bench --shape 784x10 --batch 64,256,1024,4096 --threads 1,2,4,8
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/synthesize.hpp>
#include "apps/job/training.hpp"
#include "bench/support/guarded.hpp"
#include "bench/support/in_turn.hpp"
#include "bench/train/straight_loop.hpp"

namespace sluice::bench {
namespace {

using namespace stages;

struct Shape {
  std::size_t pixels, classes;
};

DataSet made_up(const Shape& shape, std::size_t rows) {
  const Synthesize synthesize({.rows = 1, .columns = shape.pixels, .classes = shape.classes, .seed = 0});
  DataSet data;
  data.rows = 1;
  data.columns = shape.pixels;
  data.classes = shape.classes;
  Bytes& bytes = data.owners.emplace_back().renew();
  std::uint8_t* const memory = bytes.reserve(rows * shape.pixels);
  for (std::size_t i = 0; i < rows; ++i) {
    synthesize.image(Split::train, i, memory + i * shape.pixels);
    data.images.push_back(memory + i * shape.pixels);
    data.labels.push_back(synthesize.label(Split::train, i));
  }
  return data;
}

struct Figures {
  double graph = 0, straight = 0, ratio = 0;  // seconds an epoch
};

Figures measure(const DataSet& data, std::size_t batch_size, std::size_t thread_count, std::size_t rounds) {
  const apps::TrainingSettings settings{.batch_size = batch_size};
  const Threads threads(thread_count);
  Weights initial;
  initial.renew() = random_model(data.pixels(), data.classes, settings.seed);
  apps::Training training(apps::LabelledSet(data), settings, threads, initial);
  StraightLoop straight(data,
                        {.batch_size = batch_size,
                         .rate = static_cast<float>(settings.learning_rate),
                         .seed = settings.seed,
                         .threads = thread_count},
                        initial);
  std::uint32_t epochs = 0, loops = 0;
  // The loop gets the order of its rows for nothing; the graph's epoch finds the next one's along the way.
  const InTurn t({{"loop", [&] { straight.epoch(); }, [&] { straight.shuffle(++loops); }},
                  {"graph", [&] { training.run(++epochs); }}},
                 rounds);
  if (weights_sha256(*training.weights()) != weights_sha256(*straight.weights()))
    throw std::runtime_error("the graph's weights are not those of the straight loop");
  return {t.seconds("graph"), t.seconds("loop"), t.ratio("graph", "loop")};
}

int run(int argc, char** argv) {
  std::vector<std::string> shapes = {"784x10"};
  std::vector<std::size_t> batches = {64, 256, 1024, 4096}, thread_counts = {1, 2, 4, 8};
  std::size_t rows = 60'000, rounds = 11;
  std::string isa;
  bool json = false;
  CLI::App app{"An epoch of the training graph beside a straight loop over the same kernels"};
  app.add_option("--shape", shapes, "PIXELSxCLASSES, several with commas")->delimiter(',')->capture_default_str();
  app.add_option("--batch", batches, "Rows of a batch")->delimiter(',')->capture_default_str();
  app.add_option("--threads", thread_counts, "Threads")->delimiter(',')->capture_default_str();
  app.add_option("--rows", rows, "Rows of the data set; fewer where a row has more than 784 pixels")
      ->capture_default_str();
  app.add_option("--rounds", rounds, "Epochs that count")->capture_default_str();
  app.add_option("--isa", isa, "Level of the kernels");
  app.add_flag("--json", json, "One JSON object a line");
  CLI11_PARSE(app, argc, argv);
  if (!isa.empty()) kernels::force(isa);

  if (!json)
    fmt::print("{:>9} {:>6} {:>8} {:>14} {:>14} {:>7} {:>14}\n", "shape", "batch", "threads", "graph ms/epoch",
               "loop ms/epoch", "ratio", "us a step");
  for (const std::string& text : shapes) {
    Shape shape{};
    if (std::sscanf(text.c_str(), "%zux%zu", &shape.pixels, &shape.classes) != 2)
      throw std::invalid_argument(text + ": expected PIXELSxCLASSES");
    const DataSet data = made_up(shape, std::min(rows, rows * 784 / shape.pixels));
    for (const std::size_t batch : batches)
      for (const std::size_t threads : thread_counts) {
        const Figures f = measure(data, batch, threads, rounds);
        const double steps = static_cast<double>((data.size() + batch - 1) / batch);
        if (json) {
          nlohmann::ordered_json line{{"benchmark", "job"},         {"isa", kernels::active().name},
                                      {"pixels", shape.pixels},     {"classes", shape.classes},
                                      {"rows", data.size()},        {"batch_size", batch},
                                      {"threads", threads},         {"graph_seconds", f.graph},
                                      {"loop_seconds", f.straight}, {"ratio", f.ratio}};
          fmt::print("{}\n", line.dump());
        } else {
          fmt::print("{:>9} {:>6} {:>8} {:>14.2f} {:>14.2f} {:>7.3f} {:>14.1f}\n", text, batch, threads, f.graph * 1e3,
                     f.straight * 1e3, f.ratio, f.graph / steps * 1e6);
        }
        std::fflush(stdout);
      }
  }
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("job_bench", sluice::bench::run, argc, argv);
}
