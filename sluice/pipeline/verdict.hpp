// What bounds a run, in words: which stage, why, and what a faster one would bring.
//
// GraphStats -> Verdict: a pure function of the counters. The model behind it: a run cannot be shorter than what any
// one stage is busy divided by the bodies of it that can be at once, nor than all that is busy divided by the threads,
// nor than the laps of a feedback, which no queue can hide: their stages wait for one another. A stage that is made
// faster shortens the run by its share of what bounds it, until the next of these bounds is met. Twice as many threads
// work on twice as many bodies of what may be at once: all maps but serial ones, the shards of a message too, which are
// then cut into as many more. Thread-safety: pure
// functions. Errors: none; without a run or with no time in bodies the verdict says so.
//
//   verdict(graph.stats()).text
//
// says, in one line:
//
//   bottleneck: parse, serial and 97 % busy while the stages behind it starve 80 % of the time;
//   twice as fast would make the run 1.9 times faster
#pragma once

#include <string>

#include <sluice/pipeline/stats.hpp>

namespace sluice {

struct Verdict {
  enum class Kind {
    nothing,     // no run, or no time in bodies
    stage,       // one stage works all the time and the others wait for it
    threads,     // every thread is busy: work is what there is too much of
    loop,        // the stages of a feedback wait for one another
    outside,     // a source waits for what comes from outside, and everybody for the source
    scheduling,  // neither bodies nor threads are busy: the messages are too small, or the processors were elsewhere
  };
  Kind kind = Kind::nothing;
  std::string stage;  // the one that is named; empty for nothing
  double share = 0;   // of the run (of a lap) that the stage takes, 0 to 1
  double gain = 1;    // predicted: times that the run is faster if this stage's bodies take half the time
  // Predicted: the same at most, on twice as many threads that have a processor each, with messages cut into twice as
  // many shards; what handing out more of them costs, and whether they can be cut finer, is not in it.
  double threads_gain = 1;
  std::string text;  // begins with "bottleneck: STAGE"; one line
};

Verdict verdict(const GraphStats& stats);

// One line for each stage: concurrency, items, items a second, shares of the time busy, starved, blocked and waiting
// for a thread, high-water mark and capacity, p50 and p99 of a body. Then, where there are some: sources that wait for
// the outside, errors and what was left over; and of each sink the latency of its messages. ASCII; lines end with \n.
std::string profile_table(const GraphStats& stats);

}  // namespace sluice
