#include <sluice/pipeline/detail/stage.hpp>

#include <bit>

namespace sluice::detail {

std::size_t stage_window(const Stage& gate) {
  // No overflow: every factor is at most most_messages, and what is beyond that is refused before it is used.
  std::size_t messages = gate.capacity;
  for (const Stage* split = gate.bracket; split && messages <= most_messages; split = split->inputs[0]->bracket)
    messages *= split->shards;
  return messages;
}

StageDescription describe(const Stage& stage) {
  StageDescription is;
  is.name = stage.name;
  is.verb = stage.verb;
  for (const Stage* in : stage.inputs) is.inputs.push_back(in->name);
  if (stage.is_map()) is.concurrency = stage.concurrency;
  if (stage.row().begins_segment()) is.capacity = stage.capacity;
  is.sharded = stage.bracket != nullptr;
  is.shards = stage.bracket ? stage.bracket->shards : stage.row().cuts() ? stage.shards : 1;
  return is;
}

StageInfo stage_info(const Stage& stage) {
  StageInfo info{describe(stage), {}};
  if (!stage.has_output()) return info;
  const auto payload = stage.body->payload_bytes();
  info.bound.messages = stage_window(*stage.gate);
  const std::size_t kept = stage.row().ahead;  // what a run starts from
  info.bound.bytes = (std::bit_ceil(info.bound.messages) + kept) * (stage.body->value_bytes() + payload.value_or(0)) +
                     stage.body->state_bytes();
  info.bound.complete = payload.has_value();
  return info;
}

}  // namespace sluice::detail
