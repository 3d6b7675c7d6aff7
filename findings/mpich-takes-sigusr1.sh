#!/bin/sh
# MPI_Init of MPICH replaces the program's handler of SIGUSR1; that of Open MPI takes SIGABRT, SIGBUS, SIGFPE and SIGSEGV.
# Packages: mpich, libmpich-dev 4.0.2-3+b1, openmpi-bin, libopenmpi-dev 4.1.4-3+b1
# Guess: a library leaves handlers alone that a program has set before.
# Seen: with handlers of the program's own for signals 1 to 31: behind MPI_Init of MPICH SIGUSR1 has another one (MPICH uses
#   it to hear of processes that failed). Open MPI leaves all that were set, and takes four where none was set.
# Here: "kill -USR1 prints where it is" is silently gone under MPICH, unless the handler is set after MPI_Init, or the
#   signal is blocked in all threads and waited for.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"

cat >a.cpp <<'CODE'
#include <csignal>
#include <cstdio>
#include <mpi.h>
static void own(int) {}
int main(int count, char**) {
  struct sigaction before[32], after;
  if (count > 1)
    for (int s = 1; s < 32; ++s) std::signal(s, own);
  for (int s = 1; s < 32; ++s) sigaction(s, nullptr, before + s);
  MPI_Init(nullptr, nullptr);
  for (int s = 1; s < 32; ++s)
    if (sigaction(s, nullptr, &after) == 0 && after.sa_handler != before[s].sa_handler) std::printf("%d ", s);
  std::puts("end");
  MPI_Finalize();
}
CODE
mpich && mpi_cxx a.cpp -o a
expect "MPICH: numbers of signals whose handler is another" "10 end" "$(mpi_run 1 ./a own)"
open_mpi && mpi_cxx a.cpp -o a
expect "Open MPI, where the program has handlers" "end" "$(mpi_run 1 ./a own | tr -d '\r')"
expect "Open MPI, where it has none" "6 7 8 11 end" "$(mpi_run 1 ./a | tr -d '\r')"
finish
