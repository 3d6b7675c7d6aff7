// One file of a data set, from whichever mirror has it, under its name only when its digest is the one that was stated.
//
// path, mirrors -> the file. A part that an earlier run left is gone on with. Mirrors are asked in their order, and
// again as long as that brings more; each that fails is told with its reason. A part that does not lead to the digest
// is begun anew, and a mirror whose own file has another digest is asked no more. Order and thread-safety: one thread.
// Errors: FetchInterrupted; stages::DataError where every mirror has something else than the file; FetchError where it
// could not be had; stages::WriteError of the part. What has come stays, unless its digest is wrong.
//
//   const Fetched fetched = fetch_file(transfers, {.path = path, ...}, mirrors, observer);
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/fetch/transfers.hpp"

namespace sluice::apps {

struct WantedFile {
  std::string path;
  std::string name;         // at the mirrors
  std::uint64_t bytes = 0;  // 0: not known
  std::uint64_t most = 0;
  std::string sha256;
  std::string stated_by;  // of the digest, for messages
};

struct Fetched {
  std::uint64_t bytes = 0, resumed_at = 0;  // of the last attempt
  std::string url;                          // without user, password, query; empty: all of it was there
  double seconds = 0;
};

struct FetchObserver {
  int wake = -1;                                                // readable: end
  std::function<void(std::uint64_t bytes)> progress;            // that have come, of the whole file
  std::function<void(const std::string& trouble)> tries_again;  // why, and where
};

class FetchError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct FetchInterrupted {
  std::string part;
  std::uint64_t bytes = 0;
};

Fetched fetch_file(Transfers& transfers, const WantedFile& wanted, const std::vector<std::string>& mirrors,
                   const FetchObserver& observer);

}  // namespace sluice::apps
