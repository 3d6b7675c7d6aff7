#!/bin/sh
# Decoders of one call, given two gzip members, bzip2 or xz streams: the first comes out and all is well; zstd gives both.
# Packages: libdeflate-dev, libdeflate0 1.14-1, libbz2-dev, libbz2-1.0 1.0.8-5+b1, liblzma-dev, liblzma5 5.4.1-1+deb12u2,
#   libzstd-dev, libzstd1 1.5.4+dfsg2-5, gcc-12 12.2.0-14+deb12u1
# Guess: what the program of the same name unpacks, the library's one call unpacks, or it says that something is left.
# Seen: libdeflate_gzip_decompress and BZ2_bzBuffToBuffDecompress return success with "one" of "one" and "two", and have no
#   way to say that input is left (libdeflate_gzip_decompress_ex has); lzma_stream_buffer_decode tells where it stopped.
#   ZSTD_decompress gives both. zlib.decompress(x, 31) of Python gives the first, gzip.decompress both.
# Here: files of many members (bgzip, pigz -i, pbzip2, cat a.gz b.gz) come out short and sound. What is left of the input has to
#   be asked for each time.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need gcc-12=12.2.0-14+deb12u1
unpack libdeflate-dev=1.14-1 libdeflate0=1.14-1 libbz2-dev=1.0.8-5+b1 libbz2-1.0=1.0.8-5+b1 liblzma-dev=5.4.1-1+deb12u2 \
  liblzma5=5.4.1-1+deb12u2 libzstd-dev=1.5.4+dfsg2-5 libzstd1=1.5.4+dfsg2-5
[ -x /usr/bin/python3 ] || cannot "no /usr/bin/python3"

cat >a.c <<'CODE'
#include <bzlib.h>
#include <libdeflate.h>
#include <lzma.h>
#include <stdio.h>
#include <zstd.h>
static char in[4096], out[4096];
static size_t size;
static void load(const char* name) {
  FILE* file = fopen(name, "rb");
  size = fread(in, 1, sizeof in, file);
  fclose(file);
}
int main(void) {
  size_t made = 0;
  load("a.gz");
  int ok = libdeflate_gzip_decompress(libdeflate_alloc_decompressor(), in, size, out, sizeof out, &made) == LIBDEFLATE_SUCCESS;
  printf("libdeflate %s %.*s\n", ok ? "success" : "error", (int)made, out);
  load("a.bz2");
  unsigned bytes = sizeof out;
  ok = BZ2_bzBuffToBuffDecompress(out, &bytes, in, size, 0, 0) == BZ_OK;
  printf("libbz2 %s %.*s\n", ok ? "success" : "error", (int)bytes, out);
  load("a.xz");
  size_t read = 0;
  uint64_t limit = UINT64_MAX;
  made = 0;
  ok = lzma_stream_buffer_decode(&limit, 0, NULL, (uint8_t*)in, &read, size, (uint8_t*)out, &made, sizeof out) == LZMA_OK;
  printf("liblzma %s %.*s%s\n", ok ? "success" : "error", (int)made, out, read < size ? ", input left" : "");
  load("a.zst");
  made = ZSTD_decompress(out, sizeof out, in, size);
  printf("libzstd %s %.*s\n", ZSTD_isError(made) ? "error" : "success", ZSTD_isError(made) ? 0 : (int)made, out);
}
CODE
unpack zstd=1.5.4+dfsg2-5 xz-utils=5.4.1-1+deb12u2 bzip2=1.0.8-5+b1
LD_LIBRARY_PATH=$root/lib/$triplet:$root/usr/lib/$triplet
export LD_LIBRARY_PATH
for what in one two; do
  printf ' %s' "$what" | gzip >>a.gz
  printf ' %s' "$what" | "$root/bin/bzip2" >>a.bz2
  printf ' %s' "$what" | "$root/usr/bin/xz" >>a.xz
  printf ' %s' "$what" | "$root/usr/bin/zstd" -q >>a.zst
done
gcc-12 -O1 -I"$root/usr/include" a.c -L"$root/usr/lib/$triplet" -L"$root/lib/$triplet" -ldeflate -lbz2 -llzma -lzstd -o a
./a >seen
expect "libdeflate_gzip_decompress" "libdeflate success  one" "$(sed -n 1p seen)"
expect "BZ2_bzBuffToBuffDecompress" "libbz2 success  one" "$(sed -n 2p seen)"
expect "lzma_stream_buffer_decode" "liblzma success  one, input left" "$(sed -n 3p seen)"
expect "ZSTD_decompress" "libzstd success  one two" "$(sed -n 4p seen)"
expect "Python's zlib.decompress, gzip.decompress" " one| one two" \
  "$(/usr/bin/python3 -c 'import gzip, zlib; x = open("a.gz", "rb").read(); print(zlib.decompress(x, 31).decode() + "|" + gzip.decompress(x).decode())')"
finish
