#include <sluice/pipeline/detail/layout.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace sluice::detail {
namespace {

constexpr double row_gap = 22, track_gap = 10;  // between boxes, between arrows that go back; pixels
constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

}  // namespace

Layout::Layout(const std::vector<StageInfo>& stages, double box_height) : places(stages.size()) {
  for (Place& p : places) p.height = box_height;
  connect(stages);
  set_columns();
  for (Arrow& arrow : arrows)
    if (!arrow.back) pass(arrow);  // makes more places
  cut_chains(stages);
  for (std::size_t component = 0; component < stages.size(); ++component) arrange(component);
  spread_arrivals(stages.size());
}

void Layout::connect(const std::vector<StageInfo>& stages) {
  std::map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < stages.size(); ++i) known.emplace(stages[i].name, i), places[i].component = i;
  for (std::size_t to = 0; to < stages.size(); ++to) {
    const auto& inputs = stages[to].inputs;  // may name a stream twice
    for (const std::string& input : std::set<std::string>(inputs.begin(), inputs.end())) {
      if (!known.count(input)) continue;
      const std::size_t from = known[input];
      arrows.push_back({from, to, stages[to].verb == Verb::feedback || from >= to, {}});
      const auto [low, high] = std::minmax({places[from].component, places[to].component});
      for (Place& p : places)
        if (p.component == high) p.component = low;
    }
  }
}

// A stage that reads none stands just before what reads it.
void Layout::set_columns() {
  std::vector<std::size_t> reader(places.size(), none);
  for (const Arrow& a : arrows)  // in the order of `to`
    if (!a.back) places[a.to].column = std::max(places[a.to].column, places[a.from].column + 1);
  for (const Arrow& a : arrows)
    if (!a.back) reader[a.from] = std::min(reader[a.from], places[a.to].column);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i].column == 0 && reader[i] != none) places[i].column = reader[i] - 1;
    columns = std::max(columns, places[i].column + 1);
  }
}

// Arrows of one stream share their way until they part.
void Layout::pass(Arrow& arrow) {
  const auto link = [this](std::size_t from, std::size_t to) {
    auto& next = places[from].next;
    if (std::find(next.begin(), next.end(), to) == next.end()) next.push_back(to);
  };
  std::vector<std::size_t>& trunk = trunks_[arrow.from];
  std::size_t at = arrow.from;
  for (std::size_t column = places[at].column + 1, k = 0; column < places[arrow.to].column; ++column, ++k) {
    if (k == trunk.size()) {
      trunk.push_back(places.size());
      places.push_back({column, places[arrow.from].component});
    }
    link(at, trunk[k]);
    arrow.through.push_back(at = trunk[k]);
  }
  link(at, arrow.to);
}

void Layout::cut_chains(const std::vector<StageInfo>& stages) {
  std::vector<std::size_t> order(places.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [this](std::size_t a, std::size_t b) { return places[a].column > places[b].column; });
  std::vector<bool> taken(places.size());
  for (std::size_t left = places.size(); left > 0;) {
    std::vector<std::size_t> length(places.size());  // of the longest way from a place, in stages
    std::vector<std::size_t> follow(places.size(), none);
    const auto rank = [&](std::size_t p) {  // a source before a feedback
      return std::tuple(~length[p], p < stages.size() && stages[p].verb == Verb::feedback, places[p].column, p);
    };
    std::size_t first = none;
    for (const std::size_t p : order) {
      if (taken[p]) continue;
      std::vector<std::size_t> longest;  // of equals the one in the middle
      for (const std::size_t next : places[p].next) {
        if (taken[next] || (!longest.empty() && length[next] < length[longest[0]])) continue;
        if (!longest.empty() && length[next] > length[longest[0]]) longest.clear();
        longest.push_back(next);
      }
      if (!longest.empty()) follow[p] = longest[(longest.size() - 1) / 2], length[p] = length[follow[p]];
      if (p < stages.size()) ++length[p];
      if (first == none || rank(p) < rank(first)) first = p;
    }
    Chain& chain = chains_.emplace_back();
    for (std::size_t p = first; p != none; p = follow[p]) chain.push_back(p), taken[p] = true, --left;
  }
}

