#!/bin/sh
# nlohmann/json: get<T>() cuts numbers to T without a word, and the type of a default decides what a setting is read as.
# Packages: nlohmann-json3-dev 3.11.2-2, g++-12 12.2.0-14+deb12u1
# Guess: the library throws type_error and out_of_range for all that does not fit, so also for 300 as uint8_t, -1 as
#   unsigned, 0.5 as int.
# Seen: 300 is 44, -1 is 4294967295, 0.5 is 0, and true is 1; only another kind of value (text, null) throws.
#   value("lr", 0) of {"lr": 0.5} is 0: its type is that of the default.
# Here: labels, epochs and sizes out of JSON (a configuration, a header of safetensors) have to be checked for their kind
#   and range before get<>(), and a default for a fraction is 0.0.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need g++-12=12.2.0-14+deb12u1
unpack nlohmann-json3-dev=3.11.2-2

cat >a.cpp <<'CODE'
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
using nlohmann::json;
int main() {
  const json j = json::parse(R"({"label": 300, "epochs": -1, "lr": 0.5, "flag": true, "text": "1"})");
  std::printf("%d %u %d %d %g ", j["label"].get<std::uint8_t>(), j["epochs"].get<unsigned>(), j["lr"].get<int>(),
              j["flag"].get<int>(), static_cast<double>(j.value("lr", 0)));
  try {
    std::printf("%d\n", j["text"].get<int>());
  } catch (const json::type_error&) {
    std::puts("type_error");
  }
}
CODE
g++-12 -std=c++20 -O1 -w -I"$root/usr/include" a.cpp -o a
expect "300 as uint8_t, -1 as unsigned, 0.5 as int, true as int, value(\"lr\", 0) of 0.5, \"1\" as int" \
  "44 4294967295 0 1 0 type_error" "$(./a)"
finish
