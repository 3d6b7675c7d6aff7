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
#include "apps/flags/shell_word.hpp"

namespace sluice::apps {
namespace {

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().filename().string();
}

std::string absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path found = std::filesystem::absolute(path, error);
  return error ? path : found.string();
}

// How the path of a file is spelt.
using Spelling = std::string (*)(const std::string& path);

stages::InputFiles respelt(const stages::InputFiles& files, Spelling spelling) {
  if (files.is_standard_input()) return files;
  std::vector<std::string> paths;
  for (const std::string& path : files.paths()) paths.push_back(spelling(path));
  return stages::InputFiles(std::move(paths));
}

using Values = std::map<std::string, std::vector<std::string>>;

// The values that are not those of the flags' own words: what a default came to, and paths within.
Values effective_values(const Options& o, Spelling spelling) {
  Values values{{"--data", {}},
                {"--threads", {std::to_string(o.effective_threads())}},
                {"--shards", o.shards ? std::vector{std::to_string(o.shards)} : std::vector<std::string>{}},
                {"--checkpoint-every", {o.checkpoint_every.empty() ? "1e" : o.checkpoint_every}},
                {"--resume",
                 {o.resumes_from_file() ? spelling(o.resume)
                  : o.resume.empty()    ? "auto"
                                        : o.resume}}};
  if (o.decoder == "auto") values["--decoder"] = {};
  if (o.no_index) values["--index-cache"] = {};  // it may be of the environment
  if (o.class_names.starts_with("@")) values["--class-names"] = {"@" + spelling(o.class_names.substr(1))};
  return values;
}

// inputs: the values of the flags that name what is read.
std::string command(const Options& o, Spelling spelling, Values inputs) {
  Values effective = effective_values(o, spelling);
  effective.merge(inputs);
  std::string text = "sluice " + o.command + " --no-env";
  for (const SpeltFlag& flag : o.spelt) {
    if (flag.bare) text += " " + flag.name;
    const auto other = effective.find(flag.name);
    for (const std::string& value : other != effective.end() ? other->second : flag.values) {
      const std::string word = other == effective.end() && flag.path ? spelling(value) : value;
      // A value that begins like a flag is taken for one where it stands alone.
      text += " " + flag.name + (word.starts_with("-") ? "=" : " ") + quoted(word);
    }
  }
  return text;
}

std::string train_command(const Options& o, Spelling spelling, const stages::DataFiles& files, const JobData& data) {
  Values inputs;
  const auto name = [&](const std::string& part, const stages::InputFiles& both, const stages::InputFiles& images,
                        const stages::InputFiles& labels) {
    if (both.empty()) {
      inputs[part + "-images"] = {respelt(images, spelling).text()};
      inputs[part + "-labels"] = {respelt(labels, spelling).text()};
    } else {
      inputs[part] = {respelt(both, spelling).text()};
    }
  };
  name("--train", files.train, files.train_images, files.train_labels);
  name("--test", files.test, files.test_images, files.test_labels);
  if (o.validates_by_files()) name("--validation", files.validation, files.validation_images, files.validation_labels);
  if (data.train.shape.classes) inputs["--classes"] = {std::to_string(data.train.shape.classes)};
  if (data.train.count) {
    if (!o.standardize) inputs["--scale"] = {stages::scale_text(o.effective_divisor(data.train.shape))};
    if (o.stream)
      inputs["--shuffle-buffer"] = {
          std::to_string(o.effective_shuffle_buffer(data.train.shape.image_bytes(), data.train.count))};
  }
  return command(o, spelling, std::move(inputs));
}

}  // namespace

std::string repeating_command(const Options& o, const stages::DataFiles& files, const JobData& data) {
  return train_command(o, absolute, files, data);
}

std::string command_to_store(const Options& o, const stages::DataFiles& files, const JobData& data) {
  return train_command(o, file_name, files, data);
}

std::string repeating_command(const Options& o, const LabelledFiles& files, const stages::InputFiles& test) {
  Values inputs;
  if (!test.empty()) {
    inputs["--test"] = {respelt(test, absolute).text()};
    return command(o, absolute, std::move(inputs));
  }
  for (const auto& [flag, input] : {std::pair{"--images", &files.images}, {"--labels", &files.labels}})
    if (!input->empty()) inputs[flag] = {respelt(*input, absolute).text()};
  return command(o, absolute, std::move(inputs));
}

}  // namespace sluice::apps
