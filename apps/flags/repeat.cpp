#include "apps/flags/repeat.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include <sluice/stages/scale.hpp>

namespace sluice::apps {
namespace {

// A word as a POSIX shell takes it back.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string("%+,-./:=@_").find(static_cast<char>(c)) != std::string::npos;
  });
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path found = std::filesystem::absolute(path, error);
  return error ? path : found.string();
}

stages::InputFiles absolute(const stages::InputFiles& files) {
  if (files.is_standard_input()) return files;
  std::vector<std::string> paths;
  for (const std::string& path : files.paths()) paths.push_back(absolute(path));
  return stages::InputFiles(std::move(paths));
}

using Values = std::map<std::string, std::vector<std::string>>;

// The values that are not those of the flags' own words: what a default came to, and paths within.
Values effective_values(const Options& o) {
  Values values{{"--data", {}},
                {"--threads", {std::to_string(o.effective_threads())}},
                {"--shards", o.shards ? std::vector{std::to_string(o.shards)} : std::vector<std::string>{}},
                {"--checkpoint-every", {o.checkpoint_every.empty() ? "1e" : o.checkpoint_every}},
                {"--resume",
                 {o.resumes_from_file() ? absolute(o.resume)
                  : o.resume.empty()    ? "auto"
                                        : o.resume}}};
  if (o.decoder == "auto") values["--decoder"] = {};
  if (o.no_index) values["--index-cache"] = {};  // it may be of the environment
  if (o.class_names.starts_with("@")) values["--class-names"] = {"@" + absolute(o.class_names.substr(1))};
  return values;
}

// inputs: the values of the flags that name what is read.
std::string command(const Options& o, Values inputs) {
  Values effective = effective_values(o);
  effective.merge(inputs);
  std::string text = "sluice " + o.command + " --no-env";
  for (const SpeltFlag& flag : o.spelt) {
    if (flag.bare) text += " " + flag.name;
    const auto other = effective.find(flag.name);
    for (const std::string& value : other != effective.end() ? other->second : flag.values) {
      const std::string word = other == effective.end() && flag.path ? absolute(value) : value;
      // A value that begins like a flag is taken for one where it stands alone.
      text += " " + flag.name + (word.starts_with("-") ? "=" : " ") + quoted(word);
    }
  }
  return text;
}

}  // namespace

std::string repeating_command(const Options& o, const stages::DataFiles& files, const JobData& data) {
  Values inputs{{"--train-images", {absolute(files.train_images).text()}},
                {"--train-labels", {absolute(files.train_labels).text()}},
                {"--test-images", {absolute(files.test_images).text()}},
                {"--test-labels", {absolute(files.test_labels).text()}}};
  if (data.train.shape.classes) inputs["--classes"] = {std::to_string(data.train.shape.classes)};
  if (data.train.count) {
    inputs["--scale"] = {stages::scale_text(o.effective_divisor(data.train.shape.stored))};
    if (o.stream)
      inputs["--shuffle-buffer"] = {
          std::to_string(o.effective_shuffle_buffer(data.train.shape.image_bytes(), data.train.count))};
  }
  return command(o, std::move(inputs));
}

std::string repeating_command(const Options& o, const LabelledFiles& files) {
  Values inputs;
  for (const auto& [flag, input] : {std::pair{"--images", &files.images}, {"--labels", &files.labels}})
    if (!input->empty()) inputs[flag] = {absolute(*input).text()};
  return command(o, std::move(inputs));
}

}  // namespace sluice::apps
