#include "apps/terminal/standard_output.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include <sluice/stages/errors.hpp>

namespace sluice::apps {

bool write_to_stdout(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data() + at, text.size() - at);
    if (n >= 0) {
      at += static_cast<std::size_t>(n);
    } else if (errno == EPIPE) {
      return false;
    } else if (errno == EAGAIN) {
      pollfd output{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&output, 1, -1);
    } else if (errno != EINTR) {
      throw stages::WriteError(fmt::format("cannot write to the standard output: {}", std::strerror(errno)));
    }
  }
  return true;
}

// An epoll descriptor is readable when something has come to what it watches: here only the end of the reader, which
// is always told, because nothing else was asked for.
UnreadOutput::UnreadOutput() : wake_(::epoll_create1(EPOLL_CLOEXEC)) {
  epoll_event event{};
  // A file has no reader: it is refused here, and nothing ever comes.
  if (wake_ >= 0) ::epoll_ctl(wake_, EPOLL_CTL_ADD, STDOUT_FILENO, &event);
}

UnreadOutput::~UnreadOutput() {
  if (wake_ >= 0) ::close(wake_);
}

bool write_json_to_stdout(const nlohmann::ordered_json& json) {
  return write_to_stdout(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace sluice::apps
