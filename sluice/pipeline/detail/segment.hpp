// Where messages are between two gates: what has arrived at an input, and how far a segment's consumers are.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <vector>

#include <sluice/pipeline/detail/counters.hpp>
#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/detail/ticket.hpp>

namespace sluice::detail {

class Edge;
class Gate;
struct Input;

// From a gate to the gates that read what it emits, through maps or directly.
struct Segment {
  Number capacity = 1;  // messages of the gate's stream
  struct Consumer {     // its position counts as position * multiply / divide messages of this segment
    Input* input;
    Number multiply, divide;
  };
  std::vector<Consumer> consumers;
  std::vector<const Cost*> costs;  // of the maps inside
  bool prompt = true;              // room is offered for every ticket: see Gate::worth_waking()
  std::vector<Body*> releases;     // that made its messages and destroy them when they are consumed
  std::atomic<bool> wants_room{false};
  Counter emitted;
  Counter high_water;

  Number consumed() const;
  // Messages before this one have left their slots.
  Number given_back() const { return releases.empty() ? consumed() : released_.load(std::memory_order_seq_cst); }
  // After a consumer's position has changed, from any thread: destroys what is consumed.
  void release();
  void reset();
  Number held() const;  // emitted and not consumed; from any thread

  // The thread that a shard of a split is for. Where there are enough of them for all, each thread has its run of
  // neighbours, whoever took one of them in between; fewer go to the threads that worked on them the last time, which
  // are awake. Nothing depends on it but speed.
  struct alignas(64) Worker {
    std::atomic<int> thread{-1};
  };
  std::unique_ptr<Worker[]> workers;
  std::size_t shards = 0, threads = 1;
  // Relaxed: a hint; any thread is right.
  void worked_on(Number k, int thread) { workers[k % shards].thread.store(thread, std::memory_order_relaxed); }
  int worker_of(Number k) const {
    if (shards >= threads) return static_cast<int>(k % shards * threads / shards);
    return workers[k % shards].thread.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<Number> released_{0};
  std::atomic<bool> releasing_{false};
};

// The stream that a gate reads through one of its ports.
struct Input {
  Gate* gate = nullptr;
  const Stage* producer = nullptr;
  Number shards = 1;     // of a fold: messages of the stream that make one of its own
  bool endless = false;  // a feedback's stream: it ends when its consumer ends

  // A ticket that begins with message k and has n messages is marked at k modulo the size, as k * 2^20 + n. For a fold:
  // how many shards of group g have arrived, counted at g modulo the size.
  struct Mark {
    std::atomic<Number> tickets;
    std::atomic<std::uint32_t> born;  // Birth::bits() of the ticket's
  };
  std::unique_ptr<Mark[]> marks;
  Number mask = 0;
  static constexpr unsigned count_bits = 20;

  std::atomic<Number> end{unknown};  // its length, once known; of a fold in groups

  // What the gate writes, apart from what is read by those who let tickets arrive.
  alignas(64) std::atomic<Number> position{0};  // messages (groups) 0 .. position - 1 were consumed
  Number ready = 0;                             // messages (groups) 0 .. ready - 1 have arrived; the gate's own
  Number ticket_end = 0;                        // of the ticket of the message last asked for by born()
  Birth ticket_born;

  // Segments whose room depends on this input, each with the edge on which room travels back to its gate.
  struct Upstream {
    Segment* segment;
    Gate* gate;    // whose output begins it
    Gate* worker;  // that makes its messages: the same, but of a partition's second stream
    bool direct;   // the input reads this segment itself, not shards cut from its messages
    std::unique_ptr<Edge> edge;
  };
  std::vector<Upstream> upstream;

  Input();
  ~Input();  // where an Edge is known

  void allocate(Number window) {
    mask = std::bit_ceil(window) - 1;
    marks = std::make_unique<Mark[]>(mask + 1);
  }
  void reset();

  // From any thread. Returns whether the gate should look: of a fold only when a group is complete or the end is known.
  bool arrive(const Ticket& ticket);
  // The gate's own: how far everything has arrived.
  void scan();
  // The gate's own, of a message (group) that has arrived, asked for in order: when what it is made of was made. And
  // the number of the first behind it of which it may be another time.
  Birth born(Number k) { return k < ticket_end ? ticket_born : look_up_birth(k); }
  Number born_until() const { return ticket_end; }

 private:
  Birth look_up_birth(Number k);
};

}  // namespace sluice::detail
