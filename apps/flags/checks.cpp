#include "apps/flags/checks.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <sluice/pipeline/suggestion.hpp>
#include <sluice/stages/held_out.hpp>
#include <sluice/stages/scale.hpp>
#include "apps/job/options.hpp"

namespace sluice::apps {

// The parser's own would wrap a negative number around for unsigned targets.
Check whole(std::uint64_t least, std::uint64_t most) {
  return [=](const std::string& text) -> std::string {
    const bool digits =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits && text.size() <= 20) {
      try {
        const std::uint64_t n = std::stoull(text);
        if (n >= least && n <= most) return {};
      } catch (const std::out_of_range&) {
      }
    }
    return fmt::format("'{}' is not a whole number from {} to {}", text, least, most);
  };
}

namespace {

// right: of a number as the kernels take it: what is beyond float32 would be 0 or infinite there.
Check number(bool (*right)(float), const char* range) {
  return [=](const std::string& text) -> std::string {
    char* end = nullptr;
    const auto x = static_cast<float>(std::strtod(text.c_str(), &end));
    const bool all = !text.empty() && *end == '\0' && !std::isspace(static_cast<unsigned char>(text.front()));
    return all && std::isfinite(x) && right(x) ? "" : fmt::format("'{}' is not a number {}", text, range);
  };
}

}  // namespace

Check positive() {
  return number([](float x) { return x > 0; }, "above 0 and within float32");
}

Check not_negative() {
  return number([](float x) { return x >= 0; }, "of 0 or more and within float32");
}

Check below_one() {
  return number([](float x) { return x >= 0 && x < 1; }, "from 0 to below 1");
}

Check up_to_one() {
  return number([](float x) { return x >= 0 && x <= 1; }, "from 0 to 1");
}

Check held_out() {
  return [](const std::string& text) -> std::string {
    if (!Options::names_a_part(text)) return text.empty() ? "'' is no name" : "";
    try {
      stages::HeldOutPart::of(text);
      return {};
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
}

Check named() {
  return [](const std::string& text) -> std::string { return text.empty() ? "'' is no name" : ""; };
}

Check one_of(std::vector<std::string> words) {
  return [words = std::move(words)](const std::string& text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end()) return {};
    return fmt::format("'{}' is not one of {}{}", text, fmt::join(words, ", "), suggestion(text, words));
  };
}

Check steps_or_epochs(std::uint64_t least) {
  return [least](const std::string& text) -> std::string {
    const std::string number = text.ends_with('e') ? text.substr(0, text.size() - 1) : text;
    if (whole(least, 1'000'000'000'000)(number).empty()) return {};
    return fmt::format("'{}' is not a whole number{}, of steps, or of epochs with an e behind it (10e)", text,
                       least > 0 ? " above 0" : "");
  };
}

Check separator() {
  return [](const std::string& text) {
    if (text == "auto" || text == "tab" || text == "\t" || text == "," || text == ";" || text == "|")
      return std::string();
    return fmt::format("'{}' is no separator, expected a comma, ;, | or tab", text);
  };
}

Check https_url() {
  return [](const std::string& text) -> std::string {
    constexpr std::string_view https = "https://";
    const bool begins = text.size() > https.size() &&
                        std::equal(https.begin(), https.end(), text.begin(),
                                   [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
    return begins ? "" : "is no URL of a folder that begins with https://";
  };
}

Check file_and_sha256() {
  return [](const std::string& text) -> std::string {
    const std::size_t equals = text.rfind('=');
    const bool right = equals != std::string::npos && equals > 0 && text.size() - equals - 1 == 64 &&
                       text.find_first_not_of("0123456789abcdefABCDEF", equals + 1) == std::string::npos;
    return right ? "" : fmt::format("'{}' is not NAME=DIGEST with the 64 hexadecimal digits of a SHA-256", text);
  };
}

Check scale() {
  return [](const std::string& text) -> std::string {
    try {
      stages::divisor_of(text);
      return {};
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
}

}  // namespace sluice::apps
