#include <sluice/pipeline/detail/engine.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/flow_graph.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <numeric>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include <sluice/pipeline/detail/arena.hpp>
#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/detail/gate.hpp>
#include <sluice/pipeline/detail/lookout.hpp>
#include <sluice/pipeline/detail/node.hpp>
#include <sluice/pipeline/detail/segment.hpp>
#include <sluice/pipeline/errors.hpp>

namespace sluice::detail {

struct Engine::Impl {
  Impl(const std::string& name, const Stages& wired, Threads workers, Ends& ends)
      : stages(wired), threads(std::move(workers)), context{name, ends} {
    // The graph's tasks run in the arena in which it is made.
    threads.arena().arena.execute([&] { graph = std::make_unique<flow::graph>(); });
    for (const auto& stage : stages) {
      if (works_in_order(*stage)) {
        auto gate = std::make_unique<Gate>(*graph, *stage, context);
        gates.push_back(gate.get());
        nodes.push_back(std::move(gate));
      } else {
        // No more bodies can be at once than there are messages in the segment.
        const std::size_t limit = stage->concurrency.limit < window(*stage) ? stage->concurrency.limit : 0;
        std::size_t at_once = std::min(threads.count(), window(*stage));
        if (stage->concurrency.limit > 0) at_once = std::min(at_once, stage->concurrency.limit);
        nodes.push_back(std::make_unique<ParallelMap>(*graph, *stage, context, limit, at_once, threads.count()));
      }
    }
    find_cycles();
    for (const auto& stage : stages)
      if (stage->second_branch) gate_of(*stage).set_branch(gate_of(*stage->second_branch));
    // With one thread nobody could take what is handed on while a body blocks.
    if (threads.count() > 1)
      for (Gate* gate : gates)
        if (gate->may_be_watched()) watch(*gate);
    for (Gate* gate : gates) make_segment(*gate);
    for (Gate* gate : gates) join_segments(*gate);
    for (const auto& stage : stages) make_edges(*stage);
  }

  Gate& gate_of(const Stage& stage) const { return static_cast<Gate&>(*nodes[stage.id]); }
  void watch(Gate& source) {
    if (!lookout) lookout.emplace();
    lookout->add(source);
    source.set_lookout(*lookout);
  }

  // Messages that the segment holds in which a stage's output lies.
  static std::size_t window(const Stage& stage) { return stage_window(*stage.gate); }
  static bool works_in_order(const Stage& stage) {
    return !stage.is_map() || (stage.concurrency == serial && window(stage) > 1);
  }

  // What lies between a gate and the next: its maps' costs and its consumers.
  void make_segment(Gate& gate) {
    for (auto& input : gate.inputs) input->allocate(window(*input->producer) / input->shards);
    if (!gate.stage().has_output()) return;
    Segment& segment = gate.segment;
    segment.capacity = window(gate.stage());
    if (gate.stage().is_map()) return;
    if (gate.stage().row().cuts()) {
      segment.shards = gate.stage().shards;
      segment.threads = threads.count();
      segment.workers = std::make_unique<Segment::Worker[]>(segment.shards);
      gate.hand_out.emplace(*graph, gate, segment, segment.capacity, threads.count());
      for (const Stage* map : gate.stage().consumers)
        if (!works_in_order(*map)) static_cast<ParallelMap&>(*nodes[map->id]).split = &segment;
    }
    for (const auto& other : stages) {
      if (other->gate != &gate.stage() || !other->has_output()) continue;
      if (other->is_map()) segment.costs.push_back(&cost(*other));
      const bool queues = other->concurrency.limit > 0 && other->concurrency.limit < segment.capacity;
      if (other->is_map() && !works_in_order(*other) && !queues && segment.capacity > threads.count())
        segment.prompt = false;
      if (other->body->releases()) segment.releases.push_back(other->body.get());
    }
    for (Gate* other : gates)
      for (auto& input : other->inputs)
        if (input->producer->gate == &gate.stage() && !other->stage().is_map())
          segment.consumers.push_back({input.get(), input->shards, 1});
  }

