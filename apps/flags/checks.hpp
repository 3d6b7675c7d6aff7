// What the value of a flag may be, each with an error that says what was expected.
//
// text -> what is wrong with it, in words: "'0' is not a whole number from 1 to 1024"; an empty text: nothing.
// Order and thread-safety: pure functions, which no parser is needed for. Errors: none.
//
//   const std::string wrong = whole(1, 1024)(text);
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sluice::apps {

using Check = std::function<std::string(const std::string& text)>;

// A whole number within these bounds, in decimal digits alone.
Check whole(std::uint64_t least, std::uint64_t most);

// Numbers, as float32 has them: above 0; 0 or more; from 0 to below 1; from 0 to 1.
Check positive();
Check not_negative();
Check below_one();
Check up_to_one();

// A part of a training set, as sluice/stages/held_out.hpp takes it, or the name of a file.
Check held_out();

// Any text but the empty one, which an unset shell variable leaves: it would mean the default.
Check named();

// One of a list; a misspelt one gets the nearest.
Check one_of(std::vector<std::string> words);

// A number of steps, or with an e behind it of epochs.
Check steps_or_epochs(std::uint64_t least);

// What stands between the cells of a table: auto, tab, or one of , ; |.
Check separator();

// The URL of a folder, by https; what is wrong with it is said without it, since it may have a password.
Check https_url();

// NAME=DIGEST, 64 hexadecimal digits.
Check file_and_sha256();

// What pixels are multiplied by, as sluice/stages/scale.hpp takes it.
Check scale();

}  // namespace sluice::apps
