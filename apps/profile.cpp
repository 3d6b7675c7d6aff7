#include "apps/profile.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include <sluice/pipeline/threads.hpp>
#include <sluice/pipeline/verdict.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include <sluice/stages/kernels/kernels.hpp>

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

}  // namespace

ordered_json to_json(const GraphStats& stats) {
  ordered_json stages = ordered_json::array();
  for (const StageStats& s : stats.stages)
    stages.push_back({{"name", s.name},
                      {"verb", to_string(s.verb)},
                      {"inputs", s.inputs},
                      {"concurrency", s.concurrency.limit},
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
  if (o.stream && v.stage.starts_with("inflate"))
    return "the largest part of the time is decompression, anew in every epoch: data that fit into memory are faster "
           "without --stream";
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

}  // namespace sluice::apps
