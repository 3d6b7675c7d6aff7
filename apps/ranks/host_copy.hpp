// The data of a job in memory, once for all processes of a host: one of them loads, all see its copy.
//
// offer(): JobData, held in memory -> what another process on this host needs to take it; take(): that text -> the same
// data, whose pixels and labels are the pages of the one who offered (apps/ranks/host_memory.hpp).
// Order and thread-safety: one thread; the data live as long as the HostCopy. Errors: stages::DataError where the other
// process cannot be reached (it has ended, or is in another container); std::system_error, where there is no memory.
//
//   HostCopy copy;
//   const std::string text = leader ? copy.offer(loaded) : "";   // the text travels to the others
//   const JobData& data = copy.take(text);                       // also where it was offered: then what was loaded may
//   go
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <sluice/stages/dataset.hpp>
#include "apps/job/job_data.hpp"
#include "apps/ranks/host_memory.hpp"

namespace sluice::apps {

class HostCopy {
 public:
  HostCopy() = default;
  HostCopy(const HostCopy&) = delete;
  HostCopy& operator=(const HostCopy&) = delete;

  std::string offer(const JobData& data);
  const JobData& take(const std::string& offer);

 private:
  HostMemory memory_;                    // what is offered
  HostMemory seen_;                      // what is taken
  std::array<stages::DataSet, 3> sets_;  // to train, test and validate on
  JobData data_;
};

// Bytes of memory that are free on this host; nothing known: 0.
std::size_t free_memory();

}  // namespace sluice::apps
