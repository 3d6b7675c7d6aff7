#!/bin/sh
# DuckDB: a column of the labels t and f, or yes and no, is read from CSV as BOOLEAN; t and f are gone.
# Packages: npm @duckdb/node-api 1.5.6-r.1 (DuckDB 1.5.6)
# Guess: only true and false are booleans; t and f, as the mushroom set has them, stay text.
# Seen: t, f and yes, no come out as true, false; y, n stay text; so do t, f as soon as another word is in the sample.
# Here: names of classes change on a way through COPY: a model that was trained on "t" meets "true". all_varchar=true, or types.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
npm_packages @duckdb/node-api@1.5.6-r.1

cat >a.mjs <<'CODE'
import duckdb from "@duckdb/node-api";
import fs from "fs";
const connection = await (await duckdb.DuckDBInstance.create(":memory:")).connect();
for (const labels of [["t", "f"], ["yes", "no"], ["y", "n"], ["t", "f", "g"]]) {
  fs.writeFileSync("a.csv", "label,x\n" + labels.map((label, i) => `${label},${i}\n`).join(""));
  const result = await connection.runAndReadAll("select label from read_csv('a.csv')");
  console.log(String(result.columnTypes()[0]), result.getRows().map(String).join(" "));
}
CODE
node a.mjs >seen
expect "t, f" "BOOLEAN true false" "$(sed -n 1p seen)"
expect "yes, no" "BOOLEAN true false" "$(sed -n 2p seen)"
expect "y, n" "VARCHAR y n" "$(sed -n 3p seen)"
expect "t, f, g" "VARCHAR t f g" "$(sed -n 4p seen)"
finish
