// A made-up run to make a report of: bars and noise as images, classes with names that a page must not take for its
// own, and graphs with statistics.
//
//   Sample sample(10, 200);
//   html(sample.report)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "apps/report/report.hpp"
#include "tests/support/files.hpp"

namespace sluice::apps::testing {

inline const std::string hostile = "<b>\"Top\" & 'shirt'</b></script><!--<script>";

struct Sample {
  Report report;
  stages::DataSet test;
  stages::Model model;
  std::vector<std::vector<std::uint8_t>> pixels;

  // Every fifth image is taken for the class behind its own, more or less surely.
  Sample(std::size_t classes, std::size_t images, std::size_t rows = 28, std::size_t columns = 28,
         std::size_t epochs = 3)
      : model(stages::random_model(rows * columns, classes, 1)) {
    test.rows = rows, test.columns = columns, test.classes = classes;
    for (std::size_t i = 0; i < images; ++i) {
      const auto label = static_cast<std::uint16_t>(i % classes);
      std::vector<std::uint8_t> image(rows * columns);
      for (std::size_t p = 0; p < image.size(); ++p)
        image[p] = static_cast<std::uint8_t>(p % columns * classes / columns == label ? 255 : (p * 7 + i * 13) % 97);
      pixels.push_back(std::move(image));
      test.labels.push_back(label);
      const bool wrong = i % 5 == 4;
      report.predictions.predicted.push_back(static_cast<std::uint16_t>(wrong ? (label + 1) % classes : label));
      report.predictions.probability.push_back(1 - static_cast<float>(i % 89) / 100);
    }
    for (const auto& image : pixels) test.images.push_back(image.data());

    report.title = "sluice train: made up & <small>";
    report.command = "sluice train --data 'a & b' --epochs 3";
    report.options = {{"--epochs", "3"}, {"--data", "a & b"}};
    report.facts = {{"version", "0.1.0"}, {"weights_sha256", std::string(64, 'f')}};
    for (std::size_t c = 0; c < classes; ++c) report.class_names.push_back("class " + std::to_string(c));
    report.class_names[0] = hostile;
    report.class_names[1] = "bad \xff\xfe bytes";
    for (std::size_t n = 1; n <= epochs; ++n) {
      const double part = 1 / static_cast<double>(n);
      report.epochs.push_back(
          {n, {0.4 + 0.4 * part, 0.85 - 0.1 * part, images}, {0.45 + 0.3 * part, 0.84 - 0.1 * part, images}, 0.013});
    }
    report.test = &test;
    report.model = &model;
    report.advice = "--threads 4 would be faster";

    Graph g("train", Threads(2));
    int next = 0;
    auto numbers =
        g.source("numbers", [&]() -> std::optional<int> { return next < 100 ? std::optional(next++) : std::nullopt; });
    g.sink(
        "total", [](const int&) {}, numbers);
    g.run();
    report.graphs = {{"load", g.stages(), {}}, {"train", g.stages(), g.stats()}};
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;
};

}  // namespace sluice::apps::testing
