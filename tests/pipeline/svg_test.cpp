// The picture is read back: every promise is checked on its elements.
#include <sluice/pipeline/svg.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/verdict.hpp>
#include "tests/pipeline/everything.hpp"
#include "tests/support/parameters.hpp"

namespace sluice::test {
namespace {

struct Element {
  std::string name, text, title;  // text without that of its children; title: of its child of that name
  std::map<std::string, std::string> attributes;
  double dx = 0, dy = 0;  // by which it is moved
  std::size_t parent = 0;

  std::string operator[](const std::string& attribute) const {
    const auto found = attributes.find(attribute);
    return found == attributes.end() ? "" : found->second;
  }
  double number(const std::string& attribute) const { return std::strtod((*this)[attribute].c_str(), nullptr); }
  bool is(const std::string& kind) const { return (" " + (*this)["class"] + " ").find(" " + kind + " ") != kind.npos; }
};

std::string unescaped(std::string text) {
  const std::pair<const char*, const char*> all[] = {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}};
  for (std::size_t at = 0; (at = text.find('&', at)) != text.npos; ++at) {
    const auto* known = std::find_if(std::begin(all), std::end(all), [&](const auto& e) {
      return text.compare(at, std::string(e.first).size(), e.first) == 0;
    });
    if (known == std::end(all)) {
      ADD_FAILURE() << "not an entity: " << text.substr(at, 10);
      return text;
    }
    text.replace(at, std::string(known->first).size(), known->second);
  }
  return text;
}

// The elements in order, the root first. Fails where the text is not well-formed XML.
std::vector<Element> parsed(const std::string& xml) {
  std::vector<Element> all;
  std::vector<std::size_t> open;
  const auto wrong = [&](const std::string& what, std::size_t at) {
    ADD_FAILURE() << what << " at byte " << at << ": " << xml.substr(at, 80);
    return all;
  };
  for (std::size_t at = 0; at < xml.size();) {
    if (xml[at] != '<') {
      const std::size_t end = std::min(xml.find('<', at), xml.size());
      const std::string text = xml.substr(at, end - at);
      if (open.empty() && text != "\n") return wrong("text outside", at);
      for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n') return wrong("control character", at);
      if (!open.empty()) all[open.back()].text += unescaped(text);
      at = end;
    } else if (xml[at + 1] == '/') {
      const std::size_t end = xml.find('>', at);
      if (open.empty() || xml.substr(at + 2, end - at - 2) != all[open.back()].name) return wrong("wrong end", at);
      const Element& e = all[open.back()];
      if (e.name == "title") all[e.parent].title = e.text;
      open.pop_back();
      at = end + 1;
    } else {
      if (open.empty() && !all.empty()) return wrong("second root", at);
      Element e;
      std::size_t i = at + 1;
      while (std::isalpha(static_cast<unsigned char>(xml[i]))) e.name += xml[i++];
      while (xml[i] == ' ') {
        const std::size_t equals = xml.find("=\"", i), end = xml.find('"', equals + 2);
        if (equals == xml.npos || end == xml.npos) return wrong("wrong attribute", i);
        const std::string value = xml.substr(equals + 2, end - equals - 2);
        if (value.find('<') != value.npos) return wrong("< in an attribute", i);
        if (!e.attributes.emplace(xml.substr(i + 1, equals - i - 1), unescaped(value)).second)
          return wrong("attribute twice", i);
        i = end + 1;
      }
      const bool empty = xml[i] == '/';
      if (empty) ++i;
      if (xml[i] != '>' || e.name.empty()) return wrong("wrong tag", at);
      if (!open.empty()) e.parent = open.back(), e.dx = all[e.parent].dx, e.dy = all[e.parent].dy;
      if (const std::string move = e["transform"]; !move.empty()) {
        double dx = 0, dy = 0;
        EXPECT_EQ(std::sscanf(move.c_str(), "translate(%lf %lf)", &dx, &dy), 2) << move;
        e.dx += dx, e.dy += dy;
      }
      if (!empty) open.push_back(all.size());
      all.push_back(std::move(e));
      at = i + 1;
    }
  }
  EXPECT_TRUE(open.empty()) << "not closed: " << (open.empty() ? "" : all[open.back()].name);
  return all;
}

struct Box {
  std::string name, kind;
  double left, top, right, bottom, opacity;
};
using Point = std::pair<double, double>;
struct Line {
  std::string name, kind;
  double weight;
  std::vector<Point> points;
};

struct Picture {
  explicit Picture(const std::vector<GraphPicture>& graphs) : xml(svg(graphs)), elements(parsed(xml)) {
    for (const Element& e : elements) {
      if (e.is("slc-box")) {
        const double x = e.dx + e.number("x"), y = e.dy + e.number("y");
        const std::string title = elements[e.parent].title;
        boxes.push_back({title.substr(0, title.find('\n')), e["class"], x, y, x + e.number("width"),
                         y + e.number("height"), e.number("fill-opacity")});
      }
      if (e.is("slc-arrow")) arrows.push_back({e.title, e["class"], e.number("stroke-width"), points(e)});
    }
  }

