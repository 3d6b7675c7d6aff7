// The variables of the environment: a default for all commands, one for each flag with a value.
//
// Pure functions. Errors: none.
#pragma once

#include <functional>
#include <string>

namespace sluice::apps {

// The value of a variable; empty: it is not set.
using Environment = std::function<std::string(const std::string& name)>;

// --batch-size -> SLUICE_BATCH_SIZE
std::string environment_name(const std::string& flag);

}  // namespace sluice::apps
