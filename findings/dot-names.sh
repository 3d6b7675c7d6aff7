#!/bin/sh
# Graphviz: a node called Node (or Edge, Graph) is no node, and one called 2nd is two.
# Packages: graphviz 2.42.2-7+deb12u1
# Guess: keywords are written in small letters, names in others are names; 2nd is a name, or an error.
# Seen: Node [color=red]; is no node but the default of all that follow: b is red, and the exit code is 0. 2nd -> b draws
#   three nodes, 2, nd and b, with a warning and exit code 0; 1.2.3 draws 1.2 and .3.
# Here: stages are called what people call them. Every name that is written into a DOT file goes between quotes.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need graphviz=2.42.2-7+deb12u1
draw() { printf 'digraph { %s }' "$1" | dot -Tplain 2>/dev/null | awk '$1 == "node" { printf "%s:%s ", $2, $(NF - 1) } END { print "" }'; }

expect "Node [color=red]; b" "b:red " "$(draw 'Node [color=red]; b')"
expect '"Node" [color=red]; b' '"Node":red b:black ' "$(draw '"Node" [color=red]; b')"
expect "2nd -> b" "2:black nd:black b:black " "$(draw '2nd -> b')"
expect "1.2.3 -> b" "1.2:black .3:black b:black " "$(draw '1.2.3 -> b')"
finish
