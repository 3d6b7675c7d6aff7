#!/bin/sh
# Open MPI: lines of two processes are broken into one another, though each is short and written by one write().
# Packages: openmpi-bin, libopenmpi-dev 4.1.4-3+b1, mpich, libmpich-dev 4.0.2-3+b1
# Guess: mpirun passes on lines, or at least what one write() of less than PIPE_BUF bytes wrote; only their order is open.
# Seen: of 80,000 lines of 50 bytes that two processes write, some hundred have bytes of the other process in them.
#   MPICH: none.
# Here: one JSON object a line, from every rank, is not safe to parse behind mpirun; lines belong to one rank, or into a file
#   for each (--output-filename).
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"

cat >a.cpp <<'CODE'
#include <mpi.h>
#include <string>
#include <unistd.h>
int main() {
  MPI_Init(nullptr, nullptr);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const std::string line = std::string(49, static_cast<char>('a' + rank)) + '\n';
  for (int i = 0; i < 40000; ++i)
    if (write(1, line.data(), line.size()) != 50) return 1;
  MPI_Finalize();
}
CODE
broken() { awk 'length($0) != 49 || /a/ && /b/ { ++n } END { print n + 0 }' seen; }
open_mpi && mpi_cxx a.cpp -o a
mpi_run 2 ./a >seen
check "Open MPI: broken lines of $(wc -l <seen)" "$(broken)" "$(broken)" -gt 0
mpich && mpi_cxx a.cpp -o a
mpi_run 2 ./a >seen
expect "MPICH: broken lines" 0 "$(broken)"
finish
