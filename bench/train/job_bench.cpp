// An epoch of the training graph beside the straight loop over the same kernels, with counters on, for shapes, batch
// sizes and thread counts. The two run in turn in one process; figures are medians, ratios are medians of the ratios of
// neighbouring epochs. Before a figure is printed the weights of both are compared: they have the same bits.
//
//   job_bench --shape 784x10 --batch 64,256,1024,4096 --threads 1,2,4,8
//
// With --scaling also by tbb::parallel_for with a static partitioner, on 1, 2, 4, ... and all CPUs that this process
// may use, and what each thread is worth: parallel efficiency of the graph, one thread's time / (threads x theirs). As
// many threads as a line says are used, and a batch is cut as the program cuts it for so many. What the program chooses
// by itself, all CPUs, is told behind the lines of a batch beside the best of them; the loops begin with one thread.
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
  double by_tbb = 0, to_tbb = 0;              // with scaling
};

Figures measure(const DataSet& data, std::size_t batch_size, std::size_t thread_count, std::size_t rounds,
                bool scaling) {
  const apps::TrainingSettings settings{.batch_size = batch_size};
  const Threads threads(thread_count);
  Weights initial;
  initial.renew() = random_model(data.pixels(), data.classes, settings.seed);
  apps::Training training(apps::LabelledSet(data), settings, threads, initial);
  StraightOptions options{.batch_size = batch_size,
                          .optimizer = settings.optimizer,
                          .seed = settings.seed,
                          .threads = thread_count,
                          .cut = apps::cut_of(settings, data, thread_count),
                          .slices = apps::slices_of(data, thread_count)};
  StraightLoop straight(data, options, initial);
  options.by_tbb = true;
  StraightLoop by_tbb(data, options, initial);
  std::uint32_t epochs = 0, loops = 0, turns = 0;
  // The loops get the order of their rows for nothing; the graph's epoch finds the next one's along the way.
  std::vector<Alternative> all{{"loop", [&] { straight.epoch(); }, [&] { straight.shuffle(++loops); }},
                               {"graph", [&] { training.run(++epochs); }}};
  if (scaling) all.push_back({"tbb", [&] { by_tbb.epoch(); }, [&] { by_tbb.shuffle(++turns); }});
  const InTurn t(all, rounds);
  for (const StraightLoop* loop : {&straight, &by_tbb})
    if ((loop == &straight || scaling) && weights_sha256(*training.weights()) != weights_sha256(*loop->weights()))
      throw std::runtime_error("the graph's weights are not those of the straight loop");
  Figures f{t.seconds("graph"), t.seconds("loop"), t.ratio("graph", "loop")};
  if (scaling) f.by_tbb = t.seconds("tbb"), f.to_tbb = t.ratio("graph", "tbb");
  return f;
}

int run(int argc, char** argv) {
  std::vector<std::string> shapes = {"784x10"};
  std::vector<std::size_t> batches = {64, 256, 1024, 4096}, thread_counts = {1, 2, 4, 8};
  std::size_t rows = 60'000, rounds = 11;
  std::string isa;
  bool json = false, scaling = false;
  CLI::App app{"An epoch of the training graph beside a straight loop over the same kernels"};
  app.add_option("--shape", shapes, "PIXELSxCLASSES, several with commas")->delimiter(',')->capture_default_str();
  app.add_option("--batch", batches, "Rows of a batch")->delimiter(',')->capture_default_str();
  app.add_option("--threads", thread_counts, "Threads")->delimiter(',')->capture_default_str();
  app.add_option("--rows", rows, "Rows of the data set; fewer where a row has more than 784 pixels")
      ->capture_default_str();
  app.add_option("--rounds", rounds, "Epochs that count")->capture_default_str();
  app.add_option("--isa", isa, "Level of the kernels");
  app.add_flag("--json", json, "One JSON object a line");
  app.add_flag("--scaling", scaling,
               "By tbb::parallel_for, too, and with the parallel efficiency of all thread counts here");
  CLI11_PARSE(app, argc, argv);
  if (!isa.empty()) kernels::force(isa);
  if (scaling) {
    const std::size_t cpus = default_threads();
    if (app.count("--threads") == 0) {
      thread_counts.clear();
      for (std::size_t n = 1; n < cpus; n *= 2) thread_counts.push_back(n);
      thread_counts.push_back(cpus);
    }
    for (const std::size_t n : thread_counts)
      if (n > cpus) fmt::print(stderr, "{} threads are left out: this process may use {} CPUs\n", n, cpus);
    std::erase_if(thread_counts, [cpus](std::size_t n) { return n > cpus; });
    if (app.count("--batch") == 0) batches = {256, 1024, 4096};
  }

  if (!json)
    fmt::print("{:>9} {:>6} {:>8} {:>14} {:>14} {:>7} {:>14}{}\n", "shape", "batch", "threads", "graph ms/epoch",
               "loop ms/epoch", "ratio", "us a step", scaling ? "  parallel_for us   ratio  efficiency" : "");
  for (const std::string& text : shapes) {
    Shape shape{};
    if (std::sscanf(text.c_str(), "%zux%zu", &shape.pixels, &shape.classes) != 2)
      throw std::invalid_argument(text + ": expected PIXELSxCLASSES");
    const DataSet data = made_up(shape, std::min(rows, rows * 784 / shape.pixels));
    for (const std::size_t batch : batches) {
      double alone = 0;               // an epoch of the graph on one thread
      double best = 1e9, chosen = 0;  // of all thread counts, and of all CPUs
      std::size_t best_threads = 0;
      for (const std::size_t threads : thread_counts) {
        const Figures f = measure(data, batch, threads, rounds, scaling);
        const double steps = static_cast<double>((data.size() + batch - 1) / batch);
        if (threads == 1) alone = f.graph;
        if (threads == default_threads()) chosen = f.graph;
        if (f.graph < best) best = f.graph, best_threads = threads;
        const double efficiency = alone / (static_cast<double>(threads) * f.graph);
        if (json) {
          nlohmann::ordered_json line{{"benchmark", "job"},         {"isa", kernels::active().name},
                                      {"pixels", shape.pixels},     {"classes", shape.classes},
                                      {"rows", data.size()},        {"batch_size", batch},
                                      {"threads", threads},         {"graph_seconds", f.graph},
                                      {"loop_seconds", f.straight}, {"ratio", f.ratio}};
          if (scaling) line["tbb_seconds"] = f.by_tbb, line["ratio_to_tbb"] = f.to_tbb;
          if (scaling && alone > 0) line["efficiency"] = efficiency;
          fmt::print("{}\n", line.dump());
        } else {
          fmt::print("{:>9} {:>6} {:>8} {:>14.2f} {:>14.2f} {:>7.3f} {:>14.1f}", text, batch, threads, f.graph * 1e3,
                     f.straight * 1e3, f.ratio, f.graph / steps * 1e6);
          if (scaling)
            fmt::print("{:>17.1f} {:>7.3f} {:>11}", f.by_tbb / steps * 1e6, f.to_tbb,
                       alone > 0 ? fmt::format("{:.2f}", efficiency) : "-");
          fmt::print("\n");
        }
        std::fflush(stdout);
      }
      if (scaling && !json && chosen > 0)
        fmt::print("{:>9} {:>6} {:>8} takes {:.3f} of the best, {} thread{}\n", text, batch, "default", chosen / best,
                   best_threads, best_threads == 1 ? "" : "s");
    }
  }
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("job_bench", sluice::bench::run, argc, argv);
}
