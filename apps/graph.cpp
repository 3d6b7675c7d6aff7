// sluice graph: the graphs of the job as text, as a picture or for Graphviz, with their effective settings and bounds.
#include <fmt/core.h>

#include "apps/commands.hpp"
#include "apps/load.hpp"
#include "apps/repeat.hpp"
#include "apps/training.hpp"
#include "pipeline/svg.hpp"

namespace sluice::apps {

int graph(const Options& o) {
  const stages::DataFiles files = stages::find_data_files(o.files);
  const Threads threads(o.effective_threads());
  const stages::DataSet data = shape_of(files.train_images, o.classes);
  Loading loading(files, o, threads, data.image_bytes());
  Training training(data, o, threads, {});
  Evaluation evaluation(data, threads);
  override_stages(o, {&loading.graph(), &training.graph(), &evaluation.graph()});
  if (o.dump_flags) {
    fmt::print("{}\n", repeating_command(o, files));
    return 0;
  }

  if (o.svg) {
    std::vector<GraphPicture> pictures;
    for (Graph* g : {&loading.graph(), &training.graph(), &evaluation.graph()})
      pictures.push_back({g->name(), g->stages()});
    fmt::print("{}", svg(pictures));
    return 0;
  }
  if (!o.dot)
    fmt::print("images of {} x {} pixels, {} classes{}, batches of {}, {} threads\n\n", data.rows, data.columns,
               data.classes, o.classes ? "" : " (assumed: --classes)", o.batch_size, threads.count());
  const char* separator = "";
  for (Graph* g : {&loading.graph(), &training.graph(), &evaluation.graph()}) {
    if (o.dot)
      fmt::print("{}", g->dot());
    else
      fmt::print("{}{}:\n{}\n{}", separator, g->name(), g->picture(), g->table());
    separator = "\n";
  }
  return 0;
}

}  // namespace sluice::apps
