#!/bin/sh
# Open MPI: MPI_Reduce and MPI_Allreduce of the same floats, on the same processes, differ in their bits.
# Packages: openmpi-bin, libopenmpi-dev 4.1.4-3+b1, mpich, libmpich-dev 4.0.2-3+b1
# Guess: an MPI_Allreduce is an MPI_Reduce and an MPI_Bcast, as every textbook says: the same sums.
# Seen: of 100 floats a third differ with four processes (each function has its own algorithm, chosen by the number of
#   processes and the length); with two processes none. MPICH: none with four.
# Here: rank 0 that logs what it got by MPI_Reduce, beside weights that were summed by MPI_Allreduce, logs another loss. For
#   the same bits on any number of processes sums have to be made in an order of one's own.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"

cat >a.cpp <<'CODE'
#include <cstdio>
#include <mpi.h>
#include <random>
int main() {
  MPI_Init(nullptr, nullptr);
  int rank, differ = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  std::mt19937 random(rank + 1);
  float mine[100], reduced[100], all[100];
  for (float& value : mine) value = static_cast<float>(random() >> 8) / 16777216;
  MPI_Reduce(mine, reduced, 100, MPI_FLOAT, MPI_SUM, 0, MPI_COMM_WORLD);
  MPI_Allreduce(mine, all, 100, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  for (int i = 0; i < 100; ++i) differ += reduced[i] != all[i];
  if (rank == 0) std::printf("%d\n", differ);
  MPI_Finalize();
}
CODE
open_mpi && mpi_cxx a.cpp -o a
differ=$(mpi_run 4 ./a | tr -d '\r')
check "Open MPI, 4 processes: of 100 that differ" "$differ" "$differ" -gt 0
expect "Open MPI, 2 processes" 0 "$(mpi_run 2 ./a | tr -d '\r')"
mpich && mpi_cxx a.cpp -o a
expect "MPICH, 4 processes" 0 "$(mpi_run 4 ./a)"
finish
