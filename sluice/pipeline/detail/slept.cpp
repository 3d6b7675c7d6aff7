#include <sluice/pipeline/detail/slept.hpp>

#include <sys/resource.h>

#include <sluice/pipeline/detail/clock.hpp>

namespace sluice::detail {
namespace {

struct Usage {
  double busy = 0;   // seconds of processor time
  long waits = 0;    // times that the thread gave its processor up
  long put_off = 0;  // times that it was taken away
};

thread_local Usage noted;

Usage usage() {
  rusage of_thread{};
  if (getrusage(RUSAGE_THREAD, &of_thread) != 0) return {};
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return {seconds(of_thread.ru_utime) + seconds(of_thread.ru_stime), of_thread.ru_nvcsw, of_thread.ru_nivcsw};
}

}  // namespace

void SleptSoFar::note() {
  noted = usage();
}

std::uint64_t SleptSoFar::since(std::uint64_t began, std::uint64_t now) {
  const Usage before = noted;
  note();
  const long waits = noted.waits - before.waits;
  if (waits <= 0 || noted.put_off - before.put_off > waits) return 0;
  const double elapsed = static_cast<double>(now - began), busy = (noted.busy - before.busy) / seconds_per_tick();
  // What is less may have gone by while another thread had its processor.
  return elapsed - busy > elapsed / 2 ? static_cast<std::uint64_t>(elapsed - busy) : 0;
}

}  // namespace sluice::detail