  const Cost& cost(const Stage& map) const {
    Node& node = *nodes[map.id];
    if (works_in_order(map)) return static_cast<Gate&>(node).cost();
    return static_cast<ParallelMap&>(node).cost();
  }

  // A split's input is in place until the shards made of it are consumed: its consumers stand for it.
  std::vector<Segment::Consumer> effective_consumers(const Segment& segment) const {
    std::vector<Segment::Consumer> all;
    for (const auto& consumer : segment.consumers) {
      const Gate& gate = *consumer.input->gate;
      if (!gate.stage().row().cuts()) {
        all.push_back(consumer);
        continue;
      }
      for (auto behind : effective_consumers(gate.segment)) {
        behind.divide *= gate.stage().shards;
        const Number common = std::gcd(behind.multiply, behind.divide);
        all.push_back({behind.input, behind.multiply / common, behind.divide / common});
      }
    }
    return all;
  }

  void join_segments(Gate& gate) {
    if (gate.stage().is_map() || !gate.stage().has_output()) return;
    // A split comes later than the gate before it, so what stands in for it is still as it was made.
    gate.segment.consumers = effective_consumers(gate.segment);
    for (const auto& consumer : gate.segment.consumers) {
      const bool direct = consumer.input->producer->gate == &gate.stage();
      if (!gate.segment.releases.empty()) consumer.input->gate->set_releasing(gate.segment);
      Gate& worker = gate.is_branch() ? gate_of(*gate.stage().first_branch) : gate;
      consumer.input->upstream.push_back(
          {&gate.segment, &gate, &worker, direct, std::make_unique<Edge>(*graph, worker)});
    }
  }

  // A thread goes on with the successor that comes last: one on the way to a feedback.
  void make_edges(const Stage& stage) {
    std::vector<const Stage*> successors;
    for (const bool on_the_way : {false, true})
      for (const Stage* consumer : stage.consumers)
        if (!consumer->first_branch && on_a_cycle[consumer->id] == on_the_way &&
            std::find(successors.begin(), successors.end(), consumer) == successors.end())
          successors.push_back(consumer);
    for (const Stage* successor : successors) nodes[stage.id]->connect(*graph, *nodes[successor->id]);
  }

  // The stages on the way to a feedback. Consumers come after their producers, but for feedbacks.
  void find_cycles() {
    on_a_cycle.resize(stages.size());
    const auto leads_on = [this](const Stage* s) { return s->verb == Verb::feedback || on_a_cycle[s->id]; };
    for (auto s = stages.rbegin(); s != stages.rend(); ++s)
      on_a_cycle[(*s)->id] =
          leads_on(s->get()) || std::any_of((*s)->consumers.begin(), (*s)->consumers.end(), leads_on);
  }

