#include "apps/input.hpp"

#include <exception>

#include "stages/errors.hpp"
#include "stages/join.hpp"

namespace sluice::apps {

void rethrow_unequal(const StageError& error, const std::string& images, const std::string& labels) {
  try {
    std::rethrow_exception(error.cause());
  } catch (const UnequalStreams&) {
    throw stages::DataError(stages::not_as_many(images, labels));
  } catch (...) {
  }
}

}  // namespace sluice::apps
