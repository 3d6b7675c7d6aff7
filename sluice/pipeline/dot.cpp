#include <sluice/pipeline/dot.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <map>
#include <string_view>

#include <sluice/pipeline/detail/picture.hpp>
#include <sluice/pipeline/detail/verb_table.hpp>

namespace sluice {
namespace {

// Within double quotes.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// Where Graphviz makes a < of &lt;: in labels, within quotes, too.
std::string label_text(const std::string& text) {
  std::string out;
  for (const char c : escaped(text)) out += c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

std::string label(const StageInfo& stage) {
  std::string settings = to_string(stage.verb);
  if (stage.verb == Verb::map) settings += ", " + detail::said(stage.concurrency);
  if (stage.capacity) settings += fmt::format(", capacity {}", stage.capacity);
  if (detail::row(stage.verb).cuts()) settings += fmt::format(", {} shards", stage.shards);
  return label_text(stage.name) + "\\n" + settings;
}

// Nodes are numbered from `node`, which moves on.
std::string statements(const std::vector<StageInfo>& stages, std::size_t& node, const char* indent) {
  std::string text;
  std::map<std::string_view, std::size_t> nodes;
  std::map<std::string_view, const StageInfo*> by_name;
  for (const StageInfo& stage : stages) {
    by_name[stage.name] = &stage;
    nodes[stage.name] = node;
    text += fmt::format("{}s{} [label=\"{}\"];\n", indent, node++, label(stage));
  }
  for (const StageInfo& to : stages)
    for (const std::string& from : to.inputs) {
      if (!by_name.count(from)) continue;  // of another picture
      text += fmt::format("{}s{} -> s{}{};\n", indent, nodes[from], nodes[to.name],
                          to.verb == Verb::feedback ? " [constraint=false, style=dashed]"
                          : by_name[from]->sharded  ? " [style=bold]"
                                                    : "");
    }
  return text;
}

}  // namespace

std::string dot(const std::vector<GraphPicture>& graphs) {
  std::vector<std::string> names;
  for (const GraphPicture& graph : graphs) names.push_back(escaped(graph.graph));
  std::string text =
      fmt::format("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box, style=rounded];\n", fmt::join(names, ", "));
  std::size_t node = 0;
  if (graphs.size() == 1) return text + statements(graphs[0].stages, node, "  ") + "}\n";
  std::string clusters;  // which Graphviz puts one above the other, from the bottom up
  for (std::size_t i = 0; i < graphs.size(); ++i)
    clusters.insert(0, fmt::format("  subgraph cluster_{} {{\n    label=\"{}\";\n{}  }}\n", i,
                                   label_text(graphs[i].graph), statements(graphs[i].stages, node, "    ")));
  return text + clusters + "}\n";
}

}  // namespace sluice
