#include <sluice/pipeline/detail/stage.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace sluice::detail {

const char* to_string(Verb verb) {
  switch (verb) {
    case Verb::source:
      return "source";
    case Verb::map:
      return "map";
    case Verb::expand:
      return "expand";
    case Verb::zip:
      return "zip";
    case Verb::split:
      return "split";
    case Verb::fold:
      return "fold";
    case Verb::sink:
      return "sink";
    case Verb::feedback:
      return "feedback";
  }
  return "?";
}

std::size_t stage_window(const Stage& gate) {
  // No overflow: every factor is at most most_messages, and what is beyond that is refused before it is used.
  std::size_t messages = gate.capacity;
  for (const Stage* split = gate.bracket; split && messages <= most_messages; split = split->inputs[0]->bracket)
    messages *= split->shards;
  return messages;
}

namespace {

std::string described(const Stage* bracket) {
  return bracket ? fmt::format("shards of '{}'", bracket->name) : std::string("no shards");
}

// The split inside which a stage's output lies; a mistake where its inputs do not fit.
Stage* find_bracket(Stage& stage, std::vector<std::string>& mistakes) {
  if (stage.inputs.empty()) return nullptr;
  Stage* const in = stage.inputs[0]->bracket;
  switch (stage.verb) {
    case Verb::split:
      return &stage;
    case Verb::fold:
      if (in) return in->inputs[0]->bracket;
      mistakes.push_back(fmt::format("fold '{}': '{}' gives no shards: a fold reads what a split has cut", stage.name,
                                     stage.inputs[0]->name));
      return nullptr;
    case Verb::zip:
    case Verb::sink:
      for (const Stage* other : stage.inputs)
        if (other->bracket != in)
          mistakes.push_back(fmt::format("{} '{}': '{}' gives {}, '{}' gives {}: fold the shards first",
                                         to_string(stage.verb), stage.name, stage.inputs[0]->name, described(in),
                                         other->name, described(other->bracket)));
      return in;
    case Verb::feedback:
      if (in)
        mistakes.push_back(
            fmt::format("feedback '{}': closed with the shards of '{}': fold them first", stage.name, in->name));
      return nullptr;
    case Verb::expand:
      return nullptr;  // numbers its messages anew
    default:
      return in;
  }
}

}  // namespace

std::vector<std::string> check(const std::vector<std::unique_ptr<Stage>>& stages) {
  std::vector<std::string> mistakes;
  if (stages.size() > most_stages)
    mistakes.push_back(fmt::format("{} stages, expected at most {}", stages.size(), most_stages));
  std::set<std::string> names;
  for (const auto& s : stages) {
    if (s->name.empty()) mistakes.push_back(fmt::format("a {} has no name", to_string(s->verb)));
    if (!s->name.empty() && !names.insert(s->name).second)
      mistakes.push_back(fmt::format("two stages are named '{}'", s->name));
    if (s->capacity == 0 || s->capacity > most_messages)
      mistakes.push_back(fmt::format("stage '{}': capacity {}, expected 1 to {}", s->name, s->capacity, most_messages));
    if (s->verb == Verb::split && (s->shards == 0 || s->shards > most_messages))
      mistakes.push_back(fmt::format("split '{}': {} shards, expected 1 to {}", s->name, s->shards, most_messages));
    s->gate = s->bracket = nullptr;
    s->consumers.clear();
  }
  // Arguments come before the stages that take them, but for the streams that close feedbacks.
  for (const auto& s : stages) {
    s->gate = s->is_map() && !s->inputs.empty() ? s->inputs[0]->gate : s.get();
    s->endless = s->verb == Verb::feedback ||
                 (!s->inputs.empty() &&
                  std::all_of(s->inputs.begin(), s->inputs.end(), [](const Stage* in) { return in->endless; }));
    if (s->verb != Verb::feedback) s->bracket = find_bracket(*s, mistakes);
    for (Stage* producer : s->inputs) producer->consumers.push_back(s.get());
    if (s->verb == Verb::fold && !s->inputs.empty() && s->inputs[0]->bracket) s->shards = s->inputs[0]->bracket->shards;
  }
  for (const auto& s : stages) {
    if (s->verb == Verb::feedback && !s->inputs.empty()) find_bracket(*s, mistakes);
    if (s->verb == Verb::feedback && !s->inputs.empty() && s->inputs[0]->endless)
      mistakes.push_back(
          fmt::format("feedback '{}': '{}' has no end of its own: close it with what is made of a stream that ends",
                      s->name, s->inputs[0]->name));
    if (s->verb == Verb::feedback && s->inputs.empty() && !s->foreign)
      mistakes.push_back(
          fmt::format("feedback '{}' is not closed: call close() with the stream that comes back", s->name));
    if (!s->is_map() && s->has_output() && s->capacity <= most_messages && s->shards <= most_messages &&
        stage_window(*s) > most_messages)
      mistakes.push_back(fmt::format("stage '{}': capacity {} times its shards are more than {} messages", s->name,
                                     s->capacity, most_messages));
    if (s->has_output() && s->consumers.empty())
      mistakes.push_back(fmt::format("stage '{}': nobody reads its messages", s->name));
    if (s->verb != Verb::zip && s->verb != Verb::feedback) continue;
    for (std::size_t port = 0; port < s->inputs.size(); ++port) {
      // The value that a feedback leaves over is the run's result: what is made of feedbacks alone may be given it too.
      const bool left_over = s->endless && s->verb == Verb::zip && s->inputs[port]->verb == Verb::feedback;
      const bool exclusive = s->inputs[port]->consumers.size() == 1 && !left_over;
      s->body->set_exclusive(port, exclusive);
      if (!exclusive && !s->body->copies(port))
        mistakes.push_back(fmt::format("{} '{}': the messages of '{}' cannot be copied and are needed elsewhere too",
                                       to_string(s->verb), s->name, s->inputs[port]->name));
    }
  }
  return mistakes;
}

}  // namespace sluice::detail
