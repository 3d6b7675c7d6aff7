#include <sluice/pipeline/detail/slept.hpp>

#include <sys/resource.h>

#include <algorithm>

#include <sluice/pipeline/detail/clock.hpp>

namespace sluice::detail {
namespace {

struct Usage {
  double busy = 0;  // seconds of processor time
  long waits = 0;   // times that the thread gave its processor up
};

thread_local Usage noted;

Usage usage() {
  rusage of_thread{};
  if (getrusage(RUSAGE_THREAD, &of_thread) != 0) return {};
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return {seconds(of_thread.ru_utime) + seconds(of_thread.ru_stime), of_thread.ru_nvcsw};
}

}  // namespace

void SleptSoFar::note() {
  noted = usage();
}

std::uint64_t SleptSoFar::since(std::uint64_t began, std::uint64_t now) {
  const Usage before = noted;
  note();
  if (noted.waits <= before.waits) return 0;
  const double elapsed = static_cast<double>(now - began), busy = (noted.busy - before.busy) / seconds_per_tick();
  return static_cast<std::uint64_t>(std::max(0.0, elapsed - busy));
}

}  // namespace sluice::detail