  // Along a path: M, H, V, C and q are what there is.
  static std::vector<Point> points(const Element& path) {
    std::istringstream in(path["d"]);
    double x = path.dx, y = path.dy;
    std::vector<Point> all;
    const auto curve = [&](Point b, Point c, Point d) {
      for (int k = 1; k <= 32; ++k) {
        const double t = k / 32.0, u = 1 - t;
        all.emplace_back(u * u * u * x + 3 * u * u * t * b.first + 3 * u * t * t * c.first + t * t * t * d.first,
                         u * u * u * y + 3 * u * u * t * b.second + 3 * u * t * t * c.second + t * t * t * d.second);
      }
      std::tie(x, y) = d;
    };
    for (char command = 0; in >> command;) {
      double n[6] = {};
      const int count = command == 'C' ? 6 : command == 'q' ? 4 : command == 'M' ? 2 : 1;
      for (int i = 0; i < count; ++i) in >> n[i];
      EXPECT_TRUE(in && std::string("MHVCq").find(command) != std::string::npos) << path["d"];
      const auto straight = [&](double to_x, double to_y) {
        for (int k = 0; k <= 200; ++k) all.emplace_back(x + (to_x - x) * k / 200, y + (to_y - y) * k / 200);
        x = to_x, y = to_y;
      };
      if (command == 'M') all.emplace_back(x += n[0], y += n[1]);
      if (command == 'H') straight(path.dx + n[0], y);
      if (command == 'V') straight(x, path.dy + n[0]);
      if (command == 'C')
        curve({path.dx + n[0], path.dy + n[1]}, {path.dx + n[2], path.dy + n[3]}, {path.dx + n[4], path.dy + n[5]});
      if (command == 'q') curve({x + n[0], y + n[1]}, {x + n[0], y + n[1]}, {x + n[2], y + n[3]});
    }
    return all;
  }

  const Box& box(const std::string& name) const {
    static const Box nothing{};
    for (const Box& b : boxes)
      if (b.name == name) return b;
    ADD_FAILURE() << "no box '" << name << "'";
    return nothing;
  }
  const Line& arrow(const std::string& name) const {
    static const Line nothing{};
    for (const Line& a : arrows)
      if (a.name == name) return a;
    ADD_FAILURE() << "no arrow '" << name << "'";
    return nothing;
  }
  std::vector<std::string> texts(const std::string& kind) const {
    std::vector<std::string> all;
    for (const Element& e : elements)
      if (e.name == "text" && e.is(kind)) all.push_back(e.text);
    return all;
  }
  bool has_text(const std::string& kind, const std::string& text) const {
    const auto all = texts(kind);
    return std::find(all.begin(), all.end(), text) != all.end();
  }

