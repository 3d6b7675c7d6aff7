#include "apps/ranks/launch.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

using By = Launch::By;
using Wireup = Launch::Wireup;
using Variables = std::map<std::string, std::string>;

Launch launch(const Variables& variables) {
  return find_launch([&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

TEST(Launch, OfNobodyIsOneProcess) {
  EXPECT_FALSE(launch({}).several());
  EXPECT_EQ(launch({}).by, By::nobody);
}

TEST(Launch, KnowsOpenMpiAndHydra) {
  const Launch open = launch({{"OMPI_COMM_WORLD_RANK", "2"},
                              {"OMPI_COMM_WORLD_SIZE", "4"},
                              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                              {"PMIX_RANK", "2"}});
  EXPECT_EQ(open.by, By::openmpi);
  EXPECT_EQ(open.rank, 2u);
  EXPECT_EQ(open.ranks, 4u);
  EXPECT_EQ(open.local_ranks, 2u);
  const Launch hydra = launch({{"PMI_RANK", "1"}, {"PMI_SIZE", "3"}, {"PMI_FD", "7"}, {"MPI_LOCALNRANKS", "3"}});
  EXPECT_EQ(hydra.by, By::hydra);
  EXPECT_EQ(hydra.rank, 1u);
  EXPECT_EQ(hydra.local_ranks, 3u);
  EXPECT_EQ(hydra.command(), "mpirun");
}

// A batch script has it as well, and runs its commands once.
TEST(Launch, SlurmsRankAloneSaysNothing) {
  EXPECT_EQ(launch({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}, {"SLURM_JOB_ID", "1"}}).by, By::nobody);
}

TEST(Launch, OfSlurmsStepSaysHowItsProcessesFindOneAnother) {
  Variables step = {{"SLURM_PROCID", "5"},
                    {"SLURM_STEP_ID", "0"},
                    {"SLURM_STEP_NUM_TASKS", "8"},
                    {"SLURM_STEP_TASKS_PER_NODE", "4(x2)"}};
  EXPECT_EQ(launch(step).wireup, Wireup::none);
  EXPECT_EQ(launch(step).local_ranks, 4u);
  EXPECT_EQ(launch(step).ranks, 8u);
  EXPECT_EQ(launch(step).command(), "srun");
  step["PMIX_RANK"] = "5";
  EXPECT_EQ(launch(step).wireup, Wireup::pmix);
  step.erase("PMIX_RANK");
  step["PMI_RANK"] = "5", step["PMI_SIZE"] = "8", step["PMI_FD"] = "9";
  EXPECT_EQ(launch(step).by, By::slurm);
  EXPECT_EQ(launch(step).wireup, Wireup::pmi2);
}

// Within an allocation mpirun starts its daemons by srun: what is nearer counts.
TEST(Launch, OfMpirunWithinSlurmIsMpiruns) {
  const Variables slurm = {{"SLURM_PROCID", "0"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}};
  Variables open = slurm, hydra = slurm;
  open["OMPI_COMM_WORLD_RANK"] = "3", open["OMPI_COMM_WORLD_SIZE"] = "4";
  EXPECT_EQ(launch(open).by, By::openmpi);
  EXPECT_EQ(launch(open).ranks, 4u);
  hydra["PMI_RANK"] = "3", hydra["PMI_SIZE"] = "4", hydra["MPI_LOCALNRANKS"] = "2";
  EXPECT_EQ(launch(hydra).by, By::hydra);
}

TEST(Launch, WhatMakesNoSenseIsNone) {
  EXPECT_FALSE(launch({{"OMPI_COMM_WORLD_RANK", "4"}, {"OMPI_COMM_WORLD_SIZE", "4"}}).several());
  EXPECT_FALSE(launch({{"OMPI_COMM_WORLD_RANK", "x"}, {"OMPI_COMM_WORLD_SIZE", "4"}}).several());
  EXPECT_FALSE(launch({{"PMI_RANK", "0"}, {"PMI_SIZE", "0"}}).several());
  EXPECT_FALSE(launch({{"PMI_RANK", "0"}}).several());
}

Launch of(By by, std::size_t ranks) {
  return {.by = by, .ranks = ranks, .local_ranks = ranks};
}

TEST(Launch, ProcessesShareTheirHostUnlessTheLauncherHasSharedItOut) {
  EXPECT_EQ(threads_of_rank(of(By::hydra, 2), {.mine = 16, .host = 16}), 8u);
  EXPECT_EQ(threads_of_rank(of(By::hydra, 3), {.mine = 16, .host = 16}), 5u);
  EXPECT_EQ(threads_of_rank(of(By::hydra, 4), {.mine = 2, .host = 2}), 1u);
  EXPECT_EQ(threads_of_rank(of(By::openmpi, 2), {.mine = 8, .host = 16}), 8u);  // --map-by slot:PE=8
  EXPECT_EQ(threads_of_rank(of(By::openmpi, 2), {.mine = 1, .host = 16}), 1u);
  EXPECT_EQ(threads_of_rank(of(By::slurm, 4), {.mine = 8, .host = 64}), 8u);
}

TEST(Launch, ABindingThatLeavesProcessorsIdleIsSaidWithTheWayOut) {
  EXPECT_EQ(binding_in_words(of(By::hydra, 2), {.mine = 16, .host = 16}), "");
  EXPECT_EQ(binding_in_words(of(By::openmpi, 2), {.mine = 8, .host = 16}), "");
  EXPECT_EQ(binding_in_words(of(By::nobody, 1), {.mine = 1, .host = 16}), "");  // taskset: who asked for it knows
  const std::string open = binding_in_words(of(By::openmpi, 2), {.mine = 1, .host = 16});
  EXPECT_TRUE(contains(open, "each of the 2 processes on this host is bound by mpirun to 1 of 16 processors")) << open;
  EXPECT_TRUE(contains(open, "--bind-to none, or --map-by slot:PE=8")) << open;
  const std::string one = binding_in_words(of(By::openmpi, 1), {.mine = 1, .host = 2});
  EXPECT_TRUE(contains(one, "this process is bound by mpirun to 1 of 2 processors")) << one;
  EXPECT_TRUE(contains(binding_in_words(of(By::slurm, 1), {.mine = 1, .host = 8}), "--cpus-per-task=8"));
}

TEST(Launch, MoreThreadsThanProcessorsAreSaid) {
  EXPECT_EQ(oversubscription_in_words(of(By::hydra, 2), {.mine = 4, .host = 4}, 2), "");
  EXPECT_EQ(oversubscription_in_words(of(By::nobody, 1), {.mine = 4, .host = 4}, 8), "");  // advice says so
  EXPECT_EQ(oversubscription_in_words(of(By::hydra, 4), {.mine = 2, .host = 2}, 1),
            "4 processes of 1 thread on the 2 processors of this host: they wait for one another");
}

}  // namespace
}  // namespace sluice::apps::testing
