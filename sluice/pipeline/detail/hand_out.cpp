#include <sluice/pipeline/detail/hand_out.hpp>

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <bit>
#include <exception>

#include <sluice/pipeline/detail/node.hpp>

namespace sluice::detail {

HandOut::HandOut(tbb::flow::graph& graph, Node& from, const Segment& segment, std::size_t most, std::size_t threads)
    : graph_(graph), from_(from), segment_(segment), threads_(threads) {
  for (std::size_t i = 0; i < std::bit_ceil(most); ++i) tasks_.emplace_back(*this);
}

Ticket HandOut::Range::ticket(std::uint32_t place) const {
  Number k = whole.first + place * length;
  if (k >= kept) k += length;
  Ticket ticket = whole;
  ticket.first = k;
  ticket.count = static_cast<std::uint32_t>(std::min(length, whole.first + whole.count - k));
  ticket.set_last(whole.last() && k + ticket.count == whole.first + whole.count);
  return ticket;
}

void HandOut::operator()(const Ticket& whole, Number length, Number kept) {
  const auto others = static_cast<std::uint32_t>((whole.count + length - 1) / length - 1);
  if (others == 0) return;
  // The first half for this thread to send on, and so on: it keeps none of them.
  Range range{whole, length, kept, 0, others};
  while (range.first < range.last) {
    Range half = range;
    half.first = range.first + (range.last - range.first) / 2;
    range.last = half.first;
    send(half);
  }
}

void HandOut::send(const Range& range) {
  const Number k = range.ticket(range.first).first;
  Task& task = tasks_[k & (tasks_.size() - 1)];
  task.range = range;
  const int me = tbb::this_task_arena::current_thread_index();
  int worker = segment_.worker_of(k);
  if (worker < 0) worker = static_cast<int>((static_cast<std::size_t>(std::max(0, me)) + 1 + range.first) % threads_);
  graph_.reserve_wait();
  try {
    if (worker == me)
      tbb::detail::d1::spawn(task, context_);
    else
      tbb::detail::d1::spawn(task, context_, static_cast<tbb::detail::d1::slot_id>(worker));
  } catch (...) {
    graph_.release_wait();
    throw;
  }
}

void HandOut::work(Range range) noexcept {
  try {
    while (range.last - range.first > 1) {
      Range half = range;
      half.first = range.first + (range.last - range.first) / 2;
      range.last = half.first;
      send(half);
    }
    from_.hand(range.ticket(range.first));
  } catch (...) {
    from_.fail(std::current_exception());
  }
  graph_.release_wait();
}

}  // namespace sluice::detail
