#!/bin/sh
# Open MPI: a C++ file that includes mpi.h and calls nothing but C does not link with -lmpi alone.
# Packages: openmpi-bin, libopenmpi-dev 4.1.4-3+b1, g++-12 12.2.0-14+deb12u1
# Guess: the C++ bindings are gone since MPI 3.0: mpi.h declares C functions, and -lmpi has them.
# Seen: Debian's mpi.h includes mpicxx.h, whose classes want symbols of libmpi_cxx, without any of them being named: undefined
#   references. With -DOMPI_SKIP_MPICXX it links. (mpicxx, the wrapper, adds the library; it also brings <map> and the like
#   into every file.)
# Here: a module that is linked by hand, or loaded by dlopen, must be compiled with OMPI_SKIP_MPICXX, or it needs one library
#   more on every machine.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
open_mpi

cat >a.cpp <<'CODE'
#include <mpi.h>
int main() {
  MPI_Init(nullptr, nullptr);
  MPI_Finalize();
}
CODE
include=/usr/lib/$triplet/openmpi/include
link() {
  if g++-12 -O0 -w -I"$include" "$@" a.cpp -L"/usr/lib/$triplet/openmpi/lib" -lmpi -o a 2>err; then
    echo links
  else
    grep -o -m1 'undefined reference to `MPI::' err
  fi
}
expect "plain" 'undefined reference to `MPI::' "$(link)"
expect "with OMPI_SKIP_MPICXX" links "$(link -DOMPI_SKIP_MPICXX)"
finish
