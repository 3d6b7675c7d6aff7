#include <sluice/pipeline/errors.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <utility>

namespace sluice {

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

namespace {
std::string address(const std::string& stage, std::optional<std::uint64_t> sequence) {
  return sequence ? fmt::format("stage '{}', message {}", stage, *sequence) : fmt::format("stage '{}'", stage);
}
}  // namespace

WiringError::WiringError(const std::string& graph, std::vector<std::string> mistakes)
    : Error(fmt::format("graph '{}' cannot run:\n  {}", graph, fmt::join(mistakes, "\n  "))),
      mistakes_(std::move(mistakes)) {}

StageError::StageError(std::string stage, std::optional<std::uint64_t> sequence, std::exception_ptr cause)
    : Error(address(stage, sequence) + ": " + message_of(cause)),
      stage_(std::move(stage)),
      sequence_(sequence),
      cause_(std::move(cause)) {}

Cancelled::Cancelled(const std::string& graph) : Error(fmt::format("graph '{}' was cancelled", graph)) {}

}  // namespace sluice
