#!/bin/sh
# nproc prints OMP_NUM_THREADS where it is set.
# Packages: coreutils 9.1-1
# Guess: nproc says how many processors this process may use: what taskset and cgroups leave.
# Seen: OMP_NUM_THREADS=7 nproc prints 7 on any machine, OMP_NUM_THREADS=1 prints 1, and OMP_THREAD_LIMIT=1 limits it to 1.
#   nproc --all does not look at them. (A quota of a cgroup it does not know.)
# Here: batch systems, PyTorch's launchers and many a .bashrc set OMP_NUM_THREADS=1: make -j"$(nproc)" then builds with one job, and
#   a program that is given --threads "$(nproc)" has one thread. sched_getaffinity, or env -u OMP_NUM_THREADS nproc.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
unpack coreutils=9.1-1
nproc=$root/usr/bin/nproc

expect "OMP_NUM_THREADS=7" 7 "$(OMP_NUM_THREADS=7 "$nproc")"
expect "OMP_NUM_THREADS=7 OMP_THREAD_LIMIT=1" 1 "$(OMP_NUM_THREADS=7 OMP_THREAD_LIMIT=1 "$nproc")"
expect "OMP_NUM_THREADS=7, --all, as without" "$("$nproc" --all)" "$(OMP_NUM_THREADS=7 "$nproc" --all)"
finish
