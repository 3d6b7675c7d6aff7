// What a graph throws.
//
//   Error            the root of them, a std::runtime_error
//   WiringError      the graph cannot run: every mistake found, a line each, before anything ran
//   StageError       a body threw: the stage, the sequence number of its message, and the cause, looked at by
//                    cause_as<E>(). The number is that of the message being made; of an expand, a filter or a sink that
//                    of the message taken; of a split shard number k x shards + part, of a fold the group's
//   UnequalStreams   the cause of a StageError: a zip or a sink was given streams of unequal length
//   Stalled          the run ended with messages parked: names the stages and edges that wait
//   Cancelled        cancel() was called
//
//   } catch (const StageError& error) {
//     if (const auto* full = error.cause_as<DiskFull>()) return clean_up(full->path());
//     throw;
//   }
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace sluice {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class WiringError : public Error {
 public:
  WiringError(const std::string& graph, std::vector<std::string> mistakes);
  const std::vector<std::string>& mistakes() const { return mistakes_; }

 private:
  std::vector<std::string> mistakes_;
};

class StageError : public Error {
 public:
  // sequence: of the message that the stage was working on; none when it was being reset or finished.
  StageError(std::string stage, std::optional<std::uint64_t> sequence, std::exception_ptr cause);
  const std::string& stage() const { return stage_; }
  std::optional<std::uint64_t> sequence() const { return sequence_; }
  std::exception_ptr cause() const { return cause_; }
  // The cause where it is an E, otherwise nullptr. It lives as long as this error or a copy of it.
  template <class E>
  const E* cause_as() const {
    static_assert(!std::is_pointer_v<E>,
                  "sluice: a pointer that was thrown may be converted when it is caught: use cause()");
    try {
      std::rethrow_exception(cause_);
    } catch (const E& cause) {
      return std::addressof(cause);
    } catch (...) {
      return nullptr;
    }
  }

 private:
  std::string stage_;
  std::optional<std::uint64_t> sequence_;
  std::exception_ptr cause_;
};

class UnequalStreams : public Error {
 public:
  using Error::Error;
};

class Stalled : public Error {
 public:
  using Error::Error;
};

class Cancelled : public Error {
 public:
  explicit Cancelled(const std::string& graph);
};

// The text of an exception, also of one that is no std::exception.
std::string message_of(const std::exception_ptr& error);

}  // namespace sluice
