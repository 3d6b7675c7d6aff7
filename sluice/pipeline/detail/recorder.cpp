#include <sluice/pipeline/detail/recorder.hpp>

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include <sluice/pipeline/detail/clock.hpp>

namespace sluice::detail {

Recorder::Recorder(std::string graph_name, std::uint64_t run_number, const Stages& stages, const void* run_in,
                   std::size_t threads, Number steps)
    : graph(std::move(graph_name)),
      run(run_number),
      arena(run_in),
      lanes(std::max<std::size_t>(2, threads)),  // an arena of one has a second slot
      begin(ticks()) {
  for (const auto& s : stages) {
    Shape shape{s->name, numbering(s->verb, s->shards)};
    for (const Stage* in : s->inputs) shape.inputs.push_back(in->id);
    until_.push_back(s->bracket ? steps * s->bracket->shards : steps);
    shapes.push_back(std::move(shape));
  }
}

void Recorder::body(int worker, const Event& event) {
  if (event.first < until_[event.stage]) lane(worker).bodies.push_back(event);
}

void Recorder::queue(std::size_t stage, Number position, std::size_t gate, Number at, Number messages) {
  if (position <= until_[stage])
    lane(tbb::this_task_arena::current_thread_index())
        .fills.push_back({at, messages, static_cast<std::uint16_t>(gate)});
}

}  // namespace sluice::detail
