#include <sluice/stages/input_files.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace sluice::stages {

namespace {

constexpr const char* standard_input_text = "-";

std::string with_commas(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (&part == &parts.front() ? "" : ",") + part;
  return all;
}

}  // namespace

InputFiles InputFiles::standard_input() {
  InputFiles input;
  input.standard_input_ = true;
  return input;
}

InputFiles InputFiles::parse(const std::string& text) {
  if (text.empty()) return {};
  std::error_code ignored;
  if (text.find(',') == std::string::npos || std::filesystem::exists(text, ignored)) return text;
  return InputFiles(between_commas(text));
}

InputFiles InputFiles::parse_with_standard_input(const std::string& text) {
  return text == standard_input_text ? standard_input() : parse(text);
}

std::vector<std::string> InputFiles::names() const {
  return standard_input_ ? std::vector<std::string>{"standard input"} : paths_;
}

std::string InputFiles::name() const {
  return with_commas(names());
}

std::string InputFiles::text() const {
  return standard_input_ ? standard_input_text : with_commas(paths_);
}

std::vector<std::string> between_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace sluice::stages
