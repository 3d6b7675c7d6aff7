// sluice eval: loss, accuracy, confusion and calibration of a stored model over images and their labels, which are
// streamed.
#include <fmt/core.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include <sluice/stages/accumulate.hpp>
#include <sluice/stages/calibration.hpp>
#include <sluice/stages/confusion.hpp>
#include <sluice/stages/errors.hpp>
#include "apps/commands/commands.hpp"
#include "apps/flags/overrides.hpp"
#include "apps/flags/repeat.hpp"
#include "apps/job/evaluation.hpp"
#include "apps/job/input.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/stored_model.hpp"
#include "apps/job/tables.hpp"
#include "apps/report/evaluation_result.hpp"
#include "apps/terminal/log.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {

using namespace stages;

namespace {

// Throws a DataError where the loss was no finite number: the weights are, so they are too large for the pixels.
void rethrow_diverged(const StageError& error, const std::string& model, const std::string& images) {
  if (const auto* cause = error.cause_as<DivergedError>())
    throw DataError(fmt::format(
        "{}: {} over {}, expected a finite number: are its weights damaged, or made for smaller pixels (see --scale)?",
        model, cause->what(), images));
}

}  // namespace

int eval(const Options& o, const EvalOptions& e) {
  check_standard_input(e.images, e.labels, !o.dump_flags);
  const NamedModel model = load_named_model(o);
  DataFilesWanted wanted = data_wanted(o);
  wanted.named.test_images = e.images, wanted.named.test_labels = e.labels;
  const DataFiles files = find_test_files(wanted);

  //  batch -> forward -> loss -> accumulate
  //                   -> accuracy -> accumulate
  //                   -> confusion
  //                   -> calibration
  //        -> scale
  check_flags_of_formats(o, {files.test_images, files.test_labels});
  const ReadItems how = read_settings(o);
  ReadTable table = table_for(o, model, TableLabel::needed);
  NumberTable number;
  table.number = &number;
  const LabelledFiles inputs{.images = files.test_images,
                             .labels = files.test_labels,
                             .decoder = how.decoder,
                             .decoder_memory = how.decoder_memory,
                             .index = how.index,
                             .classes = model.weights->classes,
                             .label_column = how.label_column,
                             .transform = transform_of(model),
                             .table = table};
  if (!inputs.images.is_table()) check_headers(inputs.images, inputs.labels, how);
  Graph g("evaluate", threads_beside_waits(o.effective_threads(), {inputs.images, inputs.labels}));
  Accumulate sums;
  Confusion confusion{.classes = model.weights->classes};
  Calibration calibration{.classes = model.weights->classes};
  auto batches = read_batches(g, inputs, evaluation_rows(model.weights->pixels), images_for(o, model));
  check_scale(g, o, model, batches, inputs.images.name());
  auto scored = evaluate(g, batches, {.weights = &model.weights}, sums);
  g.sink("confusion", std::ref(confusion), scored);
  g.sink("calibration", std::ref(calibration), scored);
  override_stages(o, {&g});
  if (o.dump_flags) {
    write_to_stdout(repeating_command(o, inputs, files.test) + "\n");
    return 0;
  }
  for (const std::string& note : files.notes) say(log_line(note));
  try {
    g.run();
  } catch (const StageError& error) {
    rethrow_unequal(error, inputs.images, inputs.labels);
    rethrow_diverged(error, o.model, inputs.images.name());
    throw;
  }
  if (inputs.images.is_table()) say(log_line(describe(number.totals, *table.classes, table.missing)));
  const EvaluationResult result = evaluation_result(means(sums.sums), confusion, model.names, &calibration);
  if (o.json)
    write_json_to_stdout(to_json(result));
  else
    write_to_stdout(e.csv ? to_csv(result) : to_table(result));
  return 0;
}

}  // namespace sluice::apps
