#!/bin/sh
# MPICH: an error of MPI_Wait or MPI_Testall goes to the handler of MPI_COMM_WORLD, not of the request's communicator.
# Packages: mpich, libmpich-dev 4.0.2-3+b1, openmpi-bin, libopenmpi-dev 4.1.4-3+b1
# Guess: a library that works on its own communicator (MPI_Comm_dup) with MPI_ERRORS_RETURN gets every error as a code.
# Seen: a message longer than the buffer of an MPI_Irecv on such a communicator: MPICH ends the job; with MPI_ERRORS_RETURN on
#   MPI_COMM_WORLD too it returns a code. Open MPI returns the code. (MPI_Recv returns it in both.)
# Here: to report a failed exchange with the names of rank and host, set MPI_ERRORS_RETURN on MPI_COMM_WORLD as well.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"

cat >a.cpp <<'CODE'
#include <cstdio>
#include <cstring>
#include <mpi.h>
int main(int, char** arguments) {
  MPI_Init(nullptr, nullptr);
  int rank, values[4] = {}, done = 0, code = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm own;
  MPI_Comm_dup(MPI_COMM_WORLD, &own);
  MPI_Comm_set_errhandler(own, MPI_ERRORS_RETURN);
  if (std::strcmp(arguments[2], "world") == 0) MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  if (rank == 0) MPI_Send(values, 4, MPI_INT, 1, 0, own);
  if (rank == 1) {
    MPI_Request request;
    MPI_Status status;
    if (std::strcmp(arguments[1], "recv") == 0) code = MPI_Recv(values, 1, MPI_INT, 0, 0, own, &status);
    else MPI_Irecv(values, 1, MPI_INT, 0, 0, own, &request);
    if (std::strcmp(arguments[1], "wait") == 0) code = MPI_Wait(&request, &status);
    if (std::strcmp(arguments[1], "testall") == 0)
      while (!done && !code) code = MPI_Testall(1, &request, &done, &status);
    std::printf("%s", code ? "code" : "none");
    std::fflush(stdout);
  }
  MPI_Finalize();
}
CODE
run() { mpi_run 2 ./a "$@" 2>/dev/null | tr -d '\r' | grep -o '^code\|^none' || echo ended; }
mpich && mpi_cxx a.cpp -o a
expect "MPICH: MPI_Recv" code "$(run recv own)"
expect "MPICH: MPI_Wait" ended "$(run wait own)"
expect "MPICH: MPI_Testall" ended "$(run testall own)"
expect "MPICH: MPI_Testall, with the handler on MPI_COMM_WORLD too" code "$(run testall world)"
open_mpi && mpi_cxx a.cpp -o a
expect "Open MPI: MPI_Wait" code "$(run wait own)"
expect "Open MPI: MPI_Testall" code "$(run testall own)"
finish
