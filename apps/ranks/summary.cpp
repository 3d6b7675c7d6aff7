#include "apps/ranks/summary.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/terminal/plain_text.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;

// In an exchange as long as its bytes take: the rank that the others wait for.
std::size_t slowest(const std::vector<RankSummary>& all) {
  const auto least = std::min_element(all.begin(), all.end(),
                                      [](const RankSummary& a, const RankSummary& b) { return a.waited < b.waited; });
  return static_cast<std::size_t>(least - all.begin());
}

// A last batch that is smaller may take another way than the others.
const char* way_of(const RankSummary& one) {
  return one.steps_by_slices * 2 > one.steps ? "slices" : "gather";
}

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::vector<RankSummary> gather(Ranks& ranks, const RankSummary& mine) {
  const ordered_json told = {{"threads", mine.threads},
                             {"steps", mine.steps},
                             {"steps_by_slices", mine.steps_by_slices},
                             {"bytes_sent", mine.bytes_sent},
                             {"waited", mine.waited},
                             {"training", mine.training},
                             {"peak_bytes", mine.peak_bytes},
                             {"profile", mine.profile},
                             {"trace", mine.trace},
                             {"trace_begin", mine.trace_begin},
                             {"decoded_bytes", mine.decoded_bytes}};
  const std::string text = told.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  std::vector<RankSummary> all;
  for (const std::string& one : ranks.to_first(text, "the end")) {
    const ordered_json its = ordered_json::parse(one);
    all.push_back({.threads = its["threads"],
                   .steps = its["steps"],
                   .steps_by_slices = its["steps_by_slices"],
                   .bytes_sent = its["bytes_sent"],
                   .waited = its["waited"],
                   .training = its["training"],
                   .peak_bytes = its["peak_bytes"],
                   .decoded_bytes = its["decoded_bytes"],
                   .profile = its["profile"],
                   .trace = its["trace"],
                   .trace_begin = its["trace_begin"]});
  }
  return all;
}

std::string slowest_in_words(const std::vector<RankSummary>& all, const Ranks& ranks) {
  if (all.size() < 2 || all.front().steps == 0) return "";
  const std::size_t last = slowest(all);
  double waited = 0, training = 0;
  for (const RankSummary& one : all) waited += one.waited - all[last].waited, training += one.training;
  const double share =
      waited / std::max(training, 1e-9) * static_cast<double>(all.size()) / static_cast<double>(all.size() - 1);
  const double exchange = all[last].waited / std::max(all[last].training, 1e-9);
  return fmt::format("{} is the slowest: the others wait for it {} of the training; the exchange itself takes {}",
                     ranks.name(last), percent(share), percent(exchange));
}

std::string in_words(const std::vector<RankSummary>& all, const Ranks& ranks) {
  const std::size_t hosts = ranks.host_count();
  std::size_t threads = 0;
  for (const RankSummary& one : all) threads += one.threads;
  const std::string way = all.front().steps > 0 ? fmt::format(", exchange by {}", way_of(all.front())) : "";
  return fmt::format("{} processes on {} host{}, {} threads in all{}", all.size(), hosts, hosts == 1 ? "" : "s",
                     threads, way);
}

ordered_json to_json(const std::vector<RankSummary>& all, const Ranks& ranks) {
  ordered_json each = ordered_json::array();
  for (std::size_t r = 0; r < all.size(); ++r)
    each.push_back({{"rank", r},
                    {"host", ranks.hosts()[r]},
                    {"threads", all[r].threads},
                    {"exchange_seconds", all[r].waited},
                    {"bytes_sent", all[r].bytes_sent},
                    {"decoded_bytes", all[r].decoded_bytes},
                    {"peak_rss_bytes", all[r].peak_bytes}});
  ordered_json json = {{"processes", all.size()}, {"hosts", ranks.host_count()}, {"library", ranks.library()}};
  if (all.front().steps > 0) json["exchange"] = way_of(all.front());
  if (all.size() > 1 && all.front().steps > 0) json["slowest"] = slowest(all);
  json["ranks"] = std::move(each);
  return json;
}

std::vector<std::chrono::nanoseconds> clock_offsets(Ranks& ranks) {
  constexpr int questions = 15;
  stages::Peers& peers = ranks.peers();
  std::vector<std::chrono::nanoseconds> offset(ranks.ranks());
  for (std::size_t r = 1; r < ranks.ranks(); ++r) {
    if (!ranks.first() && ranks.rank() != r) continue;
    std::int64_t quickest = std::numeric_limits<std::int64_t>::max();
    for (int i = 0; i < questions; ++i) {
      std::vector<stages::Outgoing> to(ranks.ranks());
      std::vector<stages::Incoming> from(ranks.ranks());
      std::int64_t asked = now(), its = 0;
      if (ranks.first()) {
        to[r] = {&asked, sizeof asked};
        peers.swap(to, from, "the end");
        to[r] = {}, from[r] = {&its, sizeof its};
        peers.swap(to, from, "the end");
        const std::int64_t answered = now();
        if (answered - asked >= quickest) continue;
        quickest = answered - asked;
        offset[r] = std::chrono::nanoseconds(its - (asked + answered) / 2);
      } else {
        from[0] = {&asked, sizeof asked};
        peers.swap(to, from, "the end");
        its = now();
        from[0] = {}, to[0] = {&its, sizeof its};
        peers.swap(to, from, "the end");
      }
    }
  }
  return offset;
}

std::string merged_trace(const std::vector<RankSummary>& all, const Ranks& ranks,
                         const std::vector<std::chrono::nanoseconds>& offset) {
  constexpr int processes_of_a_rank = 1000;
  std::vector<std::int64_t> begins;  // on the first one's clock
  for (std::size_t r = 0; r < all.size(); ++r) begins.push_back(all[r].trace_begin - offset[r].count());
  const std::int64_t begin = *std::min_element(begins.begin(), begins.end());
  std::string text = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
  bool any = false;
  std::uint64_t arrows = 0, arrows_before = 0;  // whose ids are whole numbers: Perfetto takes no others
  for (std::size_t r = 0; r < all.size(); ++r) {
    ordered_json trace = ordered_json::parse(all[r].trace);
    const double later = static_cast<double>(begins[r] - begin);
    for (ordered_json& event : trace["traceEvents"]) {
      event["pid"] = event["pid"].get<int>() + static_cast<int>(r) * processes_of_a_rank;
      // Whole nanoseconds, as they were.
      if (event.contains("ts")) event["ts"] = (std::round(event["ts"].get<double>() * 1000) + later) / 1000;
      if (event.contains("id")) {
        const std::uint64_t id = arrows_before + event["id"].get<std::uint64_t>();
        arrows = std::max(arrows, id);
        event["id"] = id;
      }
      if (const auto name = event.find("name");
          name != event.end() && name->get_ref<const std::string&>() == "process_name")
        event["args"]["name"] = ranks.name(r);
      if (std::exchange(any, true)) text += ",\n";
      text += event.dump();
    }
    arrows_before = arrows;
  }
  return text + "\n]}\n";
}

}  // namespace sluice::apps
