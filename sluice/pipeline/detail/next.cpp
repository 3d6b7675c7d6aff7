#include <sluice/pipeline/detail/next.hpp>

#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/detail/gate.hpp>
#include <sluice/pipeline/detail/node.hpp>

namespace sluice::detail {

void Later::add(Gate& gate, Edge& back) {
  gate.next_later_ = nullptr;
  gate.back_ = &back;
  gate.woken_at_ = ticks();
  Gate** end = &first_;
  while (*end) end = &(*end)->next_later_;
  *end = &gate;
}

void Later::send() {
  while (Gate* const gate = first_) {
    first_ = gate->next_later_;
    gate->back_->put({.stamp = gate->woken_at_});
  }
}

Next Later::take() {
  Gate* const gate = first_;
  if (!gate) return {};
  first_ = gate->next_later_;
  send();
  return {gate, {.stamp = gate->woken_at_}};
}

}  // namespace sluice::detail
