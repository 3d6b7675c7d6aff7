#include <sluice/pipeline/threads.hpp>

#include <stdexcept>
#include <string>

#include <sluice/pipeline/detail/arena.hpp>
#include <sluice/pipeline/detail/cpus.hpp>

namespace sluice {

std::size_t default_threads() {
  return detail::usable_cpus(detail::cpus_of_affinity(), detail::cpus_of_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
}

Threads::Threads(std::size_t count) {
  constexpr std::size_t most = 4096;
  if (count == 0 || count > most)
    throw std::invalid_argument("the number of threads is " + std::to_string(count) + ", expected 1 to " +
                                std::to_string(most));
  arena_ = std::make_shared<Arena>(count);
}

std::size_t Threads::count() const {
  return arena_->count;
}

}  // namespace sluice
