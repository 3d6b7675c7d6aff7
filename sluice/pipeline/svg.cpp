#include <sluice/pipeline/svg.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>

#include <sluice/pipeline/detail/layout.hpp>
#include <sluice/pipeline/detail/text.hpp>
#include <sluice/pipeline/verdict.hpp>

namespace sluice {
namespace {

using detail::Arrow;
using detail::Layout;
using detail::Place;

constexpr double margin = 24, widest_name = 170, tip = 9;
constexpr double name_size = 13, note_size = 11, label_size = 10, head_size = 16;  // as in the style
constexpr double bold = 1.12;                                                      // times as wide

// Light, and dark where the viewer prefers it. The names do not clash with those of a page that the picture is put
// into, and several pictures in one page say the same.
constexpr const char* style = R"(<style>
.slc-page{fill:#fff}
.slc-head,.slc-name,.slc-note,.slc-label,.slc-words{fill:#1f2328;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.slc-head{font-size:16px;font-weight:600}
.slc-name{font-size:13px;font-weight:600;text-anchor:middle}
.slc-note{font-size:11px;text-anchor:middle}
.slc-words{font-size:13px}
.slc-label{font-size:10px;fill:#59636e}
.slc-box{fill:#f6f8fa;stroke:#818b98;stroke-width:1.2}
.slc-busy{fill:#fb8f44}
.slc-bottleneck{stroke:#c21c2c;stroke-width:3.5}
.slc-arrow,.slc-inside{fill:none;stroke:#59636e}
.slc-inside{stroke:#fff}
.slc-back{stroke-dasharray:6 4}
.slc-tip{fill:#59636e}
@media (prefers-color-scheme:dark){
.slc-page{fill:#0d1117}
.slc-head,.slc-name,.slc-note,.slc-words{fill:#f0f3f6}
.slc-label{fill:#a5adb8}
.slc-box{fill:#1b222c;stroke:#76808c}
.slc-busy{fill:#c4570c}
.slc-bottleneck{stroke:#ff6a69}
.slc-arrow{stroke:#9aa4af}
.slc-inside{stroke:#0d1117}
.slc-tip{fill:#9aa4af}
}
</style>
)";

// The width of a character in ems, rather too wide than too narrow: fonts differ. Told by its first byte.
double ems(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0xe0) return 1;
  if (byte >= 0x80) return byte >= 0xc0 ? 0.65 : 0;
  const auto one_of = [c](std::string_view all) { return all.find(c) != all.npos; };
  return one_of(" .,:;'|!()[]/-ijlftrI") ? 0.4 : one_of("mwMW%@&<>=+~#") ? 0.95 : c >= 'A' && c <= 'Z' ? 0.7 : 0.62;
}

double width_of(std::string_view text, double size) {
  return std::accumulate(text.begin(), text.end(), 0.0, [size](double sum, char c) { return sum + size * ems(c); });
}

// The bytes of whole characters that there is room for.
std::size_t fitting(std::string_view text, double size, double room) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (room -= size * ems(text[i]); room < 0) return i;
  return text.size();
}

std::string shortened(const std::string& text, double size, double room) {
  if (fitting(text, size, room) == text.size()) return text;
  return text.substr(0, fitting(text, size, room - size)) + "\u2026";
}

// Cut at spaces, but not between a number and its %.
std::vector<std::string> wrapped(std::string_view text, double size, double room) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t end = fitting(text, size, room);
    std::size_t space = end < text.size() ? text.rfind(' ', end) : text.npos;
    if (space != text.npos && space > 0 && text.substr(space, 2) == " %") space = text.rfind(' ', space - 1);
    if (space != text.npos && space > 0) end = space;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == space ? end + 1 : end);
  }
  return lines;
}

// XML has no way to write most control characters.
std::string escaped(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') c = ' ';
  return detail::xml_text(text);
}

std::string words(const char* kind, double x, double y, const std::string& text) {
  return fmt::format("<text class=\"slc-{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", kind, x, y, escaped(text));
}

std::string title(const std::string& text) {
  return "<title>" + escaped(text) + "</title>";
}

std::string per_second(double rate) {
  const char* unit = "";
  for (const char* larger : {" k", " M", " G"})
    if (rate >= 999.5) rate /= 1000, unit = larger;
  return fmt::format("{:.{}f}{}/s", rate, rate > 0 && rate < 9.95 ? 1 : 0, unit);
}

std::string setting(const StageInfo& stage, bool with_capacity) {
  std::string text = to_string(stage.verb);
  if (stage.verb == Verb::map) {
    const std::size_t limit = stage.concurrency.limit;
    text += limit == 0 ? ", unlimited" : limit == 1 ? ", serial" : fmt::format(", up to {}", limit);
  }
  if (stage.verb == Verb::split) text += fmt::format(" in {}", stage.shards);
  if (stage.capacity && with_capacity) text += fmt::format(", capacity {}", stage.capacity);
  return text;
}

// How much of the busy colour a box has: as much as its text can be read on.
double shade(double busy) {
  return 0.9 * busy;
}

// One graph with its statistics, if there are any.
class Figure {
 public:
  explicit Figure(const GraphPicture& graph)
      : graph_(graph), stages_(graph.stages), layout_(graph.stages, graph.stats ? 58 : 44) {
    if (graph.stats) {
      for (const StageStats& s : graph.stats->stages) stats_[s.name] = &s;
      verdict_ = verdict(*graph.stats);
    }
    const std::vector<Place>& places = layout_.places;
    const std::size_t columns = layout_.columns;
    std::vector<double> boxes(columns), labels(columns), gaps(columns + 1);  // gaps[c]: before column c
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      double& box = boxes[places[i].column];
      box = std::max({box, 60.0, width_of(name(i), bold * name_size) + 18});
      for (const std::string& note : notes(i)) box = std::max(box, width_of(note, note_size) + 18);
    }
    for (const Arrow& a : layout_.arrows) {
      double& label = labels[places[a.from].column];
      for (const std::string& text : {rate(a.from), queue(a.from)})
        if (!text.empty()) label = std::max(label, width_of(text, label_size) + 10);
      if (!a.back) continue;
      for (auto& [gap, least] : {std::pair(places[a.from].column + 1, 22.0), std::pair(places[a.to].column, 34.0)})
        gaps[gap] = std::max(gaps[gap], least);
    }
    for (const Place& p : places)  // an arrow that goes far up or down needs more room to bend
      for (const std::size_t next : p.next)
        gaps[p.column + 1] = std::max(gaps[p.column + 1], 42 + std::min(50.0, 0.12 * std::abs(p.y - places[next].y)));
    for (std::size_t c = 0; c < columns; ++c) {
      left_.push_back(width += gaps[c]);
      right_.push_back(width += boxes[c]);
      bend_.push_back(width += labels[c]);
    }
    width += gaps[columns];
  }

  double width = 0;

  std::string summary() const {
    return fmt::format("{}: {} stages{}{}", graph_.graph, stages_.size(), verdict_.text.empty() ? "" : "; ",
                       verdict_.text);
  }

  // On a page so wide, from y down; moves y to the end.
  std::string draw(double page, double& y) const {
    const double room = page - 2 * margin;
    std::string text = "<g>" + title(graph_.graph) + "\n";
    text += words("head", margin, y += head_size, shortened(graph_.graph, bold * head_size, room));
    if (const auto& s = graph_.stats)
      text += words("label", margin, y += 18,
                    fmt::format("{} run{}, {:.3f} s, {} thread{}", s->runs, s->runs == 1 ? "" : "s", s->wall,
                                s->threads, s->threads == 1 ? "" : "s"));
    text += fmt::format("<g transform=\"translate({:.1f} {:.1f})\">\n", margin, y += 20) + arrows();
    for (std::size_t i = 0; i < stages_.size(); ++i) text += box(i) + labels(i);
    text += "</g>\n";
    y += layout_.height + 10;
    for (const auto& line : wrapped(verdict_.text, name_size, room)) text += words("words", margin, y += 18, line);
    y += 12;
    return text + "</g>\n";
  }

 private:
  const StageStats* stats(std::size_t i) const {
    const auto found = stats_.find(stages_[i].name);
    return found == stats_.end() ? nullptr : found->second;
  }
  // A part of the time that all bodies of a stage had.
  double share(const StageStats& s, double time) const {
    const double whole = graph_.stats->wall * static_cast<double>(std::max<std::size_t>(1, s.at_once));
    return whole > 0 ? std::clamp(time / whole, 0.0, 1.0) : 0;
  }
  double items_per_second(const StageStats& s) const {
    return graph_.stats->wall > 0 ? static_cast<double>(s.items) / graph_.stats->wall : 0;
  }

  std::string name(std::size_t i) const { return shortened(stages_[i].name, bold * name_size, widest_name); }
  std::string rate(std::size_t i) const { return stats(i) ? per_second(items_per_second(*stats(i))) : ""; }
  std::string queue(std::size_t i) const {
    const StageStats* s = stats(i);
    return s && s->capacity ? fmt::format("{}/{}", s->high_water, s->capacity) : "";
  }
  std::vector<std::string> notes(std::size_t i) const {
    const StageStats* s = stats(i);
    if (!s) return {setting(stages_[i], true)};
    return {setting(stages_[i], false), fmt::format("{:.0f} % busy", 100 * share(*s, s->busy))};
  }

  // Everything, in words.
  std::string details(std::size_t i) const {
    const StageInfo& stage = stages_[i];
    std::string text = stage.name + "\n" + setting(stage, true);
    if (!stage.inputs.empty()) text += fmt::format("\nreads {}", fmt::join(stage.inputs, ", "));
    if (stage.bound.messages)
      text += fmt::format("\nholds at most {} messages, {} bytes{}", stage.bound.messages, stage.bound.bytes,
                          stage.bound.complete ? "" : " + undeclared");
    if (const StageStats* s = stats(i)) {
      text += fmt::format("\n{} items, {}\n{} busy, {} starved, {} blocked, {} ready", s->items, rate(i),
                          detail::percent(share(*s, s->busy)), detail::percent(share(*s, s->starved)),
                          detail::percent(share(*s, s->blocked)), detail::percent(share(*s, s->ready)));
      text += fmt::format("\n{} at once; a body takes {:.2f} us (p50), {:.2f} us (p99)", s->at_once, 1e6 * s->p50,
                          1e6 * s->p99);
      if (s->capacity) text += fmt::format("\nat most {} of {} messages queued", s->high_water, s->capacity);
    }
    return text;
  }

  std::string box(std::size_t i) const {
    const Place& p = layout_.places[i];
    const double left = left_[p.column], right = right_[p.column];
    double y = p.y - p.height / 2;
    std::string kind = "slc-box", fill;
    if (const StageStats* s = stats(i)) {
      kind += " slc-busy";
      fill = fmt::format(" fill-opacity=\"{:.2f}\"", shade(share(*s, s->busy)));
      if (verdict_.stage == s->name) kind += " slc-bottleneck";
    }
    std::string text = fmt::format(
        "<g>{}\n<rect class=\"{}\"{} x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"6\"/>\n",
        title(details(i)), kind, fill, left, y, right - left, p.height);
    text += words("name", (left + right) / 2, y += 19, name(i));
    for (const std::string& note : notes(i)) text += words("note", (left + right) / 2, y += 15, note);
    return text + "</g>\n";
  }

  // Above and below the beginning of a stage's arrows.
  std::string labels(std::size_t i) const {
    const auto is_from = [i](const Arrow& a) { return a.from == i; };
    if (!stats(i) || std::none_of(layout_.arrows.begin(), layout_.arrows.end(), is_from)) return "";
    const double x = right_[layout_.places[i].column] + 5, y = layout_.places[i].y, away = weight(i) / 2 + 4;
    return words("label", x, y - away, rate(i)) + (queue(i).empty() ? "" : words("label", x, y + away + 6, queue(i)));
  }

  double weight(std::size_t from) const {
    return stats(from) ? 1 + 0.55 * std::log10(1 + items_per_second(*stats(from))) : 1.6;
  }

  // Shards as a double line: their insides are drawn when all lines are.
  std::string arrows() const {
    std::string lines, insides, tips;
    std::size_t backs = 0;
    for (const Arrow& a : layout_.arrows) {
      const bool shards = stages_[a.from].sharded && !a.back;
      const double w = weight(a.from) + (shards ? 2.8 : 0), half = 3.6 + w / 2;
      const double x = left_[layout_.places[a.to].column] - 1, y = layout_.places[a.to].y + (a.back ? 0 : a.arrival);
      const std::string way = a.back ? return_path(a, backs++, x - tip + 1) : forward_path(a, x - tip + 1, y);
      lines += fmt::format("<path class=\"slc-arrow{}\" stroke-width=\"{:.1f}\" d=\"{}\">{}</path>\n",
                           a.back ? " slc-back" : "", w, way,
                           title(stages_[a.from].name + (shards ? " => " : " -> ") + stages_[a.to].name));
      if (shards)
        insides += fmt::format("<path class=\"slc-inside\" stroke-width=\"{:.1f}\" d=\"{}\"/>\n", w - 2.6, way);
      tips += fmt::format("<path class=\"slc-tip\" d=\"M{:.1f} {:.1f}l{:.1f} {:.1f}v{:.1f}z\"/>\n", x, y, -tip, -half,
                          2 * half);
    }
    return lines + insides + tips;
  }

  // Straight past the boxes of a column, bent between the columns.
  std::string forward_path(const Arrow& a, double x1, double y1) const {
    const Place* at = &layout_.places[a.from];
    std::string way = fmt::format("M{:.1f} {:.1f}", right_[at->column], at->y);
    const auto go = [&](double x, double y) {
      const double bend = bend_[at->column], middle = (bend + x) / 2;
      if (std::abs(y - at->y) < 0.05)
        way += fmt::format("H{:.1f}", x);
      else
        way += fmt::format("H{:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", bend, middle, at->y, middle, y, x, y);
    };
    for (const std::size_t next : a.through) {
      go(left_[layout_.places[next].column], layout_.places[next].y);
      at = &layout_.places[next];
    }
    go(x1, y1);
    return way;
  }

  // Below all of its component; several beside one another.
  std::string return_path(const Arrow& a, std::size_t k, double x) const {
    const Place &from = layout_.places[a.from], &to = layout_.places[a.to];
    const double r = 7, beside = 4.0 * static_cast<double>(k % 3), low = a.arrival;
    const double down = bend_[from.column] + 10 + beside, up = left_[to.column] - 18 - beside;
    return fmt::format("M{:.1f} {:.1f}H{:.1f}q{} 0 {} {}V{:.1f}q0 {} {} {}H{:.1f}q{} 0 {} {}V{:.1f}q0 {} {} {}H{:.1f}",
                       right_[from.column], from.y, down - r, r, r, r, low - r, r, -r, r, up + r, -r, -r, -r, to.y + r,
                       -r, r, -r, x);
  }

  const GraphPicture& graph_;
  const std::vector<StageInfo>& stages_;
  Layout layout_;
  std::map<std::string_view, const StageStats*> stats_;
  Verdict verdict_;
  std::vector<double> left_, right_, bend_;  // of each column: of its boxes, and where its arrows begin to bend
};

std::string legend(double y) {
  std::string text = words("label", margin, y + 10, "busy 0 %");
  double x = margin + 52;
  for (int tenth = 0; tenth <= 10; ++tenth, x += 12)
    text += fmt::format(
        "<rect class=\"slc-busy\" fill-opacity=\"{:.2f}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"12\" height=\"12\"/>\n",
        shade(tenth / 10.0), x, y);
  return text + words("label", x + 6, y + 10, "100 %") +
         words("label", x + 56, y + 10, "arrows: messages a second, most queued/capacity; double: shards");
}

}  // namespace

std::string svg(const std::vector<GraphPicture>& graphs) {
  std::vector<Figure> figures;
  std::vector<std::string> summaries;
  bool measured = false;
  double width = 200;
  for (const GraphPicture& graph : graphs) {
    const Figure& f = figures.emplace_back(graph);
    summaries.push_back(f.summary());
    measured |= graph.stats.has_value();
    width = std::max(width, std::ceil(f.width + 2 * margin));
  }
  if (measured) width = std::max(width, 640.0);
  double y = 0;
  std::string body;
  for (const Figure& f : figures) body += f.draw(width, y += margin);
  if (measured) body += legend(y += margin), y += 12;
  const double height = std::ceil(y + margin);
  // Scaled down where there is less room, as long as it can be read.
  const std::string head = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" width=\"{}\" height=\"{}\" "
      "viewBox=\"0 0 {} {}\" style=\"max-width:100%;min-width:{:.0f}px;height:auto\">\n",
      escaped(fmt::format("{}", fmt::join(summaries, ". "))), width, height, width, height, 0.6 * width);
  return head + style + fmt::format("<rect class=\"slc-page\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n", width, height) +
         body + "</svg>\n";
}

}  // namespace sluice
