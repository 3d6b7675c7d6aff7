#include "apps/profile.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "pipeline/verdict.hpp"
#include "stages/inflate_whole.hpp"
#include "stages/kernels/kernels.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;

const char* name(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::stage:
      return "stage";
    case Verdict::Kind::threads:
      return "threads";
    case Verdict::Kind::loop:
      return "loop";
    case Verdict::Kind::scheduling:
      return "scheduling";
    default:
      return "nothing";
  }
}

// As a POSIX shell takes it back.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string("%+,-./:=@_").find(static_cast<char>(c)) != std::string::npos;
  });
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

ordered_json to_json(const GraphStats& stats) {
  ordered_json stages = ordered_json::array();
  for (const StageStats& s : stats.stages)
    stages.push_back({{"name", s.name},
                      {"verb", s.verb},
                      {"inputs", s.inputs},
                      {"concurrency", s.concurrency},
                      {"at_once", s.at_once},
                      {"shards", s.shards},
                      {"sharded", s.sharded},
                      {"items", s.items},
                      {"busy", s.busy},
                      {"starved", s.starved},
                      {"blocked", s.blocked},
                      {"ready", s.ready},
                      {"p50", s.p50},
                      {"p99", s.p99},
                      {"capacity", s.capacity},
                      {"queued", s.queued},
                      {"high_water", s.high_water}});
  const Verdict v = verdict(stats);
  return {{"graph", stats.graph},
          {"runs", stats.runs},
          {"wall", stats.wall},
          {"threads", stats.threads},
          {"stages", stages},
          {"verdict",
           {{"kind", name(v.kind)}, {"stage", v.stage}, {"share", v.share}, {"gain", v.gain}, {"text", v.text}}}};
}

std::string advice(const Options& o, const std::vector<GraphStats>& graphs) {
  const auto longest = std::max_element(graphs.begin(), graphs.end(),
                                        [](const GraphStats& a, const GraphStats& b) { return a.wall < b.wall; });
  if (longest == graphs.end() || longest->wall <= 0) return "";
  const Verdict v = verdict(*longest);
  if (longest->graph == "load" && v.stage.starts_with("inflate") && o.effective_decoder() == "zlib" &&
      !stages::libdeflate_version().empty())
    return "the largest part of the time is decompression with zlib: --decoder libdeflate is about twice as fast";
  if (longest->graph == "train" && o.effective_threads() < default_threads() && v.gain > 1.05)
    return fmt::format("the largest part of the time is training, on {} of {} CPUs: try --threads {}",
                       o.effective_threads(), default_threads(), default_threads());
  if (o.effective_threads() > default_threads())
    return fmt::format("{} threads wait for one another on {} CPUs: try --threads {}", o.effective_threads(),
                       default_threads(), default_threads());
  if (longest->graph == "train" && o.effective_shards() == 1 && o.effective_threads() > 1)
    return fmt::format("a batch of {} rows is one shard, which one thread works on: a larger --batch-size has more",
                       o.batch_size);
  return "";
}

std::string repeating_command(const Options& o, const stages::DataFiles& files) {
  std::string text = "sluice train";
  const auto flag = [&](const char* name, const std::string& value) {
    text += fmt::format(" {} {}", name, quoted(value));
  };
  flag("--train-images", files.train_images);
  flag("--train-labels", files.train_labels);
  flag("--test-images", files.test_images);
  flag("--test-labels", files.test_labels);
  if (o.classes) flag("--classes", std::to_string(o.classes));
  flag("--decoder", o.effective_decoder());
  flag("--epochs", std::to_string(o.epochs));
  flag("--batch-size", std::to_string(o.batch_size));
  flag("--lr", fmt::format("{}", o.lr));
  flag("--seed", std::to_string(o.seed));
  flag("--threads", std::to_string(o.effective_threads()));
  flag("--shards", std::to_string(o.effective_shards()));
  for (const std::string& setting : o.concurrency) flag("--concurrency", setting);
  for (const std::string& setting : o.capacity) flag("--capacity", setting);
  flag("--isa", kernels::active().name);
  if (!o.output.empty()) flag("--output", o.output);
  return text;
}

}  // namespace sluice::apps
