#include "apps/report/profile.hpp"

#include <nlohmann/json.hpp>

#include <sluice/pipeline/verdict.hpp>

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
    case Verdict::Kind::outside:
      return "outside";
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
                      {"waiting", s.waiting},
                      {"p50", s.p50},
                      {"p99", s.p99},
                      {"capacity", s.capacity},
                      {"queued", s.queued},
                      {"high_water", s.high_water},
                      {"latency_p50", s.latency_p50},
                      {"latency_p99", s.latency_p99},
                      {"errors", s.errors},
                      {"holes", s.holes},
                      {"left_over", s.left_over}});
  const Verdict v = verdict(stats);
  return {{"graph", stats.graph},
          {"runs", stats.runs},
          {"wall", stats.wall},
          {"threads", stats.threads},
          {"stages", stages},
          {"verdict",
           {{"kind", name(v.kind)},
            {"stage", v.stage},
            {"share", v.share},
            {"gain", v.gain},
            {"threads_gain", v.threads_gain},
            {"text", v.text}}}};
}

}  // namespace sluice::apps
