#include "apps/report/observations.hpp"

#include <fmt/core.h>

#include <cstddef>
#include <exception>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include <sluice/pipeline/svg.hpp>
#include <sluice/pipeline/verdict.hpp>
#include <sluice/stages/blocks.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/regular_file.hpp>
#include <sluice/stages/replacement.hpp>
#include "apps/job/predictions.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/training_settings.hpp"
#include "apps/report/advice.hpp"
#include "apps/report/profile.hpp"
#include "apps/report/report.hpp"
#include "apps/report/result.hpp"
#include "apps/terminal/plain_text.hpp"

namespace sluice::apps {
namespace {

stages::Compression compression_of_images(const Observed& run) {
  const std::vector<std::string>& paths = run.files.train_images.paths();
  return paths.empty() ? stages::Compression::none : stages::compression_of(stages::RegularFile(paths.front()));
}

std::vector<GraphPicture> pictures(const Observed& run) {
  std::vector<GraphPicture> all;
  for (std::size_t i = 0; i < run.graphs.size(); ++i)
    all.push_back({run.graphs[i]->name(), run.graphs[i]->stages(), run.counted[i]});
  return all;
}

// What of the data was decompressed in pieces, and of that, how much where it was known where they begin; empty:
// nothing was.
std::string pieces_in_words(const JobData& data) {
  std::string all;
  std::size_t passed_over = 0;
  for (const auto& [graph, count] : {std::pair("load", data.loaded), std::pair("train", data.train.decoded),
                                     std::pair("evaluate", data.test.decoded)}) {
    const double bytes = count ? static_cast<double>(count->all) : 0;
    if (bytes == 0) continue;
    all += fmt::format("{} {} {:.1f} MB ({} known)", all.empty() ? "decompressed in pieces:" : ",", graph, bytes / 1e6,
                       percent(static_cast<double>(count->of_known) / bytes, 0));
    passed_over += count->passed_over;
  }
  if (all.empty()) return all;
  all += "; known: where they begin, from an index or an earlier epoch\n";
  if (passed_over > 0)
    all += "an index file was passed over: of another file, or damaged: sluice index writes it anew\n";
  return all;
}

void print_profile(const Options& o, const Observed& run) {
  say(profile_of(run.style, run.counted) + run.profiles_of_others);
  if (run.style.form == LogStyle::Form::jsonl) {
    if (!run.slowest.empty()) say_message(run.style, run.slowest);
    return;
  }
  say("\nat once: bodies that can be; busy, starved (no input), blocked (no room behind), ready (waits for a "
      "thread): of\n"
      "their time; queue: most messages in the segment behind it / capacity; p50, p99: of a body\n");
  if (run.weights)
    say(cut_in_words(training_settings(o, run.data.train.count), run.data.train.shape, run.threads.count()) + "\n");
  say(pieces_in_words(run.data));
  const RunSeconds& s = run.state.seconds;
  say(fmt::format("of {:.3f} s: load {}, train {}, test {}\n", s.total, percent(s.load / s.total, 0),
                  percent(s.train / s.total, 0), percent(s.test / s.total, 0)));
  if (!run.processes.empty()) say(run.processes + (run.slowest.empty() ? "" : ": " + run.slowest) + "\n");
  if (const auto where = where_the_time_goes(run.counted); !where.empty()) say(where.front() + "\n");
  if (const std::string what = advice(o, run.data.train.shape, compression_of_images(run), run.counted); !what.empty())
    say("advice: " + what + "\n");
}

Report report(const Options& o, const Observed& run) {
  Report r;
  r.title = "sluice train";
  r.outcome = run.state.outcome;
  const stages::DataShape& shape = run.data.train.shape;
  r.command = run.command;
  const nlohmann::ordered_json options = effective(o, run.files, run.data);
  for (const auto& [name, value] : options.items())
    r.options.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  r.facts = {{"sluice", SLUICE_VERSION}, {"kernels", kernels::active().name}};
  if (run.weights) {
    r.facts.emplace_back("training images", fmt::format("{} of {}", run.data.train.count, stages::pixels_text(shape)));
    if (run.data.validation.count) r.facts.emplace_back("validation images", std::to_string(run.data.validation.count));
    r.facts.emplace_back("test images", std::to_string(run.data.test.count));
    r.facts.emplace_back("classes", std::to_string(shape.classes));
  }
  const RunSeconds& s = run.state.seconds;
  r.facts.emplace_back("seconds",
                       fmt::format("{:.3f}: load {:.3f}, train {:.3f}, test {:.3f}", s.total, s.load, s.train, s.test));
  if (!run.processes.empty()) r.facts.emplace_back("processes", run.processes);
  if (!run.slowest.empty()) r.facts.emplace_back("slowest process", run.slowest);
  r.facts.emplace_back("peak memory", fmt::format("{:.1f} MiB", static_cast<double>(peak_rss_bytes()) / (1 << 20)));
  if (!run.state.weights_sha256.empty()) r.facts.emplace_back("weights sha256", run.state.weights_sha256);
  r.epochs = run.state.training.epochs;
  if (!r.epochs.empty()) r.result_epoch = run.state.result_epoch().number - 1;
  r.graphs = pictures(run);
  r.advice = advice(o, run.data.train.shape, compression_of_images(run), run.counted);
  if (run.weights) {
    r.class_names = run.class_names;
    r.test = run.data.test.in_memory;
    r.model = run.weights.get();
    r.predictions = predictions_of(run.weights, *run.data.test.in_memory, run.threads);
  }
  return r;
}

}  // namespace

std::string profile_of(const LogStyle& style, const std::vector<GraphStats>& counted, const std::string& rank) {
  std::string text;
  for (const GraphStats& stats : counted) {
    if (style.form == LogStyle::Form::jsonl) {
      nlohmann::ordered_json facts = to_json(stats);
      if (!rank.empty()) facts["rank"] = rank;
      text += log_event("profile", facts);
    } else if (stats.runs > 0) {
      text += fmt::format("\n{}{}: {} run{} in {:.3f} s on {} thread{}\n{}{}\n", rank.empty() ? "" : rank + ", ",
                          stats.graph, stats.runs, stats.runs == 1 ? "" : "s", stats.wall, stats.threads,
                          stats.threads == 1 ? "" : "s", profile_table(stats), verdict(stats).text);
    }
  }
  return text;
}

void write_observations(const Options& o, const Observed& run) {
  std::exception_ptr failed;
  const auto write = [&](const std::string& what, const std::string& path, auto text) {
    if (path.empty()) return;
    try {
      const std::string bytes = text();
      stages::Replacement file(path);
      file.write(bytes.data(), bytes.size());
      file.commit();
      if (!o.quiet) say_message(run.style, fmt::format("{} in {}", what, path));
    } catch (const std::exception&) {
      if (!failed) failed = std::current_exception();
    }
  };
  write(fmt::format("trace of the first {} messages of each stream", o.trace_steps), o.trace, [&] {
    if (!run.trace_of_all.empty()) return run.trace_of_all;
    std::ostringstream text;
    run.trace->write(text);
    return text.str();
  });
  write("picture", o.picture, [&] { return svg(pictures(run)); });
  write("report", o.report, [&] { return html(report(o, run)); });
  if (o.profile) print_profile(o, run);
  if (failed) std::rethrow_exception(failed);
}

}  // namespace sluice::apps
