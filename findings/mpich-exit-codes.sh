#!/bin/sh
# MPICH: mpiexec's exit code is the bitwise or of all processes' codes, and of one killed by signal 9 it is 9.
# Packages: mpich, libmpich-dev 4.0.2-3+b1, openmpi-bin, libopenmpi-dev 4.1.4-3+b1
# Guess: the code of one of the processes that failed, the first or the largest; 128 + signal of one that was killed.
# Seen: codes 1 and 2 make 3, 3 and 4 make 7; SIGKILL makes 9, SIGSEGV 11. Open MPI: one of the two codes, 137, 139.
#   MPI_Abort(comm, 256) makes 0 in both: only the low eight bits are left.
# Here: codes with a meaning (1 failed, 2 wrong use, 3 input missing) lose it unless all processes end with the same one: a
#   runtime failure beside wrong use reads as a missing file, and a kill as code 9.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"

cat >a.cpp <<'CODE'
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mpi.h>
#include <unistd.h>
int main(int, char** arguments) {
  MPI_Init(nullptr, nullptr);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const char* what = arguments[1];
  if (std::strcmp(what, "exit") == 0) {
    MPI_Finalize();
    return std::atoi(arguments[2 + rank]);
  }
  if (rank == 1 && std::strcmp(what, "kill") == 0) std::raise(std::atoi(arguments[2]));
  if (rank == 1) MPI_Abort(MPI_COMM_WORLD, std::atoi(arguments[2]));
  sleep(20);
}
CODE
code() { mpi_run 2 ./a "$@" >/dev/null 2>&1 && echo 0 || echo $?; }
mpich && mpi_cxx a.cpp -o a
expect "MPICH: 1 and 2" 3 "$(code exit 1 2)"
expect "MPICH: 3 and 4" 7 "$(code exit 3 4)"
expect "MPICH: SIGKILL" 9 "$(code kill 9)"
expect "MPICH: MPI_Abort(256)" 0 "$(code abort 256)"
open_mpi && mpi_cxx a.cpp -o a
seen=$(code exit 1 2)
check "Open MPI: 1 and 2" "$seen" "$seen" -ne 3 -a "$seen" -ne 0
expect "Open MPI: SIGKILL" 137 "$(code kill 9)"
expect "Open MPI: MPI_Abort(256)" 0 "$(code abort 256)"
finish
