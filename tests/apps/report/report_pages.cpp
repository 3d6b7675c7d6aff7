// report_pages FOLDER: writes reports of made-up runs, to be opened in a browser.
#include <fstream>
#include <string>

#include "tests/apps/report/report_sample.hpp"

using sluice::apps::html;
using sluice::apps::testing::Sample;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  const auto write = [&](const std::string& name, const sluice::apps::Report& report) {
    return static_cast<bool>(std::ofstream(folder + "/" + name, std::ios::binary) << html(report));
  };
  Sample sample(10, 500), many(40, 400, 100, 300, 200), lines(3, 60, 1, 3072, 1), diverging(10, 100);
  diverging.report.outcome = "interrupted in epoch 4";
  for (auto& epoch : diverging.report.epochs) epoch.train.loss *= 40;
  return write("sample.html", sample.report) && write("many.html", many.report) && write("lines.html", lines.report) &&
                 write("diverging.html", diverging.report)
             ? 0
             : 1;
}
