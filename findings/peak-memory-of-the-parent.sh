#!/bin/sh
# getrusage: the peak memory of a small program is that of the large one that started it.
# Packages: python3.11-minimal 3.11.2-6+deb12u6 or later of Debian 12, time 1.9-0.2; Linux
# Guess: ru_maxrss is the program's own peak: after exec it begins with a new, empty memory.
# Seen: a child of 10 MB, started by Python with 300 MB: ru_maxrss 317,548 KiB, from within (RUSAGE_SELF) and for the parent
#   (wait4). Between fork (or vfork) and exec it has its parent's memory, and the kernel keeps that peak in the process's
#   account over exec. VmHWM in /proc/self/status belongs to the new memory and is right; so is /usr/bin/time, a small
#   process that starts the program itself.
# Here: a benchmark harness in Python that holds a data set measures itself. Peak memory is read from VmHWM, or through
#   /usr/bin/time.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
unpack time=1.9-0.2
[ -x /usr/bin/python3 ] || cannot "no /usr/bin/python3"

cat >a.py <<'CODE'
import os, resource, subprocess, sys
block = bytearray(300 << 20)
child = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, text=True)
print(process.stdout.read().strip(), os.wait4(process.pid, 0)[2].ru_maxrss)
print(subprocess.run([sys.argv[1], "-f", "%M", "true"], stderr=subprocess.PIPE, text=True).stderr)
CODE
# shellcheck disable=SC2046  # numbers
set -- $(/usr/bin/python3 a.py "$root/usr/bin/time")
check "a small child's own ru_maxrss, KiB" "$1" "$1" -gt 300000
check "what wait4 says of it" "$3" "$3" -gt 300000
check "its VmHWM" "$2" "$2" -lt 50000
check "true, by /usr/bin/time that is started in its place" "$4" "$4" -lt 50000
finish
