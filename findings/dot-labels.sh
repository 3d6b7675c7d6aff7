#!/bin/sh
# Graphviz: within a quoted label &lt; is a <, and \N, \G, \L, \E, \T, \H are names.
# Packages: graphviz 2.42.2-7+deb12u1
# Guess: between quotes only \" and \n mean something; the rest is shown as it is written, and dot escapes it for SVG.
# Seen: label="x &lt; y" shows x < y; label="C:\Nets\Gpu" of the node x in the graph g shows C:xetsgpu. A backslash itself
#   has to be doubled, an ampersand before what may be an entity written as &amp;.
# Here: file names and what users call their stages are escaped for both: \ as \\, " as \", & as &amp;.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need graphviz=2.42.2-7+deb12u1
show() { printf 'digraph g { x [label="%s"] }' "$1" | dot -Tsvg | sed -n 's|.*<text[^>]*>\(.*\)</text>.*|\1|p'; }

expect 'x &lt; y, in the source of the SVG' 'x &lt; y' "$(show 'x &lt; y')"
expect 'x &amp;lt; y' 'x &amp;lt; y' "$(show 'x &amp;lt; y')"
expect 'C:\Nets\Gpu' 'C:xetsgpu' "$(show 'C:\Nets\Gpu')"
expect 'C:\\Nets\\Gpu' 'C:\Nets\Gpu' "$(show 'C:\\Nets\\Gpu')"
finish
