#include <sluice/pipeline/descriptor.hpp>

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <system_error>

namespace sluice {
namespace {

[[noreturn]] void fail(const char* what, int descriptor) {
  throw std::system_error(errno, std::generic_category(), fmt::format("{} descriptor {}", what, descriptor));
}

}  // namespace

namespace detail {

struct Readable::Event {
  Event() : descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Event() { close(descriptor); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  const int descriptor;
};

Readable::Readable() : event_(std::make_shared<Event>()) {}

bool Readable::wait(int descriptor, const std::stop_token& token) {
  const int event = event_->descriptor;
  std::uint64_t count = 1;
  const std::stop_callback wake(token, [&] {
    const std::uint64_t one = 1;
    if (write(event, &one, sizeof one) < 0) return;  // it is awake already
  });
  for (;;) {
    if (token.stop_requested()) {
      if (read(event, &count, sizeof count) < 0) return false;  // the next run may wait again
      return false;
    }
    pollfd wanted[] = {{descriptor, POLLIN, 0}, {event, POLLIN, 0}};
    if (poll(wanted, 2, -1) < 0 && errno != EINTR) fail("waiting for", descriptor);
    if (wanted[0].revents != 0 && !token.stop_requested()) return true;
  }
}

bool read_some(int descriptor, std::size_t most, std::string& to, Readable& readable, const std::stop_token& token) {
  if (readable.broken_) return false;
  const std::size_t before = to.size();
  readable.broken_ = true;  // unless it goes well
  while (readable.wait(descriptor, token)) {
    to.resize(before + most);
    const ssize_t n = read(descriptor, to.data() + before, most);
    to.resize(before + (n > 0 ? static_cast<std::size_t>(n) : 0));
    if (n >= 0) return readable.broken_ = false, n > 0;
    if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) fail("reading", descriptor);
  }
  readable.broken_ = false;
  return false;
}

}  // namespace detail

bool Lines::operator()(std::string& line, const std::stop_token& token) {
  for (;;) {
    const std::size_t end = buffer_.find('\n', seen_);
    const bool whole = end != std::string::npos;
    const std::size_t length = (whole ? end : buffer_.size()) - at_;
    if (skips_) {
      at_ = seen_ = whole ? end + 1 : buffer_.size();
      skips_ = !whole;
      if (whole) continue;
    } else if (length > longest_) {
      skips_ = true;
      throw std::length_error(fmt::format("a line of more than {} bytes", longest_));
    } else if (whole) {
      line.assign(buffer_, at_, length);
      at_ = seen_ = end + 1;
      return true;
    }
    buffer_.erase(0, at_);
    at_ = 0;
    seen_ = buffer_.size();
    if (detail::read_some(descriptor_, block, buffer_, readable_, token)) continue;
    if (token.stop_requested() || buffer_.empty()) return false;
    line.swap(buffer_);  // the last one
    buffer_.clear();
    seen_ = 0;
    return true;
  }
}

}  // namespace sluice