  std::string xml;
  std::vector<Element> elements;
  std::vector<Box> boxes;
  std::vector<Line> arrows;
};

StageInfo stage(std::string name, Verb verb, std::vector<std::string> inputs) {
  StageInfo info;
  info.name = std::move(name), info.verb = verb, info.inputs = std::move(inputs);
  return info;
}

//  batch -> work -> shard => forward => gradient => reduce -> sgd -> weights
//                                    => loss -> accumulate
//  weights -> work
GraphPicture training() {
  GraphPicture g{"train", {}, {}};
  g.stages = {stage("weights", Verb::feedback, {"sgd"}),      stage("batch", Verb::source, {}),
              stage("work", Verb::zip, {"batch", "weights"}), stage("shard", Verb::split, {"work"}),
              stage("forward", Verb::map, {"shard"}),         stage("gradient", Verb::map, {"forward"}),
              stage("loss", Verb::fold, {"forward"}),         stage("accumulate", Verb::sink, {"loss"}),
              stage("reduce", Verb::fold, {"gradient"}),      stage("sgd", Verb::map, {"reduce"})};
  for (const std::size_t sharded : {3u, 4u, 5u}) g.stages[sharded].sharded = true;
  g.stages[1].capacity = 4, g.stages[3].shards = 2, g.stages[4].concurrency = unlimited;
  return g;
}

// In one second on two threads: forward is busy all the time, the others a little.
GraphPicture measured(GraphPicture g = training()) {
  g.stats = GraphStats{g.graph, 3, 1.0, 2, {}};
  for (const StageInfo& info : g.stages) {
    StageStats s;
    s.name = info.name, s.verb = info.verb, s.inputs = info.inputs;
    s.items = 1000, s.busy = 0.05, s.p50 = 1.5e-6, s.p99 = 2e-3, s.capacity = info.capacity, s.high_water = 3;
    if (s.name == "forward") s.busy = 1.94, s.at_once = 2, s.concurrency = unlimited, s.items = 1200000;
    g.stats->stages.push_back(s);
  }
  return g;
}

// Any acyclic wiring, and some cycles; the same for the same number.
GraphPicture random(std::uint32_t seed, std::size_t stages, std::size_t most_inputs) {
  const auto next = [&seed](std::size_t n) { return (seed = seed * 1664525 + 1013904223) / 65536 % n; };
  GraphPicture g{"random", {}, {}};
  const auto name = [](std::size_t i) { return "s" + std::to_string(i); };
  for (std::size_t i = 0; i < stages; ++i) {
    if (i == 0 || next(8) == 0) {
      g.stages.push_back(next(2) ? stage(name(i), Verb::source, {})
                                 : stage(name(i), Verb::feedback, {name(i + next(stages - i))}));
      continue;
    }
    std::vector<std::string> inputs;
    const std::size_t reach = next(3) ? std::min<std::size_t>(i, 4) : i;
    for (std::size_t k = 1 + next(most_inputs); k > 0; --k) inputs.push_back(name(i - 1 - next(reach)));
    g.stages.push_back(stage(name(i), Verb::map, inputs));
  }
  return g;
}

GraphPicture diamonds(std::size_t count) {
  GraphPicture g{"diamonds", {stage("0", Verb::source, {})}, {}};
  for (std::size_t i = 0; i < count; ++i) {
    const std::string in = std::to_string(i), out = std::to_string(i + 1);
    g.stages.push_back(stage(in + "a", Verb::map, {in}));
    g.stages.push_back(stage(in + "b", Verb::map, {in}));
    g.stages.push_back(stage(out, Verb::zip, {in + "a", in + "b"}));
  }
  return g;
}

std::vector<GraphPicture> many() {
  std::vector<GraphPicture> all{training(), measured(), diamonds(4), {"none", {}, {}}};
  all.push_back(
      {"no graph has such a cycle", {stage("a", Verb::map, {"b", "a", "nobody"}), stage("b", Verb::map, {"a"})}, {}});
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    all.push_back(random(seed, 2 + seed % 24, 1 + seed % 4));
    if (seed % 2) all.back() = measured(all.back());
  }
  return all;
}

