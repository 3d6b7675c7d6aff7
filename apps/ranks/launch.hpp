// Whether a launcher started this process as one of several: what its variables say, without any library.
//
// Environment -> launcher, rank, ranks, and how many of them are on this host. Known: Open MPI's mpirun, hydra (MPICH,
// Intel MPI, MVAPICH), Slurm's srun. SLURM_PROCID alone says nothing: a batch script has it, too.
// Order and thread-safety: pure functions. Errors: none; what makes no sense is no launch.
//
//   const Launch launch = find_launch(variable);
//   if (launch.ranks > 1) ...
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace sluice::apps {

struct Launch {
  enum class By { nobody, openmpi, hydra, slurm } by = By::nobody;
  std::size_t rank = 0, ranks = 1;
  std::size_t local_rank = 0, local_ranks = 1;  // on this host, as far as is known
  // Of srun: by what the processes find one another; without it they are copies that know nothing of each other.
  enum class Wireup { launcher, pmix, pmi2, none } wireup = Wireup::launcher;

  bool several() const { return ranks > 1; }
  std::string command() const;  // what started it, as people call it: mpirun, srun
};

Launch find_launch(const std::function<std::string(const std::string&)>& variable);

// What a rank may use of its host.
struct Processors {
  std::size_t mine = 1;  // that this process may run on
  std::size_t host = 1;  // that are online
};
Processors processors();

// Threads that a rank takes by itself: its share of what it may use, unless the launcher has shared that out already.
std::size_t threads_of_rank(const Launch& launch, const Processors& processors);

// A launcher binds each rank to one core (Open MPI: with one rank or two, by itself), while others are idle: what to
// say of it; empty: nothing is wrong.
std::string binding_in_words(const Launch& launch, const Processors& processors);
// More threads than processors on this host; empty: no.
std::string oversubscription_in_words(const Launch& launch, const Processors& processors, std::size_t threads);

}  // namespace sluice::apps
