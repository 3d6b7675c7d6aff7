// sluice graph: the graphs of the job as text, as a picture or for Graphviz, with their effective settings and bounds.
#include <fmt/core.h>

#include <span>
#include <string>
#include <vector>

#include <sluice/pipeline/dot.hpp>
#include <sluice/pipeline/svg.hpp>
#include "apps/commands/commands.hpp"
#include "apps/flags/overrides.hpp"
#include "apps/flags/repeat.hpp"
#include "apps/job/data_preparation.hpp"
#include "apps/job/evaluation.hpp"
#include "apps/job/input.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/training.hpp"
#include "apps/job/usage_error.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {

namespace {

// To be drawn with, not to be run.
class DrawnPeers final : public stages::Peers {
 public:
  explicit DrawnPeers(std::size_t ranks) : ranks_(ranks) {}
  std::size_t rank() const override { return 0; }
  std::size_t ranks() const override { return ranks_; }
  void swap(std::span<const stages::Outgoing>, std::span<const stages::Incoming>, const char*) override {}

 private:
  const std::size_t ranks_;
};

}  // namespace

int graph(const Options& o) {
  const stages::DataFiles files = stages::find_data_files(data_wanted(o));
  const Threads threads(o.effective_threads());
  if (waits(files.train_images))
    throw UsageError(
        fmt::format("--train-images {}: is no regular file, and a look would take something out of it: name one",
                    files.train_images.name()));
  DataSettings to_data = data_settings(o);
  const ImagesHeader images = images_header(files.train_images, o.classes, to_data);
  JobData data = data_to_come(o.stream, files, to_data, images.shape, images.count());
  data.train.counts = images.counts;
  to_data.read.image_bytes = images.shape.image_bytes();
  const auto loading = data_preparation(o.stream, files, to_data, threads);
  // How long rows of a table are is known when they have been gone through.
  if (o.stream && (files.train_images.is_table() || files.test_images.is_table())) data = loading->run();
  const stages::DataShape& shape = data.train.shape;
  DrawnPeers others(o.ranks);
  stages::Peers* const peers = o.ranks > 1 ? &others : nullptr;
  TrainingSettings settings = training_settings(o, data.train.count);
  settings.set_peers(peers);
  Training training(data.train, settings, threads, {});
  Evaluation evaluation(data.test, threads, "evaluate", peers);
  override_stages(o, {&loading->graph(), &training.graph(), &evaluation.graph()});
  if (o.dump_flags) {
    data.train.shape.classes = o.classes;
    write_to_stdout(repeating_command(o, files, data) + "\n");
    return 0;
  }

  std::vector<Graph*> graphs = {&loading->graph(), &training.graph(), &evaluation.graph()};
  if (o.drawn != "all") std::erase_if(graphs, [&o](const Graph* g) { return g->name() != o.drawn; });
  if (o.svg || o.dot) {
    std::vector<GraphPicture> pictures;
    for (Graph* g : graphs) pictures.push_back({g->name(), g->stages()});
    write_to_stdout(o.svg ? svg(pictures) : dot(pictures));
    return 0;
  }
  std::string text = fmt::format("images of {}, {} classes{}, batches of {}, {} thread{}\n", stages::pixels_text(shape),
                                 shape.classes, o.classes ? "" : " (assumed: --classes)", o.batch_size, threads.count(),
                                 threads.count() == 1 ? "" : "s");
  text += cut_in_words(settings, shape, threads.count()) + "\n";
  std::size_t bytes = 0;
  for (Graph* g : graphs) {
    bytes += g->bound().bytes;
    text += fmt::format("\n{}:\n{}\n{}", g->name(), g->picture(), g->table());
  }
  if (o.stream && o.drawn == "all")
    text += fmt::format(
        "\nthe data stay in their files, but for a shuffle buffer of {} of {} images{}: the graphs hold {:.1f} MiB at "
        "most, however many images there are\n",
        o.effective_shuffle_buffer(shape.image_bytes(), data.train.count), data.train.count,
        o.lanes > 1 ? fmt::format(", shared by {} lanes", o.lanes) : "", static_cast<double>(bytes) / (1024 * 1024));
  write_to_stdout(text);
  return 0;
}

}  // namespace sluice::apps
