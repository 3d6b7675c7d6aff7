#!/bin/sh
# Graphviz: a DOT file of two graphs becomes one .svg of two XML documents, which is no SVG.
# Packages: graphviz 2.42.2-7+deb12u1, libxml2-utils 2.9.14+dfsg-1.3~deb12u6
# Guess: an error, or a picture of the first, or of both, one below the other.
# Seen: dot -Tsvg writes both, one behind the other, exit code 0; xmllint calls the file ill-formed at the second <?xml. As
#   PNG it is two files in one: viewers show the first. dot -O (one file each) or gvpack are what is meant.
# Here: a program that prints the graphs of a job as DOT prints one a file, or as subgraphs of one.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need graphviz=2.42.2-7+deb12u1 libxml2-utils=2.9.14+dfsg-1.3~deb12u6

echo 'digraph { a -> b } digraph { c -> d }' >a.dot
dot -Tsvg a.dot >a.svg
expect "XML declarations in one file" 2 "$(grep -c '<?xml' a.svg)"
expect "well-formed" no "$(xmllint --noout --nonet a.svg 2>/dev/null && echo yes || echo no)"
dot -Tpng a.dot >a.png
expect "ends of a PNG in one file" 2 "$(grep -c -a IEND a.png)"
finish
