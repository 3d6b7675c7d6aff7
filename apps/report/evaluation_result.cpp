#include "apps/report/evaluation_result.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "apps/terminal/plain_text.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
using Class = EvaluationResult::Class;
using Confused = EvaluationResult::Confused;
using Probabilities = EvaluationResult::Probabilities;
using Quality = EvaluationResult::Quality;

constexpr std::size_t most_in_json_pairs = 1000;
constexpr std::array<std::size_t, 5> told_k = {1, 2, 3, 5, 10};
static_assert(told_k.back() <= stages::Calibration::most_ranks);
// In the table:
constexpr std::size_t most_in_matrix = 16;
constexpr std::size_t most_classes_shown = 100, lowest_classes = 20, most_pairs = 10;
constexpr std::size_t most_columns = 30;  // of a name

std::optional<double> ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? std::nullopt : std::optional(static_cast<double>(part) / static_cast<double>(whole));
}

bool occurs(const Class& c) {
  return c.support + c.predicted > 0;
}

std::optional<double> mean(const std::vector<Class>& classes, std::optional<double> Quality::*value) {
  double sum = 0, count = 0;
  for (const Class& c : classes)
    if (occurs(c)) sum += (c.*value).value_or(0), ++count;
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

std::string decimals(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "-";
}

std::size_t digits(std::uint64_t value) {
  return fmt::formatted_size("{}", value);
}

// All classes, or those with the lowest F1, in the order in which they are shown.
std::vector<std::size_t> shown(const std::vector<Class>& classes) {
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < classes.size(); ++c)
    if (classes.size() <= most_classes_shown || classes[c].f1) order.push_back(c);
  if (classes.size() <= most_classes_shown) return order;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return *classes[a].f1 < *classes[b].f1; });
  order.resize(std::min(lowest_classes, order.size()));
  return order;
}

std::string line(const std::string& name, std::size_t width, const std::string& images, const std::string& predicted,
                 const std::string& precision, const std::string& recall, const std::string& f1) {
  return fmt::format("{:<{}}  {:>9}  {:>9}  {:>9}  {:>6}  {:>6}", name, width, images, predicted, precision, recall,
                     f1);
}

std::string probabilities_in_words(const EvaluationResult& r) {
  const Probabilities& p = *r.probabilities;
  std::string text;
  for (const EvaluationResult::TopK& top : p.top)
    if (top.k > 1)
      text += fmt::format("{}top-{}{} {}", text.empty() ? "" : ", ", top.k, text.empty() ? " accuracy" : "",
                          decimals(top.accuracy));
  if (!text.empty()) text += '\n';
  text += fmt::format("confidence {} on average; calibration error {} expected (ECE), {} in the worst bin (MCE)\n",
                      decimals(p.reliability.all().mean_confidence()), decimals(p.reliability.expected_error()),
                      decimals(p.reliability.largest_error()));
  if (!p.roc_counted)
    return text + fmt::format("ROC AUC is left out beyond {} classes.\n", stages::RocCounts::most_classes);
  text += fmt::format("ROC AUC {}", decimals(p.roc_auc));
  if (p.roc_error.value_or(0) >= 0.00005) text += fmt::format(" (within {:.4f})", *p.roc_error);
  if (p.roc_classes < r.classes.size())
    text += fmt::format(", the mean of {} of {} classes, each against the rest: the others have no images, or all",
                        p.roc_classes, r.classes.size());
  else if (p.roc_classes > 2)
    text += fmt::format(", the mean of {} classes, each against the rest", p.roc_classes);
  return text + '\n';
}

std::string class_table(const EvaluationResult& r) {
  const std::vector<std::size_t> order = shown(r.classes);
  const std::string average = "macro average";
  std::size_t width = average.size();
  const auto title = [&](std::size_t c) {
    return fmt::format("{:>{}} {}", c, digits(r.classes.size() - 1), fitted(r.classes[c].name, most_columns));
  };
  for (const std::size_t c : order) width = std::max(width, columns(title(c)));

  const bool roc = r.probabilities && r.probabilities->roc_counted;
  const auto end = [&](const std::string& auc) { return roc ? fmt::format("  {:>7}\n", auc) : "\n"; };
  std::string text = line("class", width, "images", "predicted", "precision", "recall", "F1") + end("ROC AUC");
  for (const std::size_t c : order) {
    const Class& k = r.classes[c];
    text += line(title(c), width, std::to_string(k.support), std::to_string(k.predicted), decimals(k.precision),
                 decimals(k.recall), decimals(k.f1)) +
            end(decimals(k.roc_auc));
  }
  text +=
      line(average, width, "", "", decimals(r.macro.precision), decimals(r.macro.recall), decimals(r.macro.f1)) + '\n';
  const bool undefined = std::any_of(r.classes.begin(), r.classes.end(),
                                     [](const Class& c) { return occurs(c) && !(c.precision && c.recall); });
  if (undefined || r.macro_classes < r.classes.size())
    text += fmt::format("The average is over the {} class{} among labels or predictions; - counts as 0.\n",
                        r.macro_classes, r.macro_classes == 1 ? "" : "es");
  if (order.size() < r.classes.size())
    text += fmt::format("Of {} classes the {} with the lowest F1; JSON and CSV have all.\n", r.classes.size(),
                        order.size());
  return text;
}

