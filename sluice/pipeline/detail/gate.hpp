// A stage that works on one message at a time, in order: every verb but a map that may work on several.
//
// All but a serial map begin a segment and hold back: they emit when there is room. One activation at a time works as
// long as there is input and room, and looks once more before it leaves.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <sluice/pipeline/detail/counters.hpp>
#include <sluice/pipeline/detail/hand_out.hpp>
#include <sluice/pipeline/detail/next.hpp>
#include <sluice/pipeline/detail/node.hpp>
#include <sluice/pipeline/detail/segment.hpp>
#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/detail/ticket.hpp>
#include <sluice/pipeline/detail/verb_table.hpp>
#include <sluice/pipeline/stats.hpp>

namespace sluice::detail {

class Gate final : public Node {
 public:
  Gate(flow::graph& graph, Stage& stage, Context& context);

  bool accept(const Ticket& ticket) override;
  Next run(const Ticket& ticket, Later& later) override;
  bool quick() const override { return row_.quick(); }
  void add_to(StageStats& stats, double wall, double seconds_per_tick) const override;

  void reset();
  bool starts() const { return row_.starts(); }
  void start();
  bool finished() const { return finished_; }
  Number emitted() const { return next_; }
  Number taken() const { return turns_taken(); }  // messages (groups) of each input
  std::string waiting_for() const;
  const Cost& cost() const { return cost_; }

  std::vector<std::unique_ptr<Input>> inputs;
  Segment segment;                  // that its output begins; a serial map's lies in another's
  std::optional<HandOut> hand_out;  // of a split

 private:
  friend class Later;

  // Bits: somebody says that there is something to do; an activation is under way. With the first alone the gate waits
  // for a thread.
  enum State : unsigned { idle = 0, look = 1, running = 2 };
  enum class Why { starved, blocked };

  bool begins_segment() const { return row_.begins_segment(); }
  // Whoever finds it idle must see to it that it is run.
  bool wake() { return state_.fetch_or(look, std::memory_order_seq_cst) == idle; }

  void work(Later& later);
  bool go_on(Later& later);
  bool advance(Later& later);
  bool expand(Later& later);
  bool sift(Later& later);
  bool pass_on(Number first, Number taken_before, bool idle_now, Later& later);
  bool finish(Number count, Later& later);
  Number available();
  Number length();
  [[noreturn]] void unequal(const Input& a, const Input& b);
  Number room();
  bool blocked();
  Number grain() const;
  void tick(Number first, Number count, Number taken = 0);
  void emit(Number count, bool last);
  void hand_on(Number first, Number count, bool last);
  Number rest_of_group() const;
  bool goes_on();
  void make_way(Later& later);
  void flush();
  Number turns_taken() const;
  void consume(Later& later);
  void offer_room(bool going_idle, Later& later);

  const VerbRow& row_;
  const Numbering numbering_;

  alignas(64) std::atomic<unsigned> state_{idle};

  // Its place in a list of Later: of whoever found it idle, until it is run.
  Gate* next_later_ = nullptr;
  Edge* back_ = nullptr;
  Number woken_at_ = 0;

  // The running activation's own.
  Number next_ = 0;       // messages made (a sink: taken)
  Number taken_ = 0;      // inputs used up, where the body says how many messages it makes of one
  Number end_ = unknown;  // of a source: its length, once it has ended
  Number room_until_ = 0;
  Number failed_at_ = 0;  // the message being worked on
  Number now_ = 0, left_at_ = 0;
  bool holds_input_ = false, finishing_ = false, finished_ = false;
  Why why_ = Why::starved;
  bool holds_ticket_ = false;  // made, and not yet handed on
  Ticket ticket_{};
  Number ticket_length_ = 1;  // messages, at most

  Counter items_, busy_, starved_, blocked_, ready_;
  Histogram bodies_;
  Cost cost_;
};

}  // namespace sluice::detail
