#include <sluice/stages/kernels/kernels.hpp>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>

#include <sluice/stages/kernels/levels.hpp>

namespace sluice::kernels {
namespace {

struct Levels {
  std::array<const Table*, 4> tables{};
  std::size_t count = 0;

  Levels() {
#ifdef SLUICE_KERNELS_X86
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    if (v4) tables[count++] = &level_v4();
    if (v3) tables[count++] = &level_v3();
    tables[count++] = &level_v1();
#endif
#ifdef SLUICE_KERNELS_ARM64
    tables[count++] = &level_neon();
#endif
    tables[count++] = &level_portable();
  }
};

const Levels& levels() {
  static const Levels found;
  return found;
}

std::atomic<const Table*>& current() {
  static std::atomic<const Table*> table{levels().tables[0]};
  return table;
}

}  // namespace

std::span<const Table* const> available() {
  return {levels().tables.data(), levels().count};
}

// Relaxed, here and below: the tables are constants.
const Table& active() {
  return *current().load(std::memory_order_relaxed);
}

void force(std::string_view isa) {
  std::string names;
  for (const Table* table : available()) {
    if (isa == table->name) return current().store(table, std::memory_order_relaxed);
    names.append(names.empty() ? "" : ", ").append(table->name);
  }
  throw std::invalid_argument("instruction set '" + std::string(isa) + "': not available here, choose one of " + names);
}

}  // namespace sluice::kernels
