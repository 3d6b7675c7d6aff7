#!/bin/sh
# exp, log, pow and sin of glibc have other bits on processors with FMA than on those without; expf and logf do not.
# Packages: libc6 2.36-9+deb12u14, gcc-12 12.2.0-14+deb12u1
# Guess: a program that is compiled for plain x86-64 gives the same results on all of them: the library is the same file.
# Seen: with FMA switched off (GLIBC_TUNABLES, what an older processor, or an emulator, would choose) some of a million
#   results differ in their last bit for each of these functions of doubles. glibc has several builds of each and picks
#   one at load time. Those of floats compute in doubles and round once: no result differed.
# Here: a softmax over std::exp of doubles, or a normal distribution over std::log, ties the weights to the processor.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
grep -qw fma /proc/cpuinfo || cannot "this processor has no FMA to switch off"
need gcc-12=12.2.0-14+deb12u1
unpack libc6=2.36-9+deb12u14

cat >a.c <<'CODE'
#include <math.h>
#include <stdio.h>
int main(void) {
  for (int i = 1; i <= 1000000; ++i) {
    double x = i * 1e-5, r[] = {exp(-x), log(x), pow(x, 0.3), sin(x), expf(-(float)x), logf((float)x)};
    fwrite(r, sizeof r, 1, stdout);
  }
}
CODE
gcc-12 -O1 -fno-builtin a.c -lm -o a
run() { "$root/lib/$triplet/ld-linux-x86-64.so.2" --library-path "$root/lib/$triplet" ./a; }
run >with
GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2 run >without
i=0
for name in exp log pow sin expf logf; do
  # 48 bytes a line of six doubles, bytes counted from 1: which number of the line a byte belongs to.
  differ=$(cmp -l with without | awk -v n=$i '{ k = int(($1 - 1) / 8); if (k % 6 == n && k != last) { ++d; last = k } } END { print d + 0 }')
  case $name in
    *f) check "$name: results of a million that differ" "$differ" "$differ" -eq 0 ;;
    *) check "$name: results of a million that differ" "$differ" "$differ" -gt 0 ;;
  esac
  i=$((i + 1))
done
finish
