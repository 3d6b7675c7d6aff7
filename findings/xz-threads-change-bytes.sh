#!/bin/sh
# xz -T1 and xz -T2 write different bytes, also of a small file; and a file of several blocks comes only from the second.
# Packages: xz-utils, liblzma5 5.4.1-1+deb12u2
# Guess: the number of threads decides the time; a file that one thread is enough for is the same; and xz -T0 decodes any file
#   of many megabytes on all processors.
# Seen: with threads the sizes of a block stand in its header: 8 bytes more, in place of none. Without -T (one thread in
#   5.4; all in 5.6) a file is one block whatever its size, and one block is decoded by one thread.
# Here: the checksum of an .xz file depends on who packed it and with which version: compare contents. Only files of xz -T
#   can be read from the middle.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
unpack xz-utils=5.4.1-1+deb12u2 liblzma5=5.4.1-1+deb12u2
xz() { LD_LIBRARY_PATH=$root/lib/$triplet:$root/usr/lib/$triplet "$root/usr/bin/xz" "$@"; }

seq 1000 >small
expect "the second is larger by, in bytes" 8 "$(($(xz -T2 -c small | wc -c) - $(xz -T1 -c small | wc -c)))"
seq 8000000 >large  # 62 MB
blocks() { xz --robot --list "$1" | awk '$1 == "totals" { print $3 }'; }
xz -1 -T1 -c large >one.xz
xz -1 -T2 -c large >two.xz
expect "blocks of 62 MB, -1, by one thread" 1 "$(blocks one.xz)"
seen=$(blocks two.xz)
check "by two" "$seen" "$seen" -gt 1
finish