std::string matrix_table(const EvaluationResult& r) {
  std::size_t name = 0, cell = digits(r.classes.size() - 1);
  for (std::size_t c = 0; c < r.classes.size(); ++c) name = std::max(name, columns(fitted(r.classes[c].name, 16)));
  for (const auto& pair : r.confusion.pairs()) cell = std::max(cell, digits(pair.count));
  const std::size_t number = digits(r.classes.size() - 1);

  std::string text = fmt::format("\nTrue class (rows), predicted class (columns)\n{:<{}}", "", number + 1 + name);
  for (std::size_t c = 0; c < r.classes.size(); ++c) text += fmt::format("  {:>{}}", c, cell);
  text += '\n';
  for (std::size_t label = 0; label < r.classes.size(); ++label) {
    text += fmt::format("{:>{}} {:<{}}", label, number, fitted(r.classes[label].name, 16), name);
    for (std::size_t c = 0; c < r.classes.size(); ++c) {
      const std::uint64_t count = r.confusion.at(label, c);
      text += fmt::format("  {:>{}}", count ? std::to_string(count) : ".", cell);
    }
    text += '\n';
  }
  return text;
}

std::string most_confused(const EvaluationResult& r) {
  if (r.confused.empty()) return "\nNo image was taken for one of another class.\n";
  std::string text = "\nMost confused\n";
  for (std::size_t i = 0; i < std::min(most_pairs, r.confused.size()); ++i) {
    const Confused& pair = r.confused[i];
    const auto name = [&](std::size_t c) { return fitted(r.classes[c].name, most_columns); };
    text += fmt::format("{0:>{1}}  {2} taken for {3} ({4} of all {2})\n", pair.count, digits(r.confused.front().count),
                        name(pair.label), name(pair.predicted), percent(pair.share));
  }
  return text;
}

ordered_json number(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

// Writes the areas into the classes, too.
Probabilities probabilities(const stages::Calibration& counts, std::vector<Class>& classes) {
  Probabilities p;
  p.reliability = counts.reliability;
  for (const std::size_t k : told_k)
    if (k < classes.size()) p.top.push_back({k, counts.top(k)});
  p.roc_counted = counts.roc.counted();
  double values = 0, errors = 0;
  for (std::size_t c = 0; c < classes.size(); ++c)
    if (const auto area = counts.roc.area(c)) {
      classes[c].roc_auc = area->value;
      values += area->value, errors += area->error, ++p.roc_classes;
    }
  if (p.roc_classes == 0) return p;
  p.roc_auc = values / static_cast<double>(p.roc_classes);
  p.roc_error = errors / static_cast<double>(p.roc_classes);
  return p;
}

}  // namespace

EvaluationResult evaluation_result(const Metrics& metrics, const stages::Confusion& confusion,
                                   const std::vector<std::string>& class_names,
                                   const stages::Calibration* calibration) {
  if (class_names.size() != confusion.classes)
    throw std::invalid_argument(
        fmt::format("evaluation: {} names of classes, expected {}", class_names.size(), confusion.classes));
  EvaluationResult r;
  r.metrics = metrics;
  r.confusion = confusion;
  r.classes.resize(class_names.size());
  const auto pairs = confusion.pairs();
  for (const auto& pair : pairs) {
    r.classes[pair.label].support += pair.count;
    r.classes[pair.predicted].predicted += pair.count;
    if (pair.label == pair.predicted) r.classes[pair.label].right += pair.count;
  }
  for (std::size_t c = 0; c < r.classes.size(); ++c) {
    Class& k = r.classes[c];
    k.name = utf8(class_names[c]);
    k.precision = ratio(k.right, k.predicted);
    k.recall = ratio(k.right, k.support);
    k.f1 = ratio(2 * k.right, k.support + k.predicted);
  }
  r.macro_classes = static_cast<std::size_t>(std::count_if(r.classes.begin(), r.classes.end(), occurs));
  r.macro = {mean(r.classes, &Quality::precision), mean(r.classes, &Quality::recall), mean(r.classes, &Quality::f1)};

  for (const auto& pair : pairs)
    if (pair.label != pair.predicted)
      r.confused.push_back({pair.label, pair.predicted, pair.count,
                            static_cast<double>(pair.count) / static_cast<double>(r.classes[pair.label].support)});
  std::stable_sort(r.confused.begin(), r.confused.end(),
                   [](const Confused& a, const Confused& b) { return a.count > b.count; });
  if (calibration) r.probabilities = probabilities(*calibration, r.classes);
  return r;
}

