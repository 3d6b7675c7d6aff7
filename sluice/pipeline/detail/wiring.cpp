#include <sluice/pipeline/detail/wiring.hpp>

#include <fmt/core.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/detail/settings.hpp>

namespace sluice::detail {
namespace {

// The split inside which a stage's output lies.
Stage* bracket_of(Stage& stage) {
  if (stage.inputs.empty()) return nullptr;
  Stage* const of_input = stage.inputs[0]->bracket;
  switch (stage.row().nesting) {
    case Nesting::as_inputs:
      return of_input;
    case Nesting::inside:
      return &stage;
    case Nesting::outside:
      return of_input ? of_input->inputs[0]->bracket : nullptr;
    case Nesting::none:
      return nullptr;
  }
  return nullptr;
}

bool is_endless(const Stage& stage) {
  return stage.verb == Verb::feedback ||
         (!stage.inputs.empty() &&
          std::all_of(stage.inputs.begin(), stage.inputs.end(), [](const Stage* in) { return in->endless; }));
}

// Whether a stage that takes values out of their slots is the only one that needs those of an input. The value that a
// feedback leaves over is the run's result: what is made of feedbacks alone may be given it too.
bool is_only_reader(const Stage& stage, const Stage& input) {
  const bool left_over = stage.endless && stage.verb != Verb::feedback && input.verb == Verb::feedback;
  // A partition's second stream is made by the first one's stage.
  const auto readers = std::count_if(input.consumers.begin(), input.consumers.end(),
                                     [](const Stage* consumer) { return !consumer->first_branch; });
  return readers == 1 && !left_over;
}

// All that a stage's messages are made of, without what comes back to a feedback; and the stage itself.
std::set<const Stage*> made_of(const Stage& stage) {
  std::set<const Stage*> all;
  std::vector<const Stage*> open{&stage};
  while (!open.empty()) {
    const Stage* const one = open.back();
    open.pop_back();
    if (!all.insert(one).second || one->verb == Verb::feedback) continue;
    open.insert(open.end(), one->inputs.begin(), one->inputs.end());
  }
  return all;
}

// The stage that gave a stream's messages their numbers, but for the cutting and folding of shards.
const Stage& numbered_by(const Stage& stage) {
  if (stage.inputs.empty() || stage.verb == Verb::feedback || stage.row().makes == Count::any) return stage;
  const auto ends =
      std::find_if(stage.inputs.begin(), stage.inputs.end(), [](const Stage* in) { return !in->endless; });
  return numbered_by(ends == stage.inputs.end() ? *stage.inputs[0] : **ends);
}

std::string cut_by(const Stage* bracket) {
  return bracket ? fmt::format("shards of '{}'", bracket->name) : std::string("no shards");
}

class Judge {
 public:
  std::vector<std::string> mistakes(const Stages& stages) {
    if (stages.size() > most_stages) say("{} stages, expected at most {}", stages.size(), most_stages);
    for (const auto& s : stages) judge_alone(*s);
    for (const auto& s : stages)
      if (s->verb != Verb::feedback) judge_shards(*s);
    for (const auto& s : stages) {
      if (s->verb == Verb::feedback) judge_feedback(*s);
      judge_output(*s);
      if (drops(*s) && !s->first_branch) judge_filter(*s);
      if (s->verb != Verb::feedback) judge_numbers(*s);
      if (s->takes_out() && !s->first_branch) judge_taking_out(*s);
    }
    return std::move(mistakes_);
  }

