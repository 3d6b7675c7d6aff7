#include "bench/stages/peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace sluice::bench {

std::size_t peak_run_v3(std::size_t turns, float* sink);
std::size_t peak_run_v4(std::size_t turns, float* sink);

double peak_multiply_adds(std::string_view isa) {
  std::size_t (*run)(std::size_t, float*) = nullptr;
#ifdef SLUICE_PEAK_X86
  if (isa == "x86-64-v3") run = peak_run_v3;
  if (isa == "x86-64-v4") run = peak_run_v4;
#endif
  if (!run) return 0;
  double best = 0;
  float sink = 0;
  for (int k = 0; k < 20; ++k) {
    const auto begin = std::chrono::steady_clock::now();
    const auto done = static_cast<double>(run(200'000, &sink));
    best = std::max(best, done / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return sink < 0 ? 0 : best;
}

}  // namespace sluice::bench