template <class F>
void for_each_picture(F&& f) {
  std::size_t number = 0;
  for (const GraphPicture& g : many()) {
    SCOPED_TRACE(testing::Message() << "picture " << number++);
    f(g, Picture({g}));
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Svg, IsAWellFormedDocumentAlsoOfNothing) {
  for (const std::vector<GraphPicture>& graphs :
       {std::vector<GraphPicture>{}, {{"no stage", {}, {}}}, {{"one", {stage("s", Verb::source, {})}, {}}}, many()}) {
    const Picture p(graphs);
    ASSERT_FALSE(p.elements.empty());
    const Element& root = p.elements[0];
    EXPECT_EQ(root.name, "svg");
    EXPECT_EQ(root["xmlns"], "http://www.w3.org/2000/svg");
    EXPECT_EQ(root["role"], "img");
    EXPECT_EQ(root["viewBox"], "0 0 " + root["width"] + " " + root["height"]);
    for (const GraphPicture& g : graphs) EXPECT_NE(root["aria-label"].find(g.graph), std::string::npos);
    EXPECT_EQ(p.texts("slc-head").size(), graphs.size());
  }
}

TEST(Svg, HasEveryStageAndEveryArrowOnce) {
  for_each_picture([](const GraphPicture& g, const Picture& p) {
    std::multiset<std::string> stages, boxes, arrows;
    std::set<std::string> inputs;
    for (const StageInfo& s : g.stages) stages.insert(s.name);
    for (const StageInfo& s : g.stages)
      for (const std::string& in : s.inputs)
        if (stages.count(in)) inputs.insert(in + " to " + s.name);
    for (const Box& b : p.boxes) boxes.insert(b.name);
    for (const Line& a : p.arrows) {
      const std::size_t at = std::min(a.name.find(" -> "), a.name.find(" => "));
      arrows.insert(a.name.substr(0, at) + " to " + a.name.substr(at + 4));
    }
    EXPECT_EQ(boxes, stages);
    EXPECT_EQ(arrows, std::multiset<std::string>(inputs.begin(), inputs.end()));
    EXPECT_EQ(p.texts("slc-name").size(), g.stages.size());
    std::size_t tips = 0;
    for (const Element& e : p.elements) tips += e.is("slc-tip");
    EXPECT_EQ(tips, inputs.size());
  });
}

TEST(Svg, NoBoxOverlapsAnotherOrLeavesThePage) {
  const Picture p(many());
  for (std::size_t i = 0; i < p.boxes.size(); ++i) {
    const Box& a = p.boxes[i];
    EXPECT_TRUE(a.left >= 0 && a.top >= 0 && a.right <= p.elements[0].number("width") &&
                a.bottom <= p.elements[0].number("height"))
        << a.name;
    for (std::size_t j = 0; j < i; ++j) {
      const Box& b = p.boxes[j];
      EXPECT_TRUE(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top)
          << a.name << " and " << b.name;
    }
  }
}

TEST(Svg, AnArrowLeadsFromBoxToBoxAndCrossesNone) {
  for_each_picture([](const GraphPicture& g, const Picture& p) {
    for (const Line& a : p.arrows) {
      const std::size_t at = std::min(a.name.find(" -> "), a.name.find(" => "));
      const Box &from = p.box(a.name.substr(0, at)), &to = p.box(a.name.substr(at + 4));
      EXPECT_NEAR(a.points.front().first, from.right, 0.2) << a.name;
      EXPECT_NEAR(a.points.front().second, (from.top + from.bottom) / 2, 0.2) << a.name;
      EXPECT_NEAR(a.points.back().first, to.left, 10) << a.name;
      EXPECT_GT(a.points.back().second, to.top) << a.name;
      EXPECT_LT(a.points.back().second, to.bottom) << a.name;
      for (const auto& [x, y] : a.points) {
        EXPECT_TRUE(x >= 0 && y >= 0 && x <= p.elements[0].number("width") && y <= p.elements[0].number("height"));
        for (const Box& b : p.boxes)
          ASSERT_FALSE(x > b.left + 0.5 && x < b.right - 0.5 && y > b.top + 0.5 && y < b.bottom - 0.5)
              << g.graph << ": " << a.name << " runs through " << b.name << " at " << x << ", " << y;
      }
    }
  });
}

TEST(Svg, AChainIsStraightAndReadsFromLeftToRight) {
  const Picture p({training()});
  const std::vector<std::string> chain{"batch", "work", "shard", "forward", "gradient", "reduce", "sgd"};
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const Box &a = p.box(chain[i]), &b = p.box(chain[i + 1]);
    EXPECT_LT(a.right, b.left) << b.name;
    EXPECT_EQ(a.top, b.top) << b.name;
    const char* arrow = i >= 2 && i < 5 ? " => " : " -> ";
    for (const Point& point : p.arrow(a.name + arrow + b.name).points)
      EXPECT_NEAR(point.second, (a.top + a.bottom) / 2, 0.2) << a.name;
  }
}

