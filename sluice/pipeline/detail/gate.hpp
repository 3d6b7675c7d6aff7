// A stage that works on one message at a time, in order: every verb but a map that may work on several.
//
// All but a serial map begin a segment and hold back: they emit when there is room. One activation at a time works as
// long as there is input and room, and looks once more before it leaves.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <sluice/pipeline/detail/counters.hpp>
#include <sluice/pipeline/detail/ends.hpp>
#include <sluice/pipeline/detail/feed.hpp>
#include <sluice/pipeline/detail/hand_out.hpp>
#include <sluice/pipeline/detail/next.hpp>
#include <sluice/pipeline/detail/node.hpp>
#include <sluice/pipeline/detail/segment.hpp>
#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/detail/ticket.hpp>
#include <sluice/pipeline/detail/verb_table.hpp>
#include <sluice/pipeline/stats.hpp>

namespace sluice::detail {

class Lookout;

class Gate final : public Node, public Feed::Reader {
 public:
  Gate(flow::graph& graph, Stage& stage, Context& context);

  bool accept(const Ticket& ticket, std::size_t producer) override;
  Next run(const Next& next, Later& later) override;
  bool quick() const override { return row_.quick(); }
  void add_to(StageStats& stats, double wall, double seconds_per_tick) const override;

  void reset();
  bool starts() const { return row_.starts(); }
  void start();

  // Of a source that is filled from outside. Between attach() and leave() it may be put into, and the graph's run waits
  // for it while there is room; leave() comes by itself when it has ended.
  Feed* feed() const { return feed_; }
  void attach();
  void leave();
  void fill(const std::stop_token& token);  // on a thread of the source's own
  void ring() noexcept override;
  Number given_back() const override { return segment.given_back(); }
  void wish_for_room() override { segment.wants_room.store(true, std::memory_order_seq_cst); }
  bool works_on_this_thread() const override { return Context::works_here == &context_; }

  // Of any other source: somebody looks after it while its body runs (lookout.hpp).
  bool may_be_watched() const { return row_.takes == Count::none && !feed_; }
  void set_lookout(Lookout& lookout) {
    lookout_ = &lookout;
    stage_.body->report(progress_);
  }
  // What it is to be looked after for: nothing; it is at work; it has been in one call of its body for long.
  enum class Asking { no, busy, slow };
  Asking asking() const;
  bool needs_looking_after() const;
  void hand_on_what_is_made();
  // Of a partition: the gate of its second stream, which it makes as well.
  void set_branch(Gate& second) { branch_ = &second; }
  bool is_branch() const { return stage_.first_branch != nullptr; }
  bool cut_short() const { return cut_short_; }
  // Whose room depends on an input of this gate, and whose messages are destroyed when they are consumed.
  void set_releasing(Segment& upstream) { releasing_.push_back(&upstream); }
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
  enum class Why : unsigned char { starved, blocked, waiting };

  bool begins_segment() const { return row_.begins_segment(); }
  // Whoever finds it idle must see to it that it is run.
  bool wake() { return state_.fetch_or(look, std::memory_order_seq_cst) == idle; }

  void work(Later& later);
  bool go_on(Later& later);
  bool advance(Later& later);
  void about_to_ask(Number limit);
  void has_asked(Number began, bool measured, Number& count);
  bool expand(Later& later);
  bool sift(Later& later);
  bool part(Later& later);
  bool pass_on(Number first, Number taken_before, bool idle_now, Later& later);
  bool finish(Number count, Later& later);
  Number available();
  Number length();
  [[noreturn]] void unequal(const Input& a, const Input& b);
  Number room();
  bool blocked();
  Number grain() const;
  Number worth_waking() const;
  // worked: messages among which the time since is divided.
  void tick(Number first, Number count, Number taken, Number worked);
  void tick(Number first, Number count, Number taken = 0) { tick(first, count, taken, count); }
  void tend();
  void wait_for_outside();
  Number unhanded(Number count);
  Birth born(Number first);
  void count_latency(Number first);
  void emit(Number count, bool last);
  void hand_on(Number first, Number count, bool last);
  Number rest_of_group() const;
  bool goes_on();
  void make_way(Later& later);
  void flush();
  Number turns_taken() const;
  void consume(Later& later);
  void offer_room(bool going_idle, Later& later);

  flow::graph& graph_;
  const VerbRow& row_;
  const Numbering numbering_;
  Feed* const feed_;
  const bool may_skip_;
  std::atomic<bool> attached_{false}, run_waits_{false};
  Gate* branch_ = nullptr;
  std::vector<Segment*> releasing_;
  Input* only_input_ = nullptr;  // where there is one
  Input* dated_by_ = nullptr;    // the input whose messages' age is that of what is made of them

  Lookout* lookout_ = nullptr;
  std::unique_ptr<Histogram> latency_;  // of a sink

  // From here on by cache lines: an activation on another thread than the last one has to fetch what it writes. First
  // what others write, too.
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
  Ticket ticket_{};
  Number ticket_length_ = 1;   // messages, at most
  bool holds_ticket_ = false;  // made, and not yet handed on
  bool holds_input_ = false, finishing_ = false, finished_ = false, cut_short_ = false;
  Why why_ = Why::starved;

  Counter items_, busy_, starved_, blocked_, ready_;
  Cost cost_;
  Progress progress_;              // of a source: where its body is
  std::atomic<Number> handed_{0};  // and messages before this one were handed on, by this gate or by the lookout
  Birth born_;                     // of what is being made, where no input says so
  // A source whose body was slow: so many tickets more are measured exactly, in case it sleeps again.
  unsigned timed_ = 0;
  static constexpr unsigned most_timed = 1000;

  Number absent_ = 0;  // of a call: numbers under which there is no message
  Counter waiting_, left_over_;
  Histogram bodies_;
};

}  // namespace sluice::detail
