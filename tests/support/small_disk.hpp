// A disk that is soon full: while it lives no file of this process may grow beyond `size` bytes. A write is cut short
// there, and the next one fails.
#pragma once

#include <sys/resource.h>

#include <csignal>

namespace sluice::test {

class SmallDisk {
 public:
  explicit SmallDisk(rlim_t size) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{size, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  void (*signal_)(int);
  rlimit before_{};
};

}  // namespace sluice::test
