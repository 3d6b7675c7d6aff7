#include "apps/job/class_names.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <sluice/stages/bounded_json.hpp>
#include <sluice/stages/errors.hpp>
#include "apps/job/usage_error.hpp"

namespace sluice::apps {
namespace {

std::string trimmed(const std::string& text) {
  const char* const blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::vector<std::string> parts(std::istream& text, char separator) {
  std::vector<std::string> all;
  for (std::string part; std::getline(text, part, separator);) all.push_back(trimmed(part));
  return all;
}

std::vector<std::string> given(const std::string& wanted) {
  if (wanted.front() != '@') {
    std::istringstream list(wanted + ',');  // a comma ends the last name, too: "a," is two names, one of them empty
    return parts(list, ',');
  }
  const std::string path = wanted.substr(1);
  std::ifstream file(path);
  auto names = parts(file, '\n');
  while (!names.empty() && names.back().empty()) names.pop_back();
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (!names.empty() && names.front().starts_with(byte_order_mark)) names.front().erase(0, byte_order_mark.size());
  if (!file.is_open() || file.bad())
    throw std::invalid_argument(fmt::format("{}: cannot be read: {}", path, std::generic_category().message(errno)));
  return names;
}

}  // namespace

std::string names_to_store(const std::vector<std::string>& names) {
  return nlohmann::json(names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);  // they may be no UTF-8
}

std::vector<std::string> stored_names(const stages::Metadata& metadata, const char* name, std::size_t count) {
  const auto text = metadata.find(name);
  if (text == metadata.end()) return {};
  const nlohmann::ordered_json json = stages::parse_bounded(text->second, 1);
  if (!json.is_array()) throw std::invalid_argument(fmt::format("{} is no list of names", name));
  std::vector<std::string> names;
  for (const auto& one : json) {
    if (!one.is_string()) throw std::invalid_argument(fmt::format("{} is no list of names", name));
    names.push_back(one.get<std::string>());
  }
  if (names.size() != count)
    throw std::invalid_argument(fmt::format("{} has {} names, expected {}", name, names.size(), count));
  return names;
}

std::vector<std::string> stored_class_names(const stages::Metadata& metadata, std::size_t classes) {
  return stored_names(metadata, class_names_key, classes);
}

std::vector<std::string> class_names(const std::string& wanted, std::size_t classes, bool fashion_mnist) {
  std::vector<std::string> names;
  if (!wanted.empty())
    names = given(wanted);
  else if (fashion_mnist && classes == 10)
    names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};
  else
    for (std::size_t c = 0; c < classes; ++c) names.push_back(fmt::format("class {}", c));

  if (names.size() != classes)
    throw std::invalid_argument(
        fmt::format("{} name{}, expected {}, one for each class", names.size(), names.size() == 1 ? "" : "s", classes));
  for (std::size_t c = 0; c < classes; ++c)
    if (names[c].empty()) throw std::invalid_argument(fmt::format("the name of class {} is empty", c));
  return names;
}

ClassNames find_class_names(const std::string& wanted, const stages::Metadata& stored, const std::string& stored_in,
                            std::size_t classes, bool fashion_mnist, const std::vector<std::string>& words) {
  if (wanted.empty() && !words.empty()) return {words, true};
  if (wanted.empty()) {
    try {
      if (auto names = stored_class_names(stored, classes); !names.empty()) return {std::move(names), true};
    } catch (const std::invalid_argument& error) {
      throw stages::DamagedError(fmt::format("{}: {}", stored_in, error.what()));
    }
  }
  try {
    return {class_names(wanted, classes, fashion_mnist), !wanted.empty() || fashion_mnist};
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("--class-names: {}", error.what()));
  }
}

}  // namespace sluice::apps
