#include "apps/job/outputs.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/replacement.hpp>
#include "apps/job/checkpointing.hpp"
#include "apps/job/usage_error.hpp"

namespace sluice::apps {

void check_output(const std::string& flag, const std::string& path, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    if (same_file(path, input))
      throw UsageError(fmt::format("{} {}: is the input {}, which it would replace", flag, path, input));
  }
  try {
    stages::check_writable(path);
  } catch (const stages::PathError& error) {
    throw UsageError(fmt::format("{} {}", flag, error.what()));
  } catch (const stages::WriteError& error) {
    throw stages::WriteError(fmt::format("{} {}", flag, error.what()));
  }
}

void check_outputs(std::vector<std::pair<std::string, std::string>> all, const std::vector<std::string>& inputs) {
  std::erase_if(all, [](const auto& output) { return output.second.empty(); });
  for (std::size_t i = 0; i < all.size(); ++i) {
    check_output(all[i].first, all[i].second, inputs);
    for (std::size_t k = 0; k < i; ++k)
      if (same_file(all[i].second, all[k].second))
        throw UsageError(fmt::format("{} {}: is the file of {}, too", all[i].first, all[i].second, all[k].first));
  }
}

void check_outputs(const Options& o, const stages::DataFiles& files) {
  std::vector<std::string> inputs = files_read(o, files.all());
  if (o.resumes_from_file() && !same_file(o.resume, o.checkpoint)) inputs.push_back(o.resume);
  std::vector<std::pair<std::string, std::string>> all = {{"--output", o.output},
                                                          {"--trace", o.trace},
                                                          {"--picture", o.picture},
                                                          {"--report", o.report},
                                                          {"--checkpoint", o.checkpoint}};
  if (!o.checkpoint.empty())
    all.emplace_back("--checkpoint, whose version before is kept as", stages::previous_version(o.checkpoint));
  if (!o.checkpoint.empty() && o.stream)
    all.emplace_back("--checkpoint, beside which pieces are kept in", pieces_of(o.checkpoint));
  check_outputs(std::move(all), inputs);
}

std::vector<std::string> files_read(const Options& o, const std::vector<stages::InputFiles>& inputs) {
  std::vector<std::string> all;
  for (const stages::InputFiles& input : inputs) all.insert(all.end(), input.paths().begin(), input.paths().end());
  if (o.class_names.starts_with("@")) all.push_back(o.class_names.substr(1));
  return all;
}

bool same_file(const std::string& a, const std::string& b) {
  const auto name = [](const std::string& path) {
    std::error_code error;
    const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, error);
    // One that may not be looked at has the name that it is given.
    return error ? std::filesystem::absolute(path, error).lexically_normal() : canonical;
  };
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored) || name(a) == name(b);
}

}  // namespace sluice::apps
