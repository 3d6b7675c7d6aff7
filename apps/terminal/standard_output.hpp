// The standard output, past stdio: a text is written at once.
//
// Order and thread-safety: free functions; one thread at a time. Errors: stages::WriteError: the disk is full, or what
// is written to cannot be. A reader that has stopped is none.
//
//   if (!write_to_stdout(lines)) return;   // nobody reads them any more
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace sluice::apps {

// false: whoever reads the output has stopped, which is up to him.
bool write_to_stdout(const std::string& text);
bool write_json_to_stdout(const nlohmann::ordered_json& json);  // indented

// Tells who waits for something else that nobody reads the standard output any more.
class UnreadOutput {
 public:
  UnreadOutput();
  ~UnreadOutput();
  UnreadOutput(const UnreadOutput&) = delete;
  UnreadOutput& operator=(const UnreadOutput&) = delete;

  int wake() const { return wake_; }  // a descriptor that becomes readable then: for poll()

 private:
  int wake_;
};

}  // namespace sluice::apps
