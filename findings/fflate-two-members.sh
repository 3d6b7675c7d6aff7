#!/bin/sh
# fflate: gunzipSync of two gzip members gives as many bytes of the first as the second has; of a bgzip file none at all.
# Packages: npm fflate 0.8.3, pako 3.0.3
# Guess: both members one behind the other (RFC 1952, 2.2), as pako and Node's own have it; or the first; or an error.
# Seen: "first member" and "second" (7 bytes with their line end) come out as "first m": the size is taken from the last four
#   bytes of the file. bgzip ends each file with an empty member, so that the result is empty. No error. fflate's streaming
#   Gunzip and pako give all.
# Here: .gz files that are packed in pieces, so that they can be read in parallel, are silently cut in pages that use
#   gunzipSync.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
npm_packages fflate@0.8.3 pako@3.0.3

cat >a.mjs <<'CODE'
import * as fflate from "fflate";
import * as pako from "pako";
import zlib from "zlib";
const members = (...texts) => Buffer.concat(texts.map((text) => zlib.gzipSync(text)));
const text = (bytes) => JSON.stringify(Buffer.from(bytes).toString());
const two = members("first member\n", "second\n");
console.log(text(fflate.gunzipSync(two)));
console.log(text(fflate.gunzipSync(members("all of it\n", ""))));
let streamed = "";
new fflate.Gunzip((chunk) => (streamed += Buffer.from(chunk))).push(two, true);
console.log(JSON.stringify(streamed), text(pako.ungzip(two)));
CODE
node a.mjs >seen
expect "gunzipSync of two members" '"first m"' "$(sed -n 1p seen)"
expect "gunzipSync of one and an empty one" '""' "$(sed -n 2p seen)"
expect "Gunzip, pako" '"first member\nsecond\n" "first member\nsecond\n"' "$(sed -n 3p seen)"
finish
