#!/bin/sh
# DuckDB: a fraction behind some 20,000 whole numbers is rounded on reading a CSV file, without a word.
# Packages: npm @duckdb/node-api 1.5.6-r.1 (DuckDB 1.5.6)
# Guess: types are guessed from a sample, and a cell that does not fit later is an error.
# Seen: read_csv of 30,000 rows of 0, then 0.97, 0.4, 1.5, 2.5: a BIGINT column with 1, 0, 2, 3. sample_size=-1
#   reads all first: DOUBLE, and the values as they are.
# Here: probabilities, or pixels in [0, 1], whose first images are 0 in a column become zeros and ones on their way through a
#   database. Types are given, or the sample is the whole file.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
npm_packages @duckdb/node-api@1.5.6-r.1

{ echo p && yes 0 | head -n 30000 && printf '0.97\n0.4\n1.5\n2.5\n'; } >a.csv
cat >a.mjs <<'CODE'
import duckdb from "@duckdb/node-api";
const connection = await (await duckdb.DuckDBInstance.create(":memory:")).connect();
for (const options of ["", ", sample_size=-1"]) {
  const result = await connection.runAndReadAll(`select p from read_csv('a.csv'${options}) offset 30000`);
  console.log(String(result.columnTypes()[0]), result.getRows().map(String).join(" "));
}
CODE
node a.mjs >seen
expect "0.97, 0.4, 1.5, 2.5" "BIGINT 1 0 2 3" "$(sed -n 1p seen)"
expect "with sample_size=-1" "DOUBLE 0.97 0.4 1.5 2.5" "$(sed -n 2p seen)"
finish
