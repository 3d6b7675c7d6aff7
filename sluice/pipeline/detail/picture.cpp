#include <sluice/pipeline/detail/picture.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>

namespace sluice::detail {
namespace {

const char* arrow(const Stage& from) {
  return from.bracket ? " => " : " -> ";
}

using Arrow = std::pair<const Stage*, const Stage*>;

// The longest path of arrows not yet drawn that begins at a stage. A path ends where it comes to a feedback (the cycle
// is closed) or to a stage that stands in the picture already, and names it.
class Painter {
 public:
  explicit Painter(const Stages& stages) : stages_(stages) {}

  std::string paint() {
    std::string text;
    for (;;) {
      // What begins the graph, a source before a feedback; then branches, each under the stage that it leaves.
      std::vector<const Stage*> best;
      int best_rank = 0;
      for (const auto& s : stages_) {
        const bool stands = column_.count(s.get()) > 0;
        const int rank = !s->row().starts() ? 0 : s->verb == Verb::feedback ? 1 : 2;
        if (rank == 0 && !stands) continue;
        const std::size_t length = longest(*s).length;
        if (length < 2) continue;
        if (length > best.size() || (length == best.size() && rank > best_rank)) best = path(*s), best_rank = rank;
      }
      longest_.clear();
      if (best.empty()) return text;
      text += line(best);
    }
  }

 private:
  struct Path {
    std::size_t length = 1;
    const Stage* next = nullptr;
  };

  bool ends_at(const Stage& stage) const { return column_.count(&stage) || stage.verb == Verb::feedback; }

  // Looked up once for each stage and line: a graph of diamonds has more paths than can be walked.
  Path longest(const Stage& from) {
    if (const auto known = longest_.find(&from); known != longest_.end()) return known->second;
    Path best;
    for (const Stage* to : from.consumers) {
      if (drawn_.count({&from, to})) continue;
      const std::size_t length = 1 + (ends_at(*to) ? 1 : longest(*to).length);
      if (length > best.length) best = {length, to};
    }
    return longest_[&from] = best;
  }

  std::vector<const Stage*> path(const Stage& from) {
    std::vector<const Stage*> all{&from};
    for (const Stage* at = longest(from).next; at; at = ends_at(*at) ? nullptr : longest(*at).next) all.push_back(at);
    return all;
  }

  std::string line(const std::vector<const Stage*>& path) {
    std::string text;
    const bool stands_above = column_.count(path[0]) > 0;
    if (stands_above) text.assign(column_[path[0]], ' ');
    for (std::size_t i = 0; i < path.size(); ++i) {
      // The name of a feedback at the end of a line closes the cycle; its own line begins anew.
      if (i == 0 || path[i]->verb != Verb::feedback) column_.try_emplace(path[i], text.size());
      text += i == 0 && stands_above ? std::string(path[0]->name.size(), ' ') : path[i]->name;
      if (i + 1 == path.size()) break;
      text += arrow(*path[i]);
      drawn_.insert({path[i], path[i + 1]});
    }
    return text + "\n";
  }

  const Stages& stages_;
  std::map<const Stage*, std::size_t> column_;
  std::set<Arrow> drawn_;
  std::map<const Stage*, Path> longest_;  // of the line being looked for
};

std::string bytes(std::size_t n) {
  return n < 10 * 1024          ? fmt::format("{} B", n)
         : n < 10 * 1024 * 1024 ? fmt::format("{:.1f} KiB", static_cast<double>(n) / 1024)
                                : fmt::format("{:.1f} MiB", static_cast<double>(n) / (1024 * 1024));
}

std::string said(const Bound& bound) {
  return bytes(bound.bytes) + (bound.complete ? "" : " + undeclared");
}

}  // namespace

std::string said(Concurrency c) {
  return c.limit == 0 ? "unlimited" : c.limit == 1 ? "serial" : fmt::format("up to {}", c.limit);
}

std::string picture(const Stages& stages) {
  return Painter(stages).paint();
}

std::string table(const std::vector<StageInfo>& stages) {
  std::size_t width = 5;
  for (const auto& s : stages) width = std::max(width, s.name.size());
  std::string text = fmt::format("{:<{}}  {:<8}  {:<11}  {:>8}  {:>6}  {:>8}  {}\n", "stage", width, "verb",
                                 "concurrency", "capacity", "shards", "messages", "at most");
  Bound sum;
  for (const auto& s : stages) {
    const auto number = [](std::size_t n) { return n ? std::to_string(n) : std::string("-"); };
    text += fmt::format("{:<{}}  {:<8}  {:<11}  {:>8}  {:>6}  {:>8}  {}\n", s.name, width, to_string(s.verb),
                        said(s.concurrency), number(s.capacity), number(row(s.verb).cuts() ? s.shards : 0),
                        number(s.bound.messages), s.bound.messages ? said(s.bound) : "-");
    sum += s.bound;
  }
  return text + fmt::format("bound: {} messages, {}\n", sum.messages, said(sum));
}

}  // namespace sluice::detail
