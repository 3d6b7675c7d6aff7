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

InputFiles InputFiles::parse(const std::string& text, Dash dash) {
  if (dash == Dash::standard_input && text == standard_input_text) return standard_input();
  if (text.empty()) return {};
  std::error_code ignored;
  if (text.find(',') == std::string::npos || std::filesystem::exists(text, ignored)) return text;
  return InputFiles(between_commas(text));
}

InputFiles InputFiles::with_member(const std::string& member) const {
  InputFiles same = *this;
  same.member_ = member;
  return same;
}

InputFiles InputFiles::as_table() const {
  InputFiles same = *this;
  same.is_table_ = true;
  return same;
}

std::vector<std::string> InputFiles::names() const {
  if (standard_input_) return {"standard input"};
  std::vector<std::string> all = paths_;
  if (!member_.empty())
    for (std::string& path : all) path += ": " + member_;
  return all;
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
