// The other processes of a job, as a stage sees them: bytes to each of them, bytes from each of them.
//
// A job of several processes runs the same graph in each, over its own rows; process r of n is its rank r. What has to
// meet goes through swap(), which all ranks call in the same order. How the bytes travel is the engine's (apps/ranks).
// What the ranks of one host have for each other need not travel: with share() they see each other's memory, and a swap
// says that it has been written. Whoever writes there again has to know that nobody reads it any more.
// Order and thread-safety: one call at a time, from any thread. Errors: the engine's; a rank whose peers do not answer
// in time does not return.
//
//   peers.swap(to, from, "of step 12");   // to[r]: for rank r; from[r]: of rank r; this rank's own are not looked at
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sluice::stages {

struct Outgoing {
  const void* data = nullptr;
  std::size_t bytes = 0;  // 0: nothing is sent
};

struct Incoming {
  void* data = nullptr;
  std::size_t bytes = 0;  // exactly as many as the other one sends; 0: nothing is
};

// Memory of some ranks that others see. Without any: none does.
struct SharedMemory {
  std::byte* own = nullptr;              // this rank's, to write; nullptr: no other one sees it
  std::vector<const std::byte*> of{};    // (ranks) rank r's; nullptr: this rank does not see it, or it is its own
  std::vector<unsigned char> seen_by{};  // (ranks) 1: rank r sees this rank's
  bool of_all = false;                   // every rank sees every other's; the same on all
};

class Peers {
 public:
  virtual ~Peers() = default;
  virtual std::size_t rank() const = 0;   // 0 .. ranks() - 1
  virtual std::size_t ranks() const = 0;  // >= 1
  // (ranks()) each. `what` is named where one of them does not come. Returns when all has been sent and received.
  virtual void swap(std::span<const Outgoing> to, std::span<const Incoming> from, const char* what) = 0;
  // So many bytes of each rank, on a page's boundary, where ranks of a host can see them; all ranks call it in the same
  // order, too. What an earlier call gave stays as long as this.
  virtual SharedMemory share(std::size_t /*bytes*/, const char* /*what*/) {
    return {.of = std::vector<const std::byte*>(ranks()), .seen_by = std::vector<unsigned char>(ranks())};
  }
};

}  // namespace sluice::stages