TEST(Svg, ComponentsStandOneBelowTheOtherInCommonColumns) {
  GraphPicture g{"load", {}, {}};
  for (const std::string file : {"images", "some labels", "x"}) {
    g.stages.push_back(stage("inflate." + file, Verb::source, {}));
    g.stages.push_back(stage("parse." + file, Verb::expand, {"inflate." + file}));
    g.stages.push_back(stage("collect." + file, Verb::sink, {"parse." + file}));
  }
  const Picture p({g});
  ASSERT_EQ(p.boxes.size(), 9u);
  for (std::size_t i = 3; i < 9; ++i) {
    EXPECT_EQ(p.boxes[i].left, p.boxes[i - 3].left) << p.boxes[i].name;
    EXPECT_GT(p.boxes[i].top, p.boxes[i - 3].bottom) << p.boxes[i].name;
  }
}

//  in => w0 w1 w2 w3 w4 => join
TEST(Svg, EqualBranchesStandInTheOrderOfWiringAroundTheMiddleOne) {
  GraphPicture g{"fan", {stage("in", Verb::source, {})}, {}};
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) {
    names.push_back("w" + std::to_string(i));
    g.stages.push_back(stage(names.back(), Verb::map, {"in"}));
  }
  g.stages.push_back(stage("join", Verb::sink, names));
  const Picture p({g});
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GT(p.box(names[i]).top, p.box(names[i - 1]).bottom);
  EXPECT_EQ(p.box("in").top, p.box("w2").top);
  EXPECT_EQ(p.box("join").top, p.box("w2").top);
}

TEST(Svg, ASourceStandsJustBeforeWhatReadsIt) {
  const Picture p({{"late",
                    {stage("in", Verb::source, {}), stage("a", Verb::map, {"in"}), stage("b", Verb::map, {"a"}),
                     stage("late", Verb::source, {}), stage("end", Verb::sink, {"b", "late"})},
                    {}}});
  EXPECT_EQ(p.box("late").left, p.box("b").left);
}

// How often two arrows cross that neither leave nor reach the same stage.
std::size_t crossings(const Picture& p) {
  const auto y_at = [](const Line& line, double x) {
    const auto behind = std::find_if(line.points.begin() + 1, line.points.end() - 1,
                                     [x](const Point& point) { return point.first >= x; });
    const Point a = *(behind - 1), b = *behind;
    return b.first > a.first ? a.second + (b.second - a.second) * (x - a.first) / (b.first - a.first) : b.second;
  };
  const auto ends = [](const std::string& arrow) {
    return std::pair(arrow.substr(0, arrow.find(' ')), arrow.substr(arrow.rfind(' ') + 1));
  };
  std::size_t count = 0;
  for (const Line& a : p.arrows)
    for (const Line& b : p.arrows) {
      if (&a >= &b || a.kind != "slc-arrow" || b.kind != "slc-arrow") continue;
      if (ends(a.name).first == ends(b.name).first || ends(a.name).second == ends(b.name).second) continue;
      const double last = std::min(a.points.back().first, b.points.back().first);
      int side = 0;
      for (double x = std::max(a.points.front().first, b.points.front().first); x <= last; x += 0.5) {
        const double d = y_at(a, x) - y_at(b, x);
        const int now = std::abs(d) < 0.3 ? 0 : d < 0 ? -1 : 1;
        count += now * side < 0;
        if (now != 0) side = now;
      }
    }
  return count;
}

