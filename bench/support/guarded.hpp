// The main() of a benchmark: an error is a line on stderr and exit code 1.
//
//   int main(int argc, char** argv) {
//     return sluice::bench::guarded("load_bench", sluice::bench::run, argc, argv);
//   }
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <exception>

namespace sluice::bench {

inline int guarded(const char* name, int (*run)(int, char**), int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return 1;
  }
}

}  // namespace sluice::bench
