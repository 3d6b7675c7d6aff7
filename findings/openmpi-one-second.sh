#!/bin/sh
# Open MPI: a process has one second from SIGTERM to the end, and Ctrl-C reaches it as SIGTERM; MPICH passes each on and waits.
# Packages: openmpi-bin, libopenmpi-dev 4.1.4-3+b1, mpich, libmpich-dev 4.0.2-3+b1
# Guess: mpirun passes SIGTERM and SIGINT on as they are, and waits until the processes have ended.
# Seen: mpirun.openmpi that gets SIGTERM or SIGINT sends SIGCONT, a second later SIGTERM, a second later SIGKILL
#   (--mca odls_base_sigkill_timeout sets the last). mpirun.mpich passes on SIGTERM as SIGTERM and SIGINT as SIGINT, waits for as
#   long as the processes take, and writes a word about Ctrl-C to standard output.
# Here: a checkpoint that takes longer than a second is cut off under Open MPI, where the batch system would have given a
#   minute; and who reads standard output under MPICH finds two lines that are not the program's.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"

cat >a.cpp <<'CODE'
#include <chrono>
#include <csignal>
#include <cstdio>
#include <initializer_list>
#include <mpi.h>
#include <thread>
static volatile std::sig_atomic_t got = 0;
static void note(int number) { got = number; }
int main(int, char** arguments) {
  MPI_Init(nullptr, nullptr);
  for (int s : {SIGINT, SIGTERM}) std::signal(s, note);
  std::FILE* file = std::fopen(arguments[1], "w");
  const auto say = [&](const char* what, int number) { std::fprintf(file, "%s %d\n", what, number), std::fflush(file); };
  say("ready", 0);
  while (got == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  say("signal", got);
  std::this_thread::sleep_for(std::chrono::seconds(6));
  say("finished", 0);
  MPI_Finalize();
}
CODE
# interrupt SIGNAL: what the process wrote that was started by the launcher which gets SIGNAL.
interrupt() {
  rm -f log
  # shellcheck disable=SC2086  # a list of words
  env --default-signal=INT $launcher -np 1 ./a log </dev/null >out 2>/dev/null &
  wait_until grep -qs ready log
  kill -s "$1" $!
  wait $! || true
  xargs <log
}
launcher="mpirun.openmpi --oversubscribe --bind-to none"
open_mpi && mpi_cxx a.cpp -o a
expect "Open MPI: TERM, six seconds of work" "ready 0 signal 15" "$(interrupt TERM)"
launcher="$launcher --mca odls_base_sigkill_timeout 20"
expect "Open MPI: TERM, with 20 seconds" "ready 0 signal 15 finished 0" "$(interrupt TERM)"
launcher=${launcher% --mca*}
expect "Open MPI: INT" "ready 0 signal 15" "$(interrupt INT)"
launcher=mpirun.mpich
mpich && mpi_cxx a.cpp -o a
expect "MPICH: TERM" "ready 0 signal 15 finished 0" "$(interrupt TERM)"
expect "MPICH: INT" "ready 0 signal 2 finished 0" "$(interrupt INT)"
expect "MPICH: lines on standard output" 2 "$(wc -l <out)"
finish
