// What a program prints as JSON. Declarations only: a parser and a printer of its own for every file of tests were most
// of what the compiler did.
// In a comparison JSON stands first: from g++ 13 on, in C++20, `string == json` is ambiguous, and `json == string` is not.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/apps/program.hpp"

namespace nlohmann {
void PrintTo(const json& value, std::ostream* out);  // as the text that it is, for GoogleTest
}

namespace sluice::apps::testing {

using nlohmann::json;

// What the text says, which is one value and nothing behind it; is_discarded() of any other.
json parsed_json(const std::string& text);

// The object that `--json` prints of a run, which has to end well.
json trained(const Arguments& arguments);

// What must be the same however the work is divided: the weights, and every number that is no time.
json results_of(json object);

}  // namespace sluice::apps::testing
