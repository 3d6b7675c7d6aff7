// The way into a running graph from outside: a stream whose messages any thread puts in.
//
//   sluice::Inlet<Request> requests = g.inlet<Request>("requests", capacity(100));
//   auto answers = g.map("look up", LookUp{...}, requests, unlimited);
//   g.sink("send", Send{...}, answers);
//   std::thread server([&] {
//     while (std::optional<Request> request = accept())
//       if (requests.put(std::move(*request)) != sluice::Put::accepted) return;   // the graph has ended
//     requests.close();
//   });
//   g.run();   // until the inlet is closed and the last answer sent
//
// T -> the stream's messages, in the order in which put() accepted them; no more of them are in the inlet and its
// segment than its capacity. What is put before run() is for that run. A put is not lost: the graph handles it, or,
// where it is refused, the value is still the caller's.
//
// put() waits for room; try_put() does not; put_for() waits for so long at most. From a body of its own graph no put
// waits, which would wait for itself: it says `full`. close() is the end of the stream; stop() closes it when a run is
// on, or begins: what was accepted goes on to its end. It stays closed behind a run, also one that failed or was
// cancelled before it began (whoever puts then must learn that nobody listens), until open(), without which the next
// run() throws std::logic_error.
//
// Thread-safety: everything, from any thread; the graph must outlive it. Errors: those of T's move, and std::bad_alloc,
// after which the message was not accepted.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <sluice/pipeline/detail/fed.hpp>
#include <sluice/pipeline/put.hpp>
#include <sluice/pipeline/stream.hpp>

namespace sluice {

template <class T>
class Inlet : public Stream<T> {
 public:
  Put put(T&& value) { return body_->put(value, {}); }
  Put put(const T& value) {
    T copy(value);
    return body_->put(copy, {});
  }
  Put try_put(T&& value) { return body_->put(value, detail::Feed::at_once); }
  Put try_put(const T& value) {
    T copy(value);
    return body_->put(copy, detail::Feed::at_once);
  }
  template <class Rep, class Period>
  Put put_for(T&& value, std::chrono::duration<Rep, Period> patience) {
    return body_->put(value, until(patience));
  }
  template <class Rep, class Period>
  Put put_for(const T& value, std::chrono::duration<Rep, Period> patience) {
    T copy(value);
    return body_->put(copy, until(patience));
  }
  void close() { body_->close(); }
  bool closed() const { return body_->closed(); }
  void open() { body_->open(); }

 private:
  template <class Duration>
  static detail::Feed::Until until(Duration patience) {
    using Clock = detail::Feed::Clock;
    const auto now = Clock::now();
    // What is beyond the clock's last day is for ever.
    if (std::chrono::duration<double>(patience) >= std::chrono::duration<double>(Clock::time_point::max() - now) * 0.99)
      return std::nullopt;
    return now + std::chrono::ceil<Clock::duration>(patience);
  }
  Inlet(detail::Stage* stage, detail::InletBody<T>* body) : Stream<T>(stage, body), body_(body) {}
  friend class Graph;
  detail::InletBody<T>* body_;
};

}  // namespace sluice
