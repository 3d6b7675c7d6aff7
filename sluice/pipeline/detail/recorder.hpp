// What a traced run leaves behind: events in one list for each worker, which only that worker writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/detail/ticket.hpp>
#include <sluice/pipeline/detail/verb_table.hpp>

namespace sluice::detail {

struct Event {
  Number begin = 0, end = 0;  // ticks
  Number first = 0;           // message made; of a sink: taken
  Number taken_first = 0;     // input taken, where the body says how many messages it makes of one
  std::uint32_t count = 0, taken = 0;
  std::uint16_t stage = 0;
};

// What a segment held at a time.
struct Fill {
  Number at = 0, messages = 0;
  std::uint16_t stage = 0;  // the gate that begins it
};

class Recorder {
 public:
  // What is written of a stage that may be gone by then.
  struct Shape {
    std::string name;
    Numbering numbering;
    std::vector<std::size_t> inputs{};  // stages
  };
  struct alignas(64) Lane {
    std::vector<Event> bodies;
    std::vector<Fill> fills;
  };

  // steps: messages of each stream to record.
  Recorder(std::string graph, std::uint64_t run, const Stages& stages, const void* arena, std::size_t threads,
           Number steps);

  void body(int worker, const Event& event);
  // `stage` is at message `position`; `gate` begins the segment.
  void queue(std::size_t stage, Number position, std::size_t gate, Number at, Number messages);

  const std::string graph;
  const std::uint64_t run;
  const void* const arena;  // graphs on the same Threads have the same workers
  std::vector<Shape> shapes;
  std::vector<Lane> lanes;  // by worker
  Number begin = 0, end = 0;

 private:
  Lane& lane(int worker) { return lanes[static_cast<std::size_t>(worker < 0 ? 0 : worker) % lanes.size()]; }
  std::vector<Number> until_;  // by stage
};

}  // namespace sluice::detail
