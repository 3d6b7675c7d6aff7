#!/bin/sh
# -std=c11 keeps gcc from fusing a * b + c; -std=c++20 does not keep g++ from it.
# Packages: gcc-12, g++-12 12.2.0-14+deb12u1
# Guess: fused by default (-ffp-contract=fast) in GNU mode only; an ISO mode (-std=... without gnu) switches it off, as the
#   manual says of C, and a C++ file of the same line is compiled to the same instructions.
# Seen: with -O2 -mfma gcc -std=c11 makes no fused instruction, gcc -std=gnu11, g++ -std=c++20 and g++ -std=gnu++20 make one.
# Here: CMAKE_CXX_EXTENSIONS OFF promises no bits: -ffp-contract=off has to be said for every file that is compiled for an
#   instruction set with FMA, or the kernels of two instruction sets train different weights.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need gcc-12=12.2.0-14+deb12u1 g++-12=12.2.0-14+deb12u1

echo 'double f(double a, double b, double c) { return a * b + c; }' >a.c
cp a.c a.cpp
fused() { "$@" -O2 -mfma -S -o - | grep -c vfmadd || true; }
expect "gcc -std=c11" 0 "$(fused gcc-12 -std=c11 a.c)"
expect "gcc -std=gnu11" 1 "$(fused gcc-12 -std=gnu11 a.c)"
expect "g++ -std=gnu++20" 1 "$(fused g++-12 -std=gnu++20 a.cpp)"
expect "g++ -std=c++20" 1 "$(fused g++-12 -std=c++20 a.cpp)"
expect "g++ -std=c++20 -ffp-contract=off" 0 "$(fused g++-12 -std=c++20 -ffp-contract=off a.cpp)"
finish
