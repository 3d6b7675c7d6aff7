// Sources over a file descriptor: lines, or blocks of bytes, of a pipe, a socket, a terminal or a file.
//
//   auto lines = g.source("lines", sluice::Lines(STDIN_FILENO), capacity(100));    // Stream<std::string>
//   auto blocks = g.source("blocks", sluice::Blocks(socket));                      // Stream<std::string>
//
// Lines: bytes -> a message for each line, in order, without its '\n'; of the last one a '\n' may be missing. Nothing
// else is taken off ('\r' stays, as may any byte but '\n'). A line longer than `longest` is an error,
// std::length_error; where it is skipped (on_error), the line behind it is the next. Blocks: bytes -> what one read
// gives, 1 to `most` bytes.
//
// Both sleep in poll() while there is nothing, on the thread that a source that may wait has of its own, and hand on
// what there is at once. stop() wakes them: lines that have arrived whole are handed on then, an unfinished one is not.
// At the end of the input they end. A second run goes on where the first one ended. The descriptor may be non-blocking;
// it is used, not closed, and nobody else must read from it meanwhile.
//
// Errors: std::system_error (read, poll), behind which the source has ended, also where that is skipped;
// std::length_error. Thread-safety: none of its own; a graph asks one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

namespace sluice {

namespace detail {

// Waits until a descriptor has something to read, or until it is told to stop.
class Readable {
 public:
  Readable();
  // False: a stop is requested. True: a read will not wait; it may be at the end.
  bool wait(int descriptor, const std::stop_token& token);

 private:
  struct Event;
  friend bool read_some(int, std::size_t, std::string&, Readable&, const std::stop_token&);
  std::shared_ptr<Event> event_;  // written to, to wake it
  bool broken_ = false;           // a read has failed
};

// Reads up to `most` bytes, as soon as there are some, and puts them behind `to`. False: none, as the input has ended
// or a stop is requested.
bool read_some(int descriptor, std::size_t most, std::string& to, Readable& readable, const std::stop_token& token);

}  // namespace detail

class Lines {
 public:
  using Output = std::string;
  static constexpr std::size_t default_longest = std::size_t{1} << 20;

  explicit Lines(int descriptor, std::size_t longest = default_longest) : descriptor_(descriptor), longest_(longest) {}
  bool operator()(std::string& line, const std::stop_token& token);
  std::size_t payload_bytes() const { return longest_; }
  std::size_t state_bytes() const { return longest_ + block; }

 private:
  static constexpr std::size_t block = 64 * 1024;

  int descriptor_;
  std::size_t longest_;
  std::string buffer_;             // what was read
  std::size_t at_ = 0, seen_ = 0;  // where the next line begins; and before where it has no end
  bool skips_ = false;             // the rest of a line that is too long
  detail::Readable readable_;
};

class Blocks {
 public:
  using Output = std::string;

  explicit Blocks(int descriptor, std::size_t most = 64 * 1024) : descriptor_(descriptor), most_(most) {}
  bool operator()(std::string& out, const std::stop_token& token) {
    out.clear();
    return detail::read_some(descriptor_, most_, out, readable_, token);
  }
  std::size_t payload_bytes() const { return most_; }

 private:
  int descriptor_;
  std::size_t most_;
  detail::Readable readable_;
};

}  // namespace sluice