 private:
  template <class... Args>
  void say(fmt::format_string<Args...> text, Args&&... args) {
    mistakes_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  template <class Setting>
  void judge_setting(const Stage& s, Setting setting) {
    if (!misplaced(s, setting).empty()) return;  // said where it was given
    if (std::string why = out_of_range(s, setting); !why.empty()) mistakes_.push_back(std::move(why));
  }

  void judge_alone(const Stage& s) {
    if (s.name.empty()) say("a {} has no name", to_string(s.verb));
    if (!s.name.empty() && !names_.insert(s.name).second) say("two stages are named '{}'", s.name);
    judge_setting(s, Capacity{s.capacity});
    judge_setting(s, Shards{s.shards});
  }

  void judge_shards(const Stage& s) {
    if (s.inputs.empty()) return;
    const Stage& first = *s.inputs[0];
    if (s.row().nesting == Nesting::outside && !first.bracket)
      say("{} '{}': '{}' gives no shards: a fold reads what a split has cut", to_string(s.verb), s.name, first.name);
    for (const Stage* other : s.inputs)
      if (other->bracket != first.bracket)
        say("{} '{}': '{}' gives {}, '{}' gives {}: fold the shards first", to_string(s.verb), s.name, first.name,
            cut_by(first.bracket), other->name, cut_by(other->bracket));
  }

  void judge_feedback(const Stage& s) {
    if (s.inputs.empty()) {
      if (!s.foreign) say("feedback '{}' is not closed: call close() with the stream that comes back", s.name);
      return;
    }
    const Stage& closing = *s.inputs[0];
    if (closing.bracket)
      say("feedback '{}': closed with the shards of '{}': fold them first", s.name, closing.bracket->name);
    if (closing.endless)
      say("feedback '{}': '{}' has no end of its own: close it with what is made of a stream that ends", s.name,
          closing.name);
    for (const Stage* one : made_of(closing))
      if (drops(*one) && made_of(*one).count(&s))
        say("feedback '{}': {} '{}' lies on its way: what is dropped there never comes back", s.name,
            to_string(one->verb), one->name);
    for (const Stage* one : made_of(closing)) {
      const bool over_holes =
          std::any_of(one->inputs.begin(), one->inputs.end(), [](const Stage* in) { return in->holes; });
      if (one->verb == Verb::expand && (one->body->mishaps.skips() || over_holes) && made_of(*one).count(&s))
        say("feedback '{}': expand '{}' on its way passes over messages (on_error(skip)), and it needs every one",
            s.name, one->name);
    }
    if (closing.holes)
      say("feedback '{}': on_error(skip) of {} may leave out messages of '{}', and it needs every one", s.name,
          skipped_by(closing), closing.name);
  }

  static bool drops(const Stage& s) { return s.verb == Verb::filter || s.verb == Verb::partition; }

  static std::string skipped_by(const Stage& stage) {
    std::vector<std::string> names;
    for (const Stage* one : made_of(stage))
      if (one->body->mishaps.skips() && one->holes) names.push_back("'" + one->name + "'");
    std::sort(names.begin(), names.end());
    return fmt::format("{}", fmt::join(names, " and "));
  }

  void judge_filter(const Stage& s) {
    if (s.inputs.empty() || !s.inputs[0]->bracket) return;
    say("{} '{}': '{}' gives shards of '{}', which are folded together: do it before they are cut, or behind the fold",
        to_string(s.verb), s.name, s.inputs[0]->name, s.inputs[0]->bracket->name);
  }

  // Streams that are joined have the same numbers: one that was filtered does not belong to what it was filtered from,
  // nor to what was filtered from that otherwise. (What an expand makes may be as many on purpose.)
  void judge_numbers(const Stage& s) {
    for (std::size_t i = 1; i < s.inputs.size(); ++i)
      if (!judge_filtered(s, *s.inputs[0], *s.inputs[i])) judge_filtered(s, *s.inputs[i], *s.inputs[0]);
  }
  bool judge_filtered(const Stage& s, const Stage& a, const Stage& b) {
    const Stage &filter = numbered_by(a), &other = numbered_by(b);
    if (!drops(filter) || &other == &filter || other.verb == Verb::expand || b.endless) return false;
    if (filter.second_branch == &other || filter.first_branch == &other) {
      say("{} '{}': '{}' and '{}' come of one partition: which message belongs to which is lost, and one would wait "
          "for "
          "the other for ever",
          to_string(s.verb), s.name, a.name, b.name);
      return true;
    }
    const std::set<const Stage*> of_filter = made_of(filter), of_other = made_of(other);
    if (of_other.count(&filter) > 0) return false;
    if (std::none_of(of_other.begin(), of_other.end(), [&](const Stage* one) { return of_filter.count(one) > 0; }))
      return false;
    say("{} '{}': '{}' is what '{}' has let through, '{}' is not: join them first, and {} behind it", to_string(s.verb),
        s.name, a.name, filter.name, b.name, to_string(filter.verb));
    return true;
  }

  void judge_output(const Stage& s) {
    if (s.row().begins_segment() && s.capacity <= most_messages && s.shards <= most_messages &&
        stage_window(s) > most_messages)
      say("stage '{}': capacity {} times its shards are more than {} messages", s.name, s.capacity, most_messages);
    if (s.has_output() && s.consumers.empty()) say("stage '{}': nobody reads its messages", s.name);
  }

  void judge_taking_out(const Stage& s) {
    for (std::size_t port = 0; port < s.inputs.size(); ++port) {
      const Stage& in = *s.inputs[port];
      if (is_only_reader(s, in) || s.body->copies(port)) continue;
      if (s.row().takes_out || s.verb == Verb::partition)
        say("{} '{}': the messages of '{}' cannot be copied and are needed elsewhere too", to_string(s.verb), s.name,
            in.name);
      else
        say("{} '{}': it takes the messages of '{}' out of their slots, and {} needs them too: let it look at them, "
            "const "
            "In&",
            to_string(s.verb), s.name, in.name, others_than(s, in));
    }
  }
  static std::string others_than(const Stage& s, const Stage& in) {
    for (const Stage* other : in.consumers)
      if (other != &s && !other->first_branch) return fmt::format("'{}'", other->name);
    return "the run's end";
  }

  std::set<std::string> names_;
  std::vector<std::string> mistakes_;
};

}  // namespace

void resolve(const Stages& stages) {
  for (const auto& s : stages) {
    s->gate = s->bracket = nullptr;
    s->consumers.clear();
  }
  // Arguments come before the stages that take them, but for the streams that close feedbacks.
  for (const auto& s : stages) {
    s->gate = s->is_map() && !s->inputs.empty() ? s->inputs[0]->gate : s.get();
    s->endless = is_endless(*s);
    s->bracket = bracket_of(*s);
    s->holes = s->has_output() && s->verb != Verb::feedback && s->row().makes != Count::any &&
               (s->body->mishaps.skips() ||
                std::any_of(s->inputs.begin(), s->inputs.end(), [](const Stage* in) { return in->holes; }));
    s->body->set_holes(s->holes);
    for (Stage* producer : s->inputs) producer->consumers.push_back(s.get());
    if (s->row().takes == Count::shards && !s->inputs.empty() && s->inputs[0]->bracket)
      s->shards = s->inputs[0]->bracket->shards;
  }
  for (const auto& s : stages)
    if (s->takes_out())
      for (std::size_t port = 0; port < s->inputs.size(); ++port)
        s->body->set_exclusive(port, is_only_reader(*s, *s->inputs[port]));
}

std::vector<std::string> mistakes(const Stages& stages) {
  return Judge().mistakes(stages);
}

}  // namespace sluice::detail