std::string to_table(const EvaluationResult& r) {
  std::string text = fmt::format("loss {:.4f}, accuracy {:.4f} over {} image{}\n{}", r.metrics.loss, r.metrics.accuracy,
                                 r.metrics.count, r.metrics.count == 1 ? "" : "s", r.probabilities ? "" : "\n");
  if (r.probabilities) text += probabilities_in_words(r) + '\n';
  text += class_table(r);
  if (r.classes.size() <= most_in_matrix) text += matrix_table(r);
  return text + most_confused(r);
}

ordered_json to_json(const EvaluationResult& r) {
  ordered_json classes = ordered_json::array();
  for (std::size_t c = 0; c < r.classes.size(); ++c) {
    const Class& k = r.classes[c];
    classes.push_back({{"class", c},
                       {"name", k.name},
                       {"precision", number(k.precision)},
                       {"recall", number(k.recall)},
                       {"f1", number(k.f1)},
                       {"support", k.support},
                       {"predicted", k.predicted}});
    if (r.probabilities) classes.back()["roc_auc"] = number(k.roc_auc);
  }
  ordered_json json = {{"command", "eval"},
                       {"loss", r.metrics.loss},
                       {"accuracy", r.metrics.accuracy},
                       {"count", r.metrics.count},
                       {"classes", std::move(classes)},
                       {"macro",
                        {{"precision", number(r.macro.precision)},
                         {"recall", number(r.macro.recall)},
                         {"f1", number(r.macro.f1)},
                         {"classes", r.macro_classes},
                         {"undefined_as", 0}}}};
  if (r.classes.size() <= most_in_json_matrix) {
    ordered_json matrix = ordered_json::array();
    for (std::size_t label = 0; label < r.classes.size(); ++label) {
      ordered_json row = ordered_json::array();
      for (std::size_t c = 0; c < r.classes.size(); ++c) row.push_back(r.confusion.at(label, c));
      matrix.push_back(std::move(row));
    }
    json["confusion"] = std::move(matrix);
  }
  ordered_json confused = ordered_json::array();
  for (std::size_t i = 0; i < std::min(most_in_json_pairs, r.confused.size()); ++i) {
    const Confused& pair = r.confused[i];
    confused.push_back({{"label", pair.label},
                        {"predicted", pair.predicted},
                        {"label_name", r.classes[pair.label].name},
                        {"predicted_name", r.classes[pair.predicted].name},
                        {"count", pair.count},
                        {"share", pair.share}});
  }
  json["confused"] = std::move(confused);
  if (!r.probabilities) return json;
  const Probabilities& p = *r.probabilities;
  json["log_loss"] = r.metrics.loss;
  json["calibration"] = to_json(p.reliability);
  // An object from the start: a null that becomes one is left broken where memory is refused.
  ordered_json top_k = ordered_json::object();
  for (const EvaluationResult::TopK& top : p.top) top_k[std::to_string(top.k)] = number(top.accuracy);
  json["top_k_accuracy"] = std::move(top_k);
  json["roc_auc"] = nullptr;
  if (p.roc_counted)
    json["roc_auc"] = {{"macro", number(p.roc_auc)}, {"classes", p.roc_classes}, {"error", number(p.roc_error)}};
  return json;
}

ordered_json to_json(const stages::Reliability& reliability) {
  ordered_json bins = ordered_json::array();
  for (std::size_t b = 0; b < reliability.count; ++b) {
    const stages::Reliability::Bin& bin = reliability.bins[b];
    bins.push_back({{"from", static_cast<double>(b) / reliability.count},
                    {"to", static_cast<double>(b + 1) / reliability.count},
                    {"count", bin.rows},
                    {"accuracy", number(bin.accuracy())},
                    {"confidence", number(bin.mean_confidence())}});
  }
  return {{"ece", number(reliability.expected_error())},
          {"mce", number(reliability.largest_error())},
          {"confidence", number(reliability.all().mean_confidence())},
          {"bins", std::move(bins)}};
}

std::string to_csv(const EvaluationResult& r) {
  const auto exact = [](const std::optional<double>& value) { return value ? fmt::format("{}", *value) : ""; };
  std::string text =
      fmt::format("class,name,support,predicted,precision,recall,f1{}\n", r.probabilities ? ",roc_auc" : "");
  for (std::size_t c = 0; c < r.classes.size(); ++c) {
    const Class& k = r.classes[c];
    text += fmt::format("{},{},{},{},{},{},{}{}\n", c, csv_field(k.name), k.support, k.predicted, exact(k.precision),
                        exact(k.recall), exact(k.f1), r.probabilities ? "," + exact(k.roc_auc) : "");
  }
  return text;
}

}  // namespace sluice::apps
