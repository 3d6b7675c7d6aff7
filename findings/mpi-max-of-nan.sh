#!/bin/sh
# MPI_MAX and MPI_MIN lose a NaN, depending on which rank has it; under MPICH ranks get different results of one MPI_Allreduce.
# Packages: mpich, libmpich-dev 4.0.2-3+b1, openmpi-bin, libopenmpi-dev 4.1.4-3+b1
# Guess: NaN comes through, as through a sum; in any case all ranks get the same.
# Seen: of {1, 2} with a NaN in place of one. Open MPI: NaN if rank 0 has it, the number if rank 1 has it, for both ranks.
#   MPICH: rank k gets NaN if it has it itself, and the number otherwise: one rank sees NaN, the other does not.
#   (A comparison picks one of two; each rank compares its own with the other's.)
# Here: "stop if the largest loss is NaN" stops one rank and not the other, which then waits for ever in the next
#   collective. A count of what is not finite, summed as an integer, is the same for all.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"

cat >a.cpp <<'CODE'
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <mpi.h>
int main() {
  MPI_Init(nullptr, nullptr);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int owner : {0, 1}) {
    const double mine = rank == owner ? NAN : rank + 1;
    double most, all[2];
    MPI_Allreduce(&mine, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    MPI_Gather(&most, 1, MPI_DOUBLE, all, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    if (rank == 0) std::printf("%g %g\n", std::fabs(all[0]), std::fabs(all[1]));
  }
  MPI_Finalize();
}
CODE
open_mpi && mpi_cxx a.cpp -o a
mpi_run 2 ./a >seen
expect "Open MPI, rank 0 has NaN: rank 0 and rank 1 get" "nan nan" "$(sed -n 1p seen | tr -d '\r')"
expect "Open MPI, rank 1 has NaN" "1 1" "$(sed -n 2p seen | tr -d '\r')"
mpich && mpi_cxx a.cpp -o a
mpi_run 2 ./a >seen
expect "MPICH, rank 0 has NaN" "2 nan" "$(sed -n 1p seen)"
expect "MPICH, rank 1 has NaN" "nan 1" "$(sed -n 2p seen)"
finish
