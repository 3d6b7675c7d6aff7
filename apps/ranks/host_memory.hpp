// Memory that one process makes and others of its host see.
//
// offer(): a JSON object, which travels to them; see(): the same pages, to read. It is nobody's file: it has no name,
// only processes of the same user can open it, and it is gone with the last of them, however they end. Order and
// thread-safety: none of its own. Errors: std::system_error where there is no memory or it cannot be mapped;
// HostMemory::OutOfReach where the process that made it cannot be seen (it has ended, is in another container, or is
// elsewhere).
//
//   HostMemory memory = HostMemory::make("sluice sums");
//   std::byte* mine = memory.write(1 << 20);   const auto offer = memory.offer();   // here
//   const auto seen = HostMemory::see(offer);  const std::byte* its = seen.pages();     // there, as long as `seen`
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <utility>

namespace sluice::apps {

class HostMemory {
 public:
  struct OutOfReach : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  HostMemory() = default;
  HostMemory(HostMemory&& other) noexcept { *this = std::move(other); }
  HostMemory& operator=(HostMemory&& other) noexcept;
  ~HostMemory();

  static HostMemory make(const char* name);  // of no bytes
  static HostMemory see(const nlohmann::ordered_json& offer);

  int file() const { return file_; }                 // of what was made: to be filled otherwise
  void resize(std::size_t bytes);                    // of what was made
  std::byte* write(std::size_t bytes);               // resized and mapped; once
  nlohmann::ordered_json offer() const;              // of what was made
  const std::byte* pages() const { return pages_; }  // nullptr: of no bytes, or not mapped
  std::size_t bytes() const { return bytes_; }

 private:
  int file_ = -1;
  std::byte* pages_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace sluice::apps
