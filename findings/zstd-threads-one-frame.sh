#!/bin/sh
# zstd -T4 writes one frame, which no more than one thread can decode; pzstd writes many.
# Packages: zstd 1.5.4+dfsg2-5
# Guess: what four threads compressed side by side four can decompress, as of xz -T4 and pbzip2.
# Seen: zstd -T4 of 62 MB: one frame whose blocks refer to the ones before; pzstd -p 4: several. zstd -T4 and -T1 write
#   the same bytes, and --single-thread others.
# Here: a data set that is to be read on all cores is packed by pzstd, or cut into files.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
unpack zstd=1.5.4+dfsg2-5 libzstd1=1.5.4+dfsg2-5
LD_LIBRARY_PATH=$root/usr/lib/$triplet
export LD_LIBRARY_PATH

seq 8000000 >large
"$root/usr/bin/zstd" -q -1 -T4 large -o threads.zst
"$root/usr/bin/zstd" -q -1 -T1 large -o one.zst
"$root/usr/bin/zstd" -q -1 --single-thread large -o single.zst
"$root/usr/bin/pzstd" -q -1 -p 4 large -o many.zst
frames() { "$root/usr/bin/zstd" -l "$1" | awk 'NR == 2 { print $1 }'; }
expect "frames of zstd -T4" 1 "$(frames threads.zst)"
seen=$(frames many.zst)
check "frames of pzstd -p 4" "$seen" "$seen" -gt 1
same() { cmp -s "$1" "$2" && echo same || echo other; }
expect "bytes of -T4 and -T1; of -T1 and --single-thread" "same other" "$(same threads.zst one.zst) $(same one.zst single.zst)"
finish