//  in -> a -> c -> both -> end
//     -> b -> d -> both
//  c -> of c and d -> of d
TEST(Svg, ArrowsDoNotCrossWhereTheyNeedNot) {
  EXPECT_EQ(crossings(Picture({training()})), 0u);
  EXPECT_EQ(crossings(Picture({diamonds(5)})), 0u);
  const std::vector<StageInfo> ladder{
      stage("in", Verb::source, {}),    stage("a", Verb::map, {"in"}),    stage("b", Verb::map, {"in"}),
      stage("d", Verb::map, {"b"}),     stage("c", Verb::map, {"a"}),     stage("both", Verb::zip, {"d", "c"}),
      stage("of_d", Verb::sink, {"d"}), stage("of_c", Verb::sink, {"c"}), stage("end", Verb::sink, {"both"})};
  EXPECT_EQ(crossings(Picture({{"ladder", ladder, {}}})), 0u);
}

//  in -> a -> b -> c -> d -> end, and past some of them in -> c, in -> d, in -> end, a -> d, b -> end
TEST(Svg, AnArrowGoesALongerWayRatherThanCrossOthers) {
  const std::vector<StageInfo> stages{stage("in", Verb::source, {}),
                                      stage("a", Verb::map, {"in"}),
                                      stage("b", Verb::map, {"a"}),
                                      stage("c", Verb::map, {"b", "in"}),
                                      stage("late", Verb::source, {}),
                                      stage("d", Verb::map, {"c", "in", "a", "late"}),
                                      stage("end", Verb::sink, {"d", "in", "b"}),
                                      stage("beside", Verb::sink, {"in"}),
                                      stage("other", Verb::sink, {"c"})};
  EXPECT_LE(crossings(Picture({{"long arrows", stages, {}}})), 3u);
}

TEST(Svg, OnlyWhatClosesACycleIsDashedAndItRunsBelow) {
  const Picture p({measured()});
  double lowest = 0;
  for (const Box& b : p.boxes) lowest = std::max(lowest, b.bottom);
  for (const Line& a : p.arrows) {
    const double low =
        std::max_element(a.points.begin(), a.points.end(), [](auto x, auto y) { return x.second < y.second; })->second;
    EXPECT_EQ(a.kind, a.name == "sgd -> weights" ? "slc-arrow slc-back" : "slc-arrow") << a.name;
    EXPECT_EQ(low > lowest, a.name == "sgd -> weights") << a.name;
  }
  EXPECT_NE(p.xml.find(".slc-back{stroke-dasharray:"), p.xml.npos);
  for (const auto& [x, y] : p.arrow("sgd -> weights").points) {
    EXPECT_TRUE(x > 20 && x < p.elements[0].number("width") - 20) << "too near to the edge: " << x;
    for (const Element& e : p.elements)
      if (e.is("slc-words")) {
        EXPECT_LT(y, e.number("y") - 13) << "runs into the text below";
      }
  }
}

TEST(Svg, ACycleStaysWithinItsComponent) {
  GraphPicture g{"cycles", {}, {}};
  for (const std::string one : {"x", "y"}) {
    g.stages.push_back(stage("state " + one, Verb::feedback, {"next " + one}));
    g.stages.push_back(stage("next " + one, Verb::map, {"state " + one}));
  }
  const Picture p({g});
  for (const auto& [x, y] : p.arrow("next x -> state x").points) EXPECT_LT(y, p.box("next y").top);
  for (const auto& [x, y] : p.arrow("next y -> state y").points) EXPECT_GT(y, p.box("next y").top);
}

TEST(Svg, ShardsAreDoubleLines) {
  const Picture p({training()});
  std::size_t insides = 0;
  for (const Element& e : p.elements) insides += e.is("slc-inside");
  EXPECT_EQ(insides, 4u);
  EXPECT_GT(p.arrow("shard => forward").weight, p.arrow("batch -> work").weight);
  EXPECT_EQ(p.arrow("forward => loss").weight, p.arrow("shard => forward").weight);
}

