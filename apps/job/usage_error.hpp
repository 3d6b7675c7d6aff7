// Wrong use of the program, in words that name the flag and the way out: exit code 2.
#pragma once

#include <stdexcept>

namespace sluice::apps {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A flag that is given where it has no effect.
struct NoEffect : UsageError {
  NoEffect(std::string its, const std::string& text) : UsageError(text), flag(std::move(its)) {}
  std::string flag;
};

}  // namespace sluice::apps
