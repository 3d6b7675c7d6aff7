// sluice predict: a line for each image, in order, with what a stored model takes it for.
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/join.hpp>
#include <sluice/stages/label.hpp>
#include <sluice/stages/labelled_rows.hpp>
#include <sluice/stages/replacement.hpp>
#include <sluice/stages/set_format.hpp>
#include <sluice/stages/transform_rows.hpp>
#include "apps/commands/commands.hpp"
#include "apps/flags/overrides.hpp"
#include "apps/flags/repeat.hpp"
#include "apps/job/evaluation.hpp"
#include "apps/job/input.hpp"
#include "apps/job/outputs.hpp"
#include "apps/job/read_table.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/stored_model.hpp"
#include "apps/job/usage_error.hpp"
#include "apps/pictures/gallery.hpp"
#include "apps/pictures/image.hpp"
#include "apps/terminal/interrupt.hpp"
#include "apps/terminal/log.hpp"
#include "apps/terminal/plain_text.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

// The lines of a batch. An image without finite probabilities is an error, behind the lines of those before it, and the
// first of all is named: so it is said by who writes the lines in order, not by one of those that make them at once.
struct Printed {
  std::string text;
  std::optional<std::uint64_t> not_finite;  // the first such image
};

// Scored images -> their lines.
struct Lines {
  std::size_t top = 1;
  bool probabilities = false, csv = false;
  std::vector<std::string> names;  // as they are printed

  using Output = Printed;
  void operator()(const Scored& scored, Printed& printed) const {
    std::string& out = printed.text;
    out.clear();
    printed.not_finite.reset();
    const std::size_t classes = names.size(), rows = scored.shard.rows;
    const auto to = std::back_inserter(out);
    std::vector<std::size_t> order(classes);
    for (std::size_t row = 0; row < rows; ++row) {
      const auto p = [&](std::size_t c) { return probability(scored, row, c); };
      const std::uint64_t index = scored.shard.batch->first + row;
      const std::size_t best = scored.predicted[row];
      if (!std::isfinite(p(best))) {
        printed.not_finite = index;
        return;
      }
      if (top > 1) {
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::swap(order[0], order[best]);
        const auto first = order.begin() + 1,
                   last = order.begin() + static_cast<std::ptrdiff_t>(std::min(top, classes));
        std::partial_sort(first, last, order.end(),
                          [&](std::size_t a, std::size_t b) { return p(a) != p(b) ? p(a) > p(b) : a < b; });
      }
      if (csv) {
        fmt::format_to(to, "{},{},{},{}", index, best, names[best], p(best));
        for (std::size_t k = 1; k < std::min(top, classes); ++k)
          fmt::format_to(to, ",{},{},{}", order[k], names[order[k]], p(order[k]));
        for (std::size_t c = 0; c < classes && probabilities; ++c) fmt::format_to(to, ",{}", p(c));
        out += '\n';
        continue;
      }
      fmt::format_to(to, R"({{"index":{},"class":{},"name":{},"probability":{})", index, best, names[best], p(best));
      if (top > 1) {
        out += ",\"top\":[";
        for (std::size_t k = 0; k < std::min(top, classes); ++k) {
          const std::size_t c = k == 0 ? best : order[k];
          fmt::format_to(to, R"({}{{"class":{},"name":{},"probability":{}}})", k ? "," : "", c, names[c], p(c));
        }
        out += ']';
      }
      if (probabilities) {
        out += ",\"probabilities\":[";
        for (std::size_t c = 0; c < classes; ++c) fmt::format_to(to, "{}{}", c ? "," : "", p(c));
        out += ']';
      }
      out += "}\n";
    }
  }
};

// A name as the lines have it.
std::string printed(const std::string& name, bool csv) {
  if (csv) return csv_field(name);
  return nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The first images with what they were taken for.
struct Collect {
  std::size_t most = 0;
  const NamedModel& model;
  std::uint64_t count = 0;  // of all images
  std::vector<GalleryItem> items{};

  void operator()(const Scored& scored) {
    const Batch& batch = *scored.shard.batch;
    count += batch.count();
    for (std::size_t row = 0; row < batch.count() && items.size() < most; ++row) {
      const Image image = image_of(batch.rows[row], batch.type,
                                   {batch.planes, batch.pixels / batch.planes / batch.columns, batch.columns},
                                   model.weights->divisor, transform_of(model));
      const std::size_t c = scored.predicted[row];
      items.push_back({.rows = image.height,
                       .columns = image.width,
                       .pixels = greys(image),
                       .predicted = model.names[c],
                       .probability = probability(scored, row, c)});
    }
  }
};

// The names of what the first images are. They are not paired with the images in the graph: those come in other runs,
// and their lines wait for no label.
struct CollectNames {
  std::size_t most = 0;
  const NamedModel& model;
  std::uint64_t count = 0;  // of all labels
  std::vector<std::string> names{};

  void operator()(const Rows& labels) {
    count += labels.count();
    for (std::size_t i = 0; i < labels.count() && names.size() < most; ++i)
      names.push_back(model.names[label_of(labels.type, labels.at[i])]);
  }
};

std::string head(const Lines& lines) {
  std::string text = "index,class,name,probability";
  for (std::size_t k = 2; k <= std::min(lines.top, lines.names.size()); ++k)
    text += fmt::format(",class_{},name_{},probability_{}", k, k, k);
  for (std::size_t c = 0; c < lines.names.size() && lines.probabilities; ++c) text += fmt::format(",p_{}", c);
  return text + '\n';
}

}  // namespace