TEST(Svg, BeforeARunSettingsAreAllThatIsSaid) {
  const Picture p({training()});
  for (const char* note : {"source, capacity 4", "split in 2", "map, unlimited", "map, serial", "sink"})
    EXPECT_TRUE(p.has_text("slc-note", note)) << note;
  EXPECT_EQ(p.texts("slc-note").size(), p.boxes.size());
  EXPECT_TRUE(p.texts("slc-label").empty());
  EXPECT_TRUE(p.texts("slc-words").empty());
  for (const Box& b : p.boxes) EXPECT_EQ(b.kind, "slc-box") << b.name;
}

TEST(Svg, TheColourOfABoxIsItsBusyShare) {
  GraphPicture g = measured();
  const Picture p({g});
  EXPECT_TRUE(p.has_text("slc-note", "97 % busy")) << "of two bodies at once";
  EXPECT_TRUE(p.has_text("slc-note", "5 % busy"));
  EXPECT_GT(p.box("forward").opacity, 0.8);
  EXPECT_LT(p.box("work").opacity, 0.1);
  EXPECT_TRUE(p.has_text("slc-label", "busy 0 %") && p.has_text("slc-label", "100 %")) << "a legend";
  g.stats->wall = 0;
  for (const Box& b : Picture({g}).boxes) EXPECT_EQ(b.opacity, 0) << b.name;
}

TEST(Svg, AnArrowSaysItsRateAndTheQueueThatItBegins) {
  const Picture p({measured()});
  EXPECT_TRUE(p.has_text("slc-label", "1.2 M/s"));
  EXPECT_TRUE(p.has_text("slc-label", "1.0 k/s"));
  EXPECT_TRUE(p.has_text("slc-label", "3/4"));
  EXPECT_GT(p.arrow("forward => loss").weight, p.arrow("shard => forward").weight);
  EXPECT_EQ(p.arrow("batch -> work").weight, p.arrow("work -> shard").weight);
}

