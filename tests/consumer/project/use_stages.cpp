// The smallest use of the installed stages: logits that are all equal make equal probabilities.
#include <cmath>
#include <cstdio>

#include <sluice/stages/softmax.hpp>
#include "stages/errors.hpp"

int main() {
  const sluice::stages::Matrix logits = sluice::stages::Matrix::Zero(2, 10);     // (rows x classes)
  const sluice::stages::Matrix probabilities = sluice::stages::softmax(logits);  // (rows x classes)

  std::printf("%.3f\n", static_cast<double>(probabilities(1, 9)));
  using consumer::stages::Error;
  return exit_code(std::abs(probabilities(1, 9) - 0.1f) < 1e-6f ? Error::none : Error::wrong_result);
}
