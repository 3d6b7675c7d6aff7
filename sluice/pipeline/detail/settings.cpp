#include <sluice/pipeline/detail/settings.hpp>

#include <fmt/core.h>

#include <string_view>

#include <sluice/pipeline/detail/feed.hpp>

namespace sluice::detail {
namespace {

// "a map", "an expand"
std::string with_article(Verb verb) {
  const std::string_view name = to_string(verb);
  return fmt::format("{} {}", std::string_view("aeiou").find(name[0]) == std::string_view::npos ? "a" : "an", name);
}

}  // namespace

std::string misplaced(const Stage& stage, Concurrency) {
  if (stage.is_map()) return "";
  return fmt::format("stage '{}' is {}: it works on one message at a time, only maps on several", stage.name,
                     with_article(stage.verb));
}

std::string misplaced(const Stage& stage, Capacity) {
  if (!stage.has_output()) return fmt::format("stage '{}' is a sink: nothing follows it", stage.name);
  if (!stage.is_map()) return "";
  const Stage* gate = &stage;
  while (gate->is_map() && !gate->inputs.empty()) gate = gate->inputs[0];
  return fmt::format("stage '{}' is a map: the capacity of its segment is that of '{}'", stage.name, gate->name);
}

std::string misplaced(const Stage& stage, Shards) {
  return stage.row().cuts() ? "" : fmt::format("stage '{}' is no split", stage.name);
}

std::string misplaced(const Stage& stage, const OnError&) {
  const bool has_body = stage.verb != Verb::zip && stage.verb != Verb::feedback &&
                        !(stage.body->feed() && !stage.body->feed()->has_thread());
  return has_body ? "" : fmt::format("stage '{}' has no body that could throw: on_error is not for it", stage.name);
}

std::string out_of_range(const Stage& stage, UpTo concurrency) {
  if (concurrency.limit >= 1) return "";
  return fmt::format("{} '{}': up_to(0), expected at least 1", to_string(stage.verb), stage.name);
}

std::string out_of_range(const Stage& stage, Capacity capacity) {
  if (capacity.messages >= 1 && capacity.messages <= most_messages) return "";
  return fmt::format("stage '{}': capacity {}, expected 1 to {}", stage.name, capacity.messages, most_messages);
}

std::string out_of_range(const Stage& stage, Shards shards) {
  if (shards.count >= 1 && shards.count <= most_messages) return "";
  return fmt::format("split '{}': {} shards, expected 1 to {}", stage.name, shards.count, most_messages);
}

}  // namespace sluice::detail
