#include <sluice/pipeline/detail/node.hpp>

#include <algorithm>
#include <array>

#include <sluice/pipeline/detail/clock.hpp>

namespace sluice::detail {

void Context::fail(const Stage& stage, std::optional<Number> sequence, std::exception_ptr cause) noexcept {
  try {
    const std::lock_guard lock(mutex);
    if (!error && !broken) error.emplace(stage.name, sequence, std::move(cause));
  } catch (...) {
    fail(std::current_exception());
  }
  ends.halt();
}

void Context::fail(std::exception_ptr cause) noexcept {
  {
    const std::lock_guard lock(mutex);
    if (!error && !broken) broken = std::move(cause);
  }
  ends.halt();
}

Node::Node(flow::graph& graph, Stage& stage, Context& context, std::size_t limit)
    : stage_(stage),
      context_(context),
      limited_(limit > 0),
      flow_(graph, limit == 0 ? std::size_t{flow::unlimited} : limit, [this](const Ticket& ticket) {
        try {
          follow({this, ticket});
        } catch (...) {  // no memory for a task; told of it, oneTBB would drop others, for which somebody waits
          fail(std::current_exception());
        }
      }) {}

void Node::follow(Next next) {
  const WorksHere here(context_);
  Later later;
  while (next.node) {
    if (!next.node->quick()) later.send();
    next = next.node->run(next, later);
    if (!next.node) next = later.take();
  }
}

void Node::connect(flow::graph& graph, Node& successor) {
  successors_.push_back(std::make_unique<Edge>(graph, successor));
}

Next Node::deliver(const Ticket& ticket, bool go_on) {
  for (auto& edge : successors_) {
    Node& to = edge->to();
    if (!to.accept(ticket, stage_.id)) continue;
    // A node with a limit goes on with nothing: its place would be taken meanwhile.
    if (go_on && edge == successors_.back() && !limited_ && !to.limited_) return {&to, ticket, true};
    edge->put(ticket);
  }
  return {};
}

ParallelMap::ParallelMap(flow::graph& graph, Stage& stage, Context& context, std::size_t limit, std::size_t at_once,
                         std::size_t threads)
    : Node(graph, stage, context, limit),
      at_once_(at_once),
      may_skip_(stage.may_skip()),
      counts_(std::max<std::size_t>(2, threads)) {}  // an arena of one has a second slot

Next ParallelMap::run(const Next& next, Later&) {
  const Ticket& ticket = next.ticket;
  Ticket out = ticket;
  if (ticket.count > 0) {
    if (context_.stopping()) return {};
    const int me = tbb::this_task_arena::current_thread_index();
    if (split) split->worked_on(ticket.first, me);
    const Number begin = context_.time_of(next);
    Number at = ticket.first;
    const Number absent = Mishaps::absent_here;
    try {
      isolated([&] { stage_.body->run(at, ticket.first + ticket.count, context_.ends.halt_flag()); });
    } catch (...) {
      context_.fail(stage_, at, std::current_exception());
    }
    const Number end = ticks();
    Counts& mine = counts_[static_cast<std::size_t>(std::max(0, me)) % counts_.size()];
    mine.items.add(at - ticket.first - (may_skip_ ? Mishaps::absent_here - absent : 0));
    mine.busy.add(end - begin);
    if (begin > ticket.stamp) mine.ready.add(begin - ticket.stamp);
    if (at > ticket.first) mine.bodies.add(end - begin, at - ticket.first);
    cost_.update(end - begin, ticket.count);
    if (context_.recorder)
      context_.recorder->body(me, {.begin = begin,
                                   .end = end,
                                   .first = ticket.first,
                                   .count = static_cast<std::uint32_t>(at - ticket.first),
                                   .stage = static_cast<std::uint16_t>(stage_.id)});
    if (context_.stopping()) return {};
    out.stamp = end;
  }
  return deliver(out, true);
}

void ParallelMap::add_to(StageStats& stats, double wall, double seconds_per_tick) const {
  double busy = 0, ready = 0;
  std::array<Number, 256> bodies{};
  for (const Counts& c : counts_) {
    stats.items += c.items.get();
    busy += static_cast<double>(c.busy.get()) * seconds_per_tick;
    ready += static_cast<double>(c.ready.get()) * seconds_per_tick;
    c.bodies.add_to(bodies);
  }
  stats.busy += busy;
  stats.ready += ready;
  stats.at_once = at_once_;
  stats.starved += std::max(0.0, wall * static_cast<double>(at_once_) - busy - ready);
  stats.p50 = Histogram::quantile(bodies, 0.5) * seconds_per_tick;
  stats.p99 = Histogram::quantile(bodies, 0.99) * seconds_per_tick;
}

}  // namespace sluice::detail
