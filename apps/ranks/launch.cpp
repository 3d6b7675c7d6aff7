#include "apps/ranks/launch.hpp"

#include <fmt/core.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

namespace sluice::apps {
namespace {

std::optional<std::size_t> whole(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string Launch::command() const {
  return by == By::slurm ? "srun" : "mpirun";
}

Launch find_launch(const std::function<std::string(const std::string&)>& variable) {
  const auto number = [&](const char* name) { return whole(variable(name)); };
  const auto of = [&](Launch::By by, const char* rank, const char* ranks, const char* local_rank,
                      const char* local) -> std::optional<Launch> {
    const auto r = number(rank), n = number(ranks);
    if (!r || !n || *n == 0 || *r >= *n) return std::nullopt;
    return Launch{.by = by,
                  .rank = *r,
                  .ranks = *n,
                  .local_rank = number(local_rank).value_or(*r),
                  .local_ranks = std::clamp<std::size_t>(number(local).value_or(1), 1, *n)};
  };
  // Under srun the daemons of the others are started, which say what they are to their own.
  if (auto launch = of(Launch::By::openmpi, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                       "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"))
    return *launch;
  const bool of_step = !variable("SLURM_STEP_ID").empty() && !variable("SLURM_STEP_NUM_TASKS").empty();
  if (!of_step || !variable("MPI_LOCALNRANKS").empty())
    if (auto launch = of(Launch::By::hydra, "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"))
      return *launch;
  if (of_step)
    if (auto launch = of(Launch::By::slurm, "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID",
                         "SLURM_STEP_TASKS_PER_NODE")) {
      // "2(x3),1": of this node it is the number that SLURM_NODEID counts to; the first is as good where they differ.
      const std::string each = variable("SLURM_STEP_TASKS_PER_NODE");
      launch->local_ranks =
          std::clamp<std::size_t>(whole(each.substr(0, each.find_first_of("(,"))).value_or(1), 1, launch->ranks);
      launch->wireup = !variable("PMIX_RANK").empty()                                 ? Launch::Wireup::pmix
                       : !variable("PMI_FD").empty() || !variable("PMI_RANK").empty() ? Launch::Wireup::pmi2
                                                                                      : Launch::Wireup::none;
      return *launch;
    }
  return {};
}

Processors processors() {
  Processors found;
  found.host = static_cast<std::size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  cpu_set_t set;
  CPU_ZERO(&set);
  found.mine = ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)))
                                                             : found.host;
  return found;
}

std::size_t threads_of_rank(const Launch& launch, const Processors& p) {
  // All that there are: nobody has shared them out.
  if (p.mine >= p.host || p.mine * launch.local_ranks > p.host)
    return std::max<std::size_t>(1, p.mine / launch.local_ranks);
  return p.mine;
}

std::string binding_in_words(const Launch& launch, const Processors& p) {
  if (launch.by == Launch::By::nobody || p.mine * launch.local_ranks >= p.host) return "";
  const std::size_t each = p.host / launch.local_ranks;
  const std::string here = launch.local_ranks == 1
                               ? "this process"
                               : fmt::format("each of the {} processes on this host", launch.local_ranks);
  const std::string way = launch.by == Launch::By::openmpi ? fmt::format("--bind-to none, or --map-by slot:PE={}", each)
                          : launch.by == Launch::By::slurm ? fmt::format("--cpus-per-task={}", each)
                                                           : "-bind-to none";
  return fmt::format("{} is bound by {} to {} of {} processors: {} gives it {}", here, launch.command(), p.mine, p.host,
                     way, each);
}

std::string oversubscription_in_words(const Launch& launch, const Processors& p, std::size_t threads) {
  if (launch.local_ranks < 2 || launch.local_ranks * threads <= p.host) return "";
  return fmt::format("{} processes of {} thread{} on the {} processor{} of this host: they wait for one another",
                     launch.local_ranks, threads, threads == 1 ? "" : "s", p.host, p.host == 1 ? "" : "s");
}

}  // namespace sluice::apps
