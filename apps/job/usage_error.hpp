// Wrong use of the program, in words that name the flag and the way out: exit code 2.
#pragma once

#include <stdexcept>

namespace sluice::apps {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sluice::apps