// From the top; each chain as high as what stands above it in its columns allows.
void Layout::stand(const std::vector<const Chain*>& order) {
  std::vector<double> free(columns, top_);
  for (const Chain* chain : order) {
    double y = 0;
    for (const std::size_t p : *chain) y = std::max(y, free[places[p].column] + places[p].height / 2);
    for (const std::size_t p : *chain) places[p].y = y, free[places[p].column] = y + places[p].height / 2 + row_gap;
  }
}

// What is wrong with an order: the pixels that arrows go up or down, and a fine for each crossing.
double Layout::fault(const std::vector<const Chain*>& order) {
  stand(order);
  std::vector<std::vector<std::pair<double, double>>> gaps(columns);
  for (const Chain* chain : order)
    for (const std::size_t p : *chain)
      for (const std::size_t next : places[p].next)
        if (places[next].y >= 0) gaps[places[p].column].emplace_back(places[p].y, places[next].y);
  double sum = 0;
  for (auto& gap : gaps) {
    std::sort(gap.begin(), gap.end());
    std::vector<double> ends;
    for (const auto& [y0, y1] : gap) {
      const auto above = std::upper_bound(ends.begin(), ends.end(), y1);
      sum += std::abs(y1 - y0) + 150.0 * static_cast<double>(ends.end() - above);
      ends.insert(above, y1);
    }
  }
  return sum;
}

void Layout::arrange(std::size_t component) {
  std::vector<const Chain*> order;
  for (int pass = 0; pass < 2; ++pass)
    for (const Chain& chain : chains_) {
      if (places[chain[0]].component != component) continue;
      const auto stands = std::find(order.begin(), order.end(), &chain);
      std::ptrdiff_t best = stands - order.begin();  // or last
      if (stands != order.end()) order.erase(stands);
      double least = std::numeric_limits<double>::max();
      const auto try_at = [&](std::ptrdiff_t at) {
        order.insert(order.begin() + at, &chain);
        if (const double f = fault(order); f < least - 0.01) best = at, least = f;
        order.erase(order.begin() + at);
      };
      try_at(best);
      for (auto at = std::ssize(order); at >= 0; --at) try_at(at);
      order.insert(order.begin() + best, &chain);
    }
  // Two change places where that is better, or as good and in the order in which they were cut.
  double now = fault(order);
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = i + 1; j < order.size(); ++j) {
      const double slack = order[i] > order[j] ? 0.01 : -0.01;
      std::swap(order[i], order[j]);
      if (const double then = fault(order); then < now + slack)
        now = then;
      else
        std::swap(order[i], order[j]);
    }
  if (order.empty()) return;
  stand(order);
  for (const Chain* chain : order)
    for (const std::size_t p : *chain) height = std::max(height, places[p].y + places[p].height / 2);
  double track = height + 8;
  for (Arrow& a : arrows)
    if (a.back && places[a.to].component == component) height = a.arrival = track += track_gap;
  top_ = height + row_gap;
}

// Arrows that meet end one below the other, the one that comes straight in the middle.
void Layout::spread_arrivals(std::size_t stages) {
  std::vector<std::vector<Arrow*>> into(stages);
  for (Arrow& a : arrows)
    if (!a.back) into[a.to].push_back(&a);
  const auto comes_from = [this](const Arrow* a) { return places[a->through.empty() ? a->from : a->through.back()].y; };
  for (std::size_t s = 0; s < stages; ++s) {
    auto& all = into[s];
    std::sort(all.begin(), all.end(), [&](Arrow* a, Arrow* b) { return comes_from(a) < comes_from(b); });
    const double last = static_cast<double>(all.size()) - 1;
    double middle = last / 2;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (std::abs(comes_from(all[i]) - places[s].y) < 0.5) middle = static_cast<double>(i);
    const double room = places[s].height / 2 - 8;
    const double step = std::min(13.0, room / std::max({middle, last - middle, 1.0}));
    for (std::size_t i = 0; i < all.size(); ++i) all[i]->arrival = (static_cast<double>(i) - middle) * step;
  }
}

}  // namespace sluice::detail
