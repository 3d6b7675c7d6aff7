#!/bin/sh
# npyjs: an array in Fortran order comes with the shape of rows and the values of columns.
# Packages: npm npyjs 1.2.0, python3-numpy 1:1.24.2-1+deb12u1
# Guess: values are turned into rows, or the file is refused: shape and data belong together.
# Seen: [[0, 1, 2], [3, 4, 5]] saved in Fortran order: shape [2, 3], data 0, 3, 1, 4, 2, 5, and a flag fortranOrder that
#   says what to make of it. numpy.save writes x.T in that order without being asked.
# Here: who indexes data by row and column sees images mixed up. Arrays for others are written by np.ascontiguousarray.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-numpy=1:1.24.2-1+deb12u1
npm_packages npyjs@1.2.0

/usr/bin/python3 -c '
import numpy as np
np.save("a.npy", np.array([[0, 3], [1, 4], [2, 5]], np.float32).T)'
cat >a.mjs <<'CODE'
import { parse } from "npyjs";
import fs from "fs";
const bytes = fs.readFileSync("a.npy");
const array = await parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
console.log(array.shape.join(), Array.from(array.data).join(), array.fortranOrder);
CODE
expect "shape, data, fortranOrder" "2,3 0,3,1,4,2,5 true" "$(node a.mjs)"
finish
