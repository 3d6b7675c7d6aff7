#!/bin/sh
# JavaScript's CSV readers make three different things of 0x10, and of 2019-01, 007 and 9007199254740993 too.
# Packages: npm papaparse 5.7.1, d3-dsv 3.0.2, csv-parse 7.0.3
# Guess: with conversion on, decimals become numbers and all else stays text; 007 stays text, as identifiers do.
# Seen: 0x10 is text for papaparse, 16 for d3.autoType, 0 for csv-parse; 2019-01 is a Date for d3 only; 007 is 7 for
#   all three; 2^53 + 1 is text for papaparse and 2^53 for the others; 1e400 is Infinity for d3, text for the others.
# Here: a table that a page shows is not the table that a program trains on. Identifiers and hexadecimal cells in particular.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
npm_packages papaparse@5.7.1 d3-dsv@3.0.2 csv-parse@7.0.3

cat >a.mjs <<'CODE'
import { parse } from "csv-parse/sync";
import { autoType } from "d3-dsv";
import Papa from "papaparse";
const row = "0x10,2019-01,007,9007199254740993,1e400";
const say = (cells) => console.log(cells.map((cell) => (cell instanceof Date ? "Date" : typeof cell === "string" ? `'${cell}'` : cell)).join(" "));
say(Papa.parse(row, { dynamicTyping: true }).data[0]);
say(Object.values(autoType({ ...row.split(",") })));
say(parse(row, { cast: true })[0]);
CODE
node a.mjs >seen
expect "papaparse" "'0x10' '2019-01' 7 '9007199254740993' '1e400'" "$(sed -n 1p seen)"
expect "d3.autoType" "16 Date 7 9007199254740992 Infinity" "$(sed -n 2p seen)"
expect "csv-parse" "0 '2019-01' 7 9007199254740992 '1e400'" "$(sed -n 3p seen)"
finish