int predict(const Options& o, const PredictOptions& p) {
  if (p.images.empty()) throw UsageError("--images FILE: is needed: see sluice predict --help");
  check_standard_input(p.images, p.labels, !o.dump_flags);
  const NamedModel model = load_named_model(o);
  std::optional<Interrupt> interrupt;  // before there is a file that could be left behind
  if (!p.gallery.empty()) {
    interrupt.emplace();
    if (!is_gallery_name(p.gallery))
      throw UsageError(fmt::format("--gallery {}: expected a name that ends in .png or .svg", p.gallery));
    std::vector<std::string> inputs = files_read(o, {p.images, p.labels});
    inputs.push_back(o.model);
    check_output("--gallery", p.gallery, inputs);
  }
  const auto looked_at = [](const InputFiles& files) { return !files.is_standard_input() && !waits(files); };
  const DataFilesWanted wanted = data_wanted(o);
  const InputFiles input = looked_at(p.images)
                               ? find_images(p.images, SetPart::test, wanted.test_keys.images, wanted.decoder_memory)
                               : p.images;
  const InputFiles true_labels = with_member_of_zip(p.labels, SetPart::test, wanted.test_keys.labels, true);
  if (!p.labels.empty() && !input.is_table()) check_headers(input, true_labels, read_settings(o));
  Lines lines{.top = p.top_k, .probabilities = p.probabilities, .csv = p.format == "csv", .names = {}};
  for (const std::string& name : model.names) lines.names.push_back(printed(name, lines.csv));

  //  rows.images -> batch -> forward -> lines -> write
  //                                  -> gallery
  //                       -> scale
  //  rows.labels -> names
  Graph g("predict", threads_beside_waits(o.effective_threads(), {p.images, p.labels}));
  const std::string name = p.images.name();
  const std::size_t rows = evaluation_rows(model.weights->pixels);
  // Without a gallery nothing is left to do when nobody reads the lines: not even to wait for more images.
  std::optional<UnreadOutput> unread;
  if (p.gallery.empty() && waits(p.images)) unread.emplace();
  const int wake = interrupt ? interrupt->wake() : unread ? unread->wake() : -1;
  ReadItems how = read_settings(o);
  how.wake = wake, how.at_once = true;
  check_flags_of_formats(o, {input, true_labels});
  ReadTable table = table_for(o, model, TableLabel::none);
  NumberTable number;
  table.number = &number;
  const auto images_of = [&]() -> Stream<Rows> {
    if (input.is_table())
      return g.map("images", ImagesOf{}, read_table_rows(g, "table", input, table, how, rows), unlimited);
    ReadItems any = how;
    if (waits(input) || input.is_standard_input()) any.table = &table;
    return read_rows<ItemKind::images>(g, "images", input, rows, any);
  };
  auto images = images_of();
  if (const FeatureTransform* const transform = transform_of(model))
    images = g.map("transform.images", TransformRows{.transform = transform}, images, unlimited);
  auto batches = g.map("batch", Unlabelled{.wanted = images_for(o, model), .images = name}, images, unlimited);
  check_scale(g, o, model, batches, name);
  auto scored = g.map("forward", ScoreBatch{.weights = &model.weights}, batches, unlimited);
  bool read = true;  // the output, by somebody
  const auto write = [&](const Printed& printed) {
    if (read) read = write_to_stdout(printed.text);
    if (!read && p.gallery.empty()) g.cancel();
    if (printed.not_finite)
      throw DataError(
          fmt::format("image {}: its probabilities are no finite numbers: are its pixels too large for the scale of "
                      "the model?",
                      *printed.not_finite));
  };
  g.sink("write", write, g.map("lines", lines, scored, unlimited));
  Collect gallery{.most = p.gallery_images, .model = model};
  CollectNames labels{.most = p.gallery_images, .model = model};
  if (!p.gallery.empty()) g.sink("gallery", std::ref(gallery), scored);
  if (!p.labels.empty()) {
    how.at_once = false, how.classes = model.names.size();
    g.sink("names", std::ref(labels), read_rows<ItemKind::labels>(g, "labels", true_labels, rows, how));
  }
  override_stages(o, {&g});
  if (o.dump_flags) {
    write_to_stdout(repeating_command(o, LabelledFiles{.images = p.images, .labels = p.labels}) + "\n");
    return 0;
  }
  if (lines.csv) read = write_to_stdout(head(lines));
  std::optional<Interrupt::Scope> until_here;
  if (interrupt) {
    until_here.emplace(*interrupt);
    interrupt->then([&g] { g.cancel(); });
  }
  try {
    g.run();
  } catch (const Cancelled&) {  // by a signal, or nobody reads any more
  } catch (const StageError& error) {
    if (!error.cause_as<WaitEndedError>()) throw;  // otherwise nobody waits for more either
  }
  if (interrupt && interrupt->signal()) {
    say(log_line(fmt::format("interrupted: {} was not written", p.gallery)));
    return 128 + interrupt->signal();
  }
  if (input.is_table() && read) say(log_line(describe(number.totals, *table.classes, table.missing)));
  if (!p.labels.empty()) {
    check_as_many(name, gallery.count, true_labels.name(), labels.count);
    for (std::size_t i = 0; i < gallery.items.size(); ++i) gallery.items[i].label = std::move(labels.names[i]);
  }
  if (!p.gallery.empty()) {
    Replacement file(p.gallery);
    const std::string bytes = apps::gallery(p.gallery, gallery.items);
    file.write(bytes.data(), bytes.size());
    file.commit();
  }
  return 0;
}

}  // namespace sluice::apps
