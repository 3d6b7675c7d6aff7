// Says what a test is at, for the watchdog in the main() of the test programs: printed if it hangs there. The patience
// begins anew, so that a test of many parts may take as long as it likes.
//
//   const UnderWay under_way([&] { return "seed " + std::to_string(seed) + "\n" + graph.table(); });
//
// `what` is called from the watchdog's thread, in the middle of what hangs.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace sluice::test {

// How long it waits: a minute, or SLUICE_TEST_PATIENCE seconds (sanitizers are slow).
std::chrono::seconds patience();

class UnderWay {
 public:
  explicit UnderWay(std::function<std::string()> what);
  ~UnderWay();
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  std::function<std::string()> before_;  // what is said again behind it
};

}  // namespace sluice::test
