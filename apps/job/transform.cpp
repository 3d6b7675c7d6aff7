#include "apps/job/transform.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/one_line.hpp>

namespace sluice::apps {
namespace {

using namespace stages;

struct Part {
  std::size_t begin = 0, end = 0;
};

// 0 up to `all`, in parts of so many.
auto parts_of(std::size_t all, std::size_t part) {
  return [=, next = std::size_t{0}]() mutable -> std::optional<Part> {
    if (next == all) return std::nullopt;
    const std::size_t begin = std::exchange(next, std::min(all, next + part));
    return Part{begin, next};
  };
}

}  // namespace

FeatureTransform transform_by(const std::vector<Moments>& moments, const DataSettings& settings,
                              const TableFacts& facts, const std::string& path) {
  FeatureTransform all;
  const auto add = [](std::vector<float>& to, const std::vector<float>& more) {
    to.insert(to.end(), more.begin(), more.end());
  };
  std::size_t feature = 0;
  for (const Moments& part : moments)
    for (std::size_t i = 0; i < part.features(); ++i, ++feature)
      if (settings.fills() && !part.has_values(i))
        throw DataError(fmt::format(
            "{}: {} has no value in any row, expected one to take the mean of: leave it out (--ignore-columns)", path,
            facts.features.empty() ? fmt::format("feature {}", feature + 1)
                                   : fmt::format("'{}'", one_line(facts.features[feature]))));
  for (const Moments& part : moments) {
    if (settings.fills()) add(all.fill, part.means());
    if (settings.standardize) add(all.mean, part.means()), add(all.deviation, part.deviations());
  }
  return all;
}

//  pixels -> moments -> keep
FeatureTransform find_transform(const DataSet& train, const DataSettings& settings, const TableFacts& facts,
                                const Threads& threads) {
  if (!settings.transforms()) return {};
  const std::size_t part = std::max<std::size_t>(16, train.pixels() / (4 * threads.count()) / 16 * 16);
  Graph g("standardize", threads);
  const auto moments = [&train](const Part& pixels) {
    Moments of(pixels.end - pixels.begin, pixels.begin);
    for (const std::uint8_t* row : train.images) of.add(row, train.type());
    return of;
  };
  std::vector<Moments> all;
  const auto keep = [&all](const Moments& of) { all.push_back(of); };
  g.sink("keep", keep, g.map("moments", moments, g.source("pixels", parts_of(train.pixels(), part)), unlimited));
  g.run();
  return transform_by(all, settings, facts, train.path);
}

//  rows -> transform -> count
void transform_set(const FeatureTransform& transform, DataSet& set, const Threads& threads) {
  const std::size_t pixels = set.pixels();
  Shared<Bytes> memory;
  auto* const values = reinterpret_cast<float*>(memory.renew().reserve(set.size() * pixels * sizeof(float)));
  Graph g("standardize", threads);
  const auto convert = [&](const Part& rows) {
    for (std::size_t i = rows.begin; i < rows.end; ++i)
      transform(set.images[i], set.type(), pixels, values + i * pixels);
    return rows.end - rows.begin;
  };
  std::size_t done = 0;
  const auto count = [&done](std::size_t rows) { done += rows; };
  g.sink("count", count, g.map("transform", convert, g.source("rows", parts_of(set.size(), 256)), unlimited));
  g.run();
  for (std::size_t i = 0; i < done; ++i) set.images[i] = reinterpret_cast<const std::uint8_t*>(values + i * pixels);
  set.owners = {std::move(memory)};
  set.stored = ElementType::float32;
}

std::string constant_in_words(const FeatureTransform& transform) {
  const std::size_t constant = transform.constant_features(), all = transform.deviation.size();
  if (constant == 0) return "";
  return fmt::format("--standardize: {} of {} features {} the same in all rows of the training set, and only shifted",
                     constant, all, constant == 1 ? "is" : "are");
}

}  // namespace sluice::apps
