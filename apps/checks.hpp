// What the value of a flag may be: validators of CLI11, each with an error that says what was expected.
//
// text -> an empty text, or what is wrong with it in words: "'0' is not a whole number from 1 to 1024". The text stays
// as it is. Pure functions.
//
//   command.add_option("--threads", threads, "Threads to run on")->check(whole(1, 1024));
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::apps {

// In decimal digits alone.
CLI::Validator whole(std::uint64_t least, std::uint64_t most);

// A number above 0.
CLI::Validator positive();

// Not the empty text that an unset shell variable leaves: it would mean the default.
CLI::Validator named();

CLI::Validator one_of(std::vector<std::string> words);

// N steps, or Ne epochs.
CLI::Validator steps_or_epochs();

// What pixels are multiplied by, as sluice/stages/scale.hpp takes it.
CLI::Validator scale();

}  // namespace sluice::apps
