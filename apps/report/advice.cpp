#include "apps/report/advice.hpp"

#include <fmt/core.h>

#include <algorithm>

#include <sluice/pipeline/threads.hpp>
#include <sluice/pipeline/verdict.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include "apps/job/training_settings.hpp"
#include "apps/terminal/plain_text.hpp"

namespace sluice::apps {

std::vector<std::string> where_the_time_goes(const std::vector<GraphStats>& graphs) {
  double all = 0;
  for (const GraphStats& g : graphs) all += g.wall;
  const auto said = [all](const GraphStats& g) {
    return fmt::format("{}, {} of the time in graphs: {}", g.graph, percent(g.wall / all, 0), verdict(g).text);
  };
  std::vector<std::string> lines;
  const auto longest = std::max_element(graphs.begin(), graphs.end(),
                                        [](const GraphStats& a, const GraphStats& b) { return a.wall < b.wall; });
  if (all <= 0) return lines;
  lines.push_back(said(*longest));
  for (const GraphStats& g : graphs)
    if (g.graph == "train" && g.wall > 0 && &g != &*longest) lines.push_back(said(g));
  return lines;
}

std::string advice(const Options& o, const stages::DataShape& shape, stages::Compression compression,
                   const std::vector<GraphStats>& graphs) {
  const auto longest = std::max_element(graphs.begin(), graphs.end(),
                                        [](const GraphStats& a, const GraphStats& b) { return a.wall < b.wall; });
  if (longest == graphs.end() || longest->wall <= 0) return "";
  const Verdict v = verdict(*longest);
  const TrainingSettings settings{.batch_size = o.batch_size, .shards = o.shards};
  const bool threads_matter = cut_of(settings, shape, default_threads()).shards > 1;
  using stages::Compression;
  const bool inflates = v.stage.starts_with("inflate");
  if (inflates && compression == Compression::bzip2)
    return "the largest part of the time is decompression of bzip2: gzip, xz and zstd are several times faster";
  if (inflates && compression == Compression::xz)
    return "the largest part of the time is decompression of xz: xz -T0 --block-size=1MiB makes blocks that all "
           "threads "
           "decode, zstd is several times faster";
  if (longest->graph == "load" && inflates && compression == Compression::gzip && o.effective_decoder() == "zlib" &&
      !stages::libdeflate_version().empty())
    return "the largest part of the time is decompression with zlib: --decoder libdeflate is about twice as fast";
  if (o.stream && v.stage.starts_with("pieces") && !o.no_index)
    return "the largest part of the time is decompression, one piece after the other: with an index (sluice index) all "
           "threads do it";
  if (o.stream && inflates && compression != Compression::none)
    return "the largest part of the time is decompression, anew in every epoch: data that fit into memory are faster "
           "without --stream";
  if (longest->graph == "train" && o.effective_threads() < default_threads() && v.gain > 1.05 && threads_matter)
    return fmt::format("the largest part of the time is training, on {} of {} CPUs: try --threads {}",
                       o.effective_threads(), default_threads(), default_threads());
  if (o.effective_threads() > default_threads())
    return fmt::format("{} threads wait for one another on {} CPU{}: try --threads {}", o.effective_threads(),
                       default_threads(), default_threads() == 1 ? "" : "s", default_threads());
  if (longest->graph == "train" && longest->stage("shard").shards == 1 && o.effective_threads() > 1)
    return o.shards == 1 ? "--shards 1: one thread works on a whole batch: without the flag the others do, too"
                         : fmt::format(
                               "a batch of {} rows is one shard, which one thread scores: a larger "
                               "--batch-size gives the others work",
                               o.batch_size);
  return "";
}

}  // namespace sluice::apps
