#!/bin/sh
# Open MPI: standard output of every process is a terminal, also where mpirun's goes into a file.
# Packages: openmpi-bin, libopenmpi-dev 4.1.4-3+b1, mpich, libmpich-dev 4.0.2-3+b1
# Guess: mpirun passes on what comes through pipes: isatty(1) is false, as under MPICH.
# Seen: isatty(1) is true for each of two processes under mpirun.openmpi > file, isatty(2) is false: it opens a
#   pseudo-terminal for each process. MPICH: neither is.
# Here: a program that colours or redraws its lines on a terminal fills the log of a batch job with escape sequences. What
#   stderr is says it better, or that OMPI_COMM_WORLD_RANK is set.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"

cat >a.cpp <<'CODE'
#include <cstdio>
#include <mpi.h>
#include <unistd.h>
int main() {
  MPI_Init(nullptr, nullptr);
  std::printf("%d %d\n", isatty(1), isatty(2));
  MPI_Finalize();
}
CODE
open_mpi && mpi_cxx a.cpp -o a
mpi_run 2 ./a >seen 2>err
expect "Open MPI: stdout, stderr of two processes" "1 0 1 0" "$(xargs <seen)"
mpich && mpi_cxx a.cpp -o a
mpi_run 2 ./a >seen 2>err
expect "MPICH" "0 0 0 0" "$(xargs <seen)"
finish