  bool run(Recorder* recorder) {
    context.error.reset();
    context.broken = {};
    context.recorder = recorder;
    for (const auto& stage : stages) {
      try {
        stage->body->reset();
      } catch (...) {
        throw StageError(stage->name, std::nullopt, std::current_exception());
      }
    }
    for (Gate* gate : gates) gate->reset();
    const Leftovers leftovers{*this};
    const std::stop_token token = context.ends.begin();
    std::vector<std::thread> fillers;
    try {
      for (Gate* gate : gates)
        if (gate->feed()) gate->attach();
      for (Gate* gate : gates)
        if (gate->feed() && gate->feed()->has_thread()) fillers.emplace_back([gate, token] { gate->fill(token); });
      if (lookout) lookout->begin();
      threads.arena().arena.execute([this] {
        for (Gate* gate : gates)
          if (gate->starts()) gate->start();
        graph->wait_for_all();
      });
    } catch (...) {
      // Not a body's: bodies are caught where they run. There was no memory for a task, or for a thread. What oneTBB
      // was already given would run into nodes that are gone.
      context.ends.halt();
      leave_feeds();
      if (lookout) lookout->end();
      threads.arena().arena.execute([this] {
        try {
          graph->wait_for_all();
        } catch (...) {  // what happened first is thrown
        }
        graph->reset();
      });
      for (std::thread& filler : fillers) filler.join();
      throw;
    }
    if (lookout) lookout->end();
    if (leave_feeds()) threads.arena().arena.execute([this] { graph->wait_for_all(); });
    for (std::thread& filler : fillers) filler.join();
    if (context.error) throw StageError(*context.error);
    if (context.broken) std::rethrow_exception(context.broken);
    if (context.stopping()) return false;
    std::vector<std::string> waiting;
    for (const Gate* gate : gates)
      if (!gate->finished() && !gate->stage().is_map())
        if (std::string one = gate->waiting_for(); !one.empty()) waiting.push_back(std::move(one));
    if (!waiting.empty()) throw Stalled(fmt::format("graph '{}' stalled: {}", context.graph, fmt::join(waiting, "; ")));
    // A cycle leaves one value over; more would be messages that nobody took.
    for (const Gate* gate : gates)
      for (const auto& input : gate->inputs) {
        if (!input->endless || context.is_ending()) continue;
        const Gate& feedback = static_cast<Gate&>(*nodes[input->producer->gate->id]);
        if (feedback.emitted() > gate->emitted() + 1)
          throw StageError(gate->stage().name, gate->emitted(),
                           std::make_exception_ptr(UnequalStreams(fmt::format(
                               "streams of unequal length: feedback '{}' got {} messages back, '{}' took {}",
                               feedback.stage().name, feedback.emitted() - 1, gate->stage().name, gate->emitted()))));
      }
    for (const Gate* gate : gates)
      if (gate->stage().verb == Verb::feedback && !is_used_up(*gate))
        stages[gate->stage().id]->body->keep(gate->emitted() - 1);
    return true;
  }

  // Where a run has stalled they are still waiting. Whoever has rung one meanwhile, to cancel it, has made a task.
  bool leave_feeds() {
    bool any = false;
    for (Gate* gate : gates)
      if (gate->feed()) gate->leave(), any = true;
    return any;
  }

  // Whatever way a run ends: nothing that it made lives on, but what feedbacks keep and what is to be used again.
  struct Leftovers {
    const Impl& me;
    ~Leftovers() {
      for (const auto& stage : me.stages) stage->body->release_all();
    }
  };

  // Whether somebody took the last value of a feedback, too: only where its stream came back from elsewhere than from
  // what was made of it, and sources were stopped at different messages.
  bool is_used_up(const Gate& feedback) const {
    return context.is_ending() && std::any_of(gates.begin(), gates.end(), [&](const Gate* gate) {
             return std::any_of(gate->inputs.begin(), gate->inputs.end(), [&](const auto& input) {
               return input->producer == &feedback.stage() && gate->taken() >= feedback.emitted();
             });
           });
  }

  const Stages& stages;
  Threads threads;
  Context context;
  std::unique_ptr<flow::graph> graph;
  std::vector<std::unique_ptr<Node>> nodes;  // by stage
  std::vector<Gate*> gates;                  // those of them that work in order
  std::vector<bool> on_a_cycle;              // by stage
  std::optional<Lookout> lookout;            // of the sources, where one can be
};

Engine::Engine(const std::string& graph, const Stages& stages, Threads threads, Ends& ends)
    : impl_(std::make_unique<Impl>(graph, stages, std::move(threads), ends)) {}
Engine::~Engine() = default;

bool Engine::run(Recorder* recorder) {
  return impl_->run(recorder);
}

bool Engine::was_cut_short() const {
  return std::any_of(impl_->gates.begin(), impl_->gates.end(), [](const Gate* gate) { return gate->cut_short(); });
}

Number Engine::steps() const {
  Number most = 0;
  for (const Gate* gate : impl_->gates)
    if (!gate->stage().bracket) most = std::max(most, gate->emitted());
  return most;
}

void Engine::add_to(std::vector<StageStats>& stats, double wall) const {
  const double seconds = seconds_per_tick();
  for (std::size_t i = 0; i < stats.size(); ++i) {
    impl_->nodes[i]->add_to(stats[i], wall, seconds);
    const Mishaps& mishaps = impl_->stages[i]->body->mishaps;
    stats[i].errors += mishaps.errors();
    stats[i].holes += mishaps.holes();
  }
}

}  // namespace sluice::detail