TEST(Svg, ARateHasAtMostThreeDigits) {
  const auto shown = [](std::uint64_t items) {
    GraphPicture g = measured();
    g.stats->wall = 10;
    for (StageStats& s : g.stats->stages) s.items = items;
    return Picture({g});
  };
  EXPECT_TRUE(shown(9'994).has_text("slc-label", "999/s"));
  EXPECT_TRUE(shown(9'997).has_text("slc-label", "1.0 k/s"));
  EXPECT_TRUE(shown(9'997'000).has_text("slc-label", "1.0 M/s"));
}

TEST(Svg, TheBottleneckIsFramedAndNamed) {
  const GraphPicture g = measured();
  const Picture p({training(), g});
  const Verdict v = verdict(*g.stats);
  ASSERT_EQ(v.stage, "forward");
  std::vector<std::string> framed;
  for (const Box& b : p.boxes)
    if (b.kind.find("slc-bottleneck") != b.kind.npos) framed.push_back(b.name);
  EXPECT_EQ(framed, std::vector<std::string>{"forward"});
  std::string said;
  for (const std::string& line : p.texts("slc-words")) said += (said.empty() ? "" : " ") + line;
  EXPECT_EQ(said, v.text);
  EXPECT_GT(p.texts("slc-words").size(), 1u) << "wrapped";
  EXPECT_NE(p.elements[0]["aria-label"].find(v.text), std::string::npos);
}

TEST(Svg, ANumberAndItsPercentSignStayTogether) {
  std::size_t lines = 0;
  for (std::size_t length = 1; length <= 100; ++length) {
    const Picture p({measured({"wrapped", {stage(std::string(length, 'x'), Verb::source, {})}, {}})});
    for (const std::string& line : p.texts("slc-words")) {
      EXPECT_NE(line.substr(0, 1), "%");
      EXPECT_LT(line.size(), 120u);
      ++lines;
    }
  }
  EXPECT_GT(lines, 200u) << "wrapped";
}

TEST(Svg, TheTitleOfABoxHasAllFigures) {
  std::string title;
  for (const Element& e : Picture({measured()}).elements)
    if (e.title.substr(0, 6) == "batch\n") title = e.title;
  for (const char* figure : {"source, capacity 4", "1000 items, 1.0 k/s", "5 % busy", "starved", "blocked", "ready",
                             "1.50 us (p50)", "2000.00 us (p99)", "at most 3 of 4 messages queued"})
    EXPECT_NE(title.find(figure), title.npos) << figure << " in\n" << title;
}

TEST(Svg, NamesMayBeAnythingAndLongOnesAreCutBetweenCharacters) {
  std::string sluices;
  for (int i = 0; i < 60; ++i) sluices += "\u95d8";
  GraphPicture g{"<graph> & \"co\"", {}, {}};
  g.stages = {stage("a<b>&\"c\"'&amp;", Verb::source, {}), stage(sluices, Verb::map, {"a<b>&\"c\"'&amp;"}),
              stage("bell\a\ttab", Verb::sink, {sluices})};
  const Picture p({measured(g)});
  EXPECT_TRUE(p.has_text("slc-head", g.graph));
  EXPECT_TRUE(p.has_text("slc-name", g.stages[0].name));
  EXPECT_TRUE(p.has_text("slc-name", "bell  tab"));
  EXPECT_EQ(p.box(sluices).kind, "slc-box slc-busy");
  ASSERT_EQ(p.texts("slc-name").size(), 3u);
  const std::string cut = p.texts("slc-name")[1];
  ASSERT_GT(cut.size(), 3u);
  EXPECT_LT(cut.size(), sluices.size() / 2);
  EXPECT_EQ(cut.size() % 3, 0u);
  EXPECT_EQ(cut, sluices.substr(0, cut.size() - 3) + "\u2026");
}

TEST(Svg, ANameThatWasCutTakesNoMoreRoomThanTheLongestThatWasNot) {
  std::string name;
  std::size_t longest = 0, cut = 0;
  for (std::size_t n = 1; n <= 60; ++n) {
    name += "\u95d8";  // all of one width, and no narrower than the ellipsis
    GraphPicture g{"names", {stage(name, Verb::source, {})}, {}};
    const std::string shown = Picture({g}).texts("slc-name").at(0);
    if (shown == name)
      longest = n;
    else
      cut = std::max(cut, shown.size() / 3);
  }
  EXPECT_GT(longest, 5u);
  EXPECT_GT(cut, 5u);
  EXPECT_LE(cut, longest);
}

TEST(Svg, IsTheSameEveryTime) {
  EXPECT_EQ(svg(many()), svg(many()));
}

TEST(Svg, RefersToNothingOutsideAndItsClassesAreItsOwn) {
  const Picture p(many());
  for (const char* reference : {"href", "url(", "@import", "id=\"", "<script"})
    EXPECT_EQ(p.xml.find(reference), p.xml.npos) << reference;
  std::set<std::string> used;
  for (const Element& e : p.elements) {
    std::istringstream classes(e["class"]);
    for (std::string one; classes >> one;) used.insert(one);
  }
  EXPECT_GE(used.size(), 10u);
  const std::size_t dark = p.xml.find("@media (prefers-color-scheme:dark)");
  ASSERT_NE(dark, p.xml.npos);
  for (const std::string& one : used) {
    EXPECT_EQ(one.substr(0, 4), "slc-");
    EXPECT_LT(p.xml.find("." + one), dark) << one;
    if (one != "slc-back") {
      EXPECT_NE(p.xml.find("." + one, dark), p.xml.npos) << one << " has no colour in the dark";
    }
  }
}

TEST(Svg, EndsForGraphsThatHaveMorePathsThanCanBeWalked) {
  EXPECT_EQ(Picture({diamonds(30)}).boxes.size(), 91u);
  EXPECT_EQ(Picture({random(7, 60, 3)}).boxes.size(), 60u);
}

TEST(Svg, OfAGraphThatHasRun) {
  Everything all(97, threads(2));
  all.graph.run();
  const Picture p({{all.graph.name(), all.graph.stages(), all.graph.stats()}});
  EXPECT_EQ(p.boxes.size(), 10u);
  EXPECT_EQ(p.arrows.size(), 10u);
  EXPECT_EQ(p.arrow("cut => square").kind, "slc-arrow");
  EXPECT_EQ(p.arrow("next -> state").kind, "slc-arrow slc-back");
  EXPECT_TRUE(p.has_text("slc-note", "split in 3"));
}

}  // namespace
}  // namespace sluice::test
