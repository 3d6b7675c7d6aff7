#include "apps/report/report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/pictures/escaped.hpp"
#include "apps/pictures/image.hpp"
#include "tests/apps/pictures/pictures.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/report/report_sample.hpp"

namespace sluice::apps::testing {
namespace {

using nlohmann::json;
constexpr std::size_t most_bytes = 2'000'000;

const std::vector<std::string> ids = {"summary", "curves", "confusion", "predictions",
                                      "weights", "graph",  "stages",    "options"};
// What a page has only where the test set was predicted.
const std::string predicted_id = "calibration";

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

std::string section_of(const std::string& page, const std::string& id) {
  const std::size_t begin = page.find("<section id=\"" + id + "\"");
  if (begin == std::string::npos) return {};
  return page.substr(begin, page.find("</section>", begin) - begin);
}

json data_of(const std::string& page) {
  const std::string tag = "<script type=\"application/json\" id=\"sluice-report\">";
  EXPECT_EQ(count(page, tag), 1u);
  const std::size_t begin = page.find(tag) + tag.size();
  return json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

bool is_utf8(const std::string& text) {
  try {
    return !json(text).dump().empty();
  } catch (const json::type_error&) {
    return false;
  }
}

TEST(Report, HasEverySectionOnce) {
  const std::string page = html(Sample(10, 200).report);
  for (const std::string& id : ids) {
    EXPECT_EQ(count(page, "<section id=\"" + id + "\""), 1u) << id;
    EXPECT_EQ(count(page, "href=\"#" + id + "\""), 1u) << id;
  }
  EXPECT_EQ(count(page, "<section id=\"" + predicted_id + "\""), 1u);
  EXPECT_EQ(count(page, "href=\"#" + predicted_id + "\""), 1u);
}

// A screen reader says it with each cell.
TEST(Report, EveryHeaderOfATableSaysWhetherItIsARowsOrAColumns) {
  for (const Sample& sample : {Sample(10, 200), Sample(40, 400, 100, 300, 200)}) {
    const std::string page = html(sample.report);
    EXPECT_EQ(count(page, "<th>"), 0u);
    EXPECT_EQ(count(page, "<th "), count(page, "<th scope=\"col\"") + count(page, "<th scope=\"row\""));
    EXPECT_GT(count(page, "<th scope=\"row\""), 20u);
  }
}

TEST(Report, RefersToNothingOutside) {
  const std::string page = html(Sample(10, 200).report);
  EXPECT_EQ(count(page, "http://www.w3.org/2000/svg"), count(page, "://"));  // the name of a language
  EXPECT_EQ(count(page, " src=\""), count(page, " src=\"data:image/png;base64,"));
  EXPECT_EQ(count(page, "url("), 0u);
  EXPECT_EQ(count(page, "@import"), 0u);
}

TEST(Report, TakesNoTextForMarkup) {
  Sample sample(10, 200);
  sample.report.title = sample.report.outcome = sample.report.command = sample.report.advice = hostile;
  sample.report.options = sample.report.facts = {{hostile, hostile}};
  sample.report.graphs[0].graph = hostile;
  const std::string page = html(sample.report);
  EXPECT_EQ(count(page, "<script"), 1u);
  EXPECT_EQ(count(page, "</script>"), 1u);
  EXPECT_EQ(count(page, "<!--"), 0u);
  EXPECT_EQ(count(page, "<b>\""), 0u);
  EXPECT_EQ(data_of(page)["options"][hostile], hostile);
  EXPECT_EQ(escaped("<a href='x'>\"&\x01\n"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\xEF\xBF\xBD\n");
}

TEST(Report, IsUtf8WhateverTheNames) {
  const std::string page = html(Sample(10, 200).report);
  EXPECT_TRUE(is_utf8(page));
  EXPECT_TRUE(contains(page, "bad \xEF\xBF\xBD"));
}

TEST(Report, HoldsItsDataAsJson) {
  const Sample sample(10, 200);
  const json data = data_of(html(sample.report));
  EXPECT_EQ(data["schema"], 1);
  EXPECT_EQ(data["title"], sample.report.title);
  EXPECT_EQ(data["command"], sample.report.command);
  EXPECT_EQ(data["options"], json({{"--epochs", "3"}, {"--data", "a & b"}}));
  EXPECT_EQ(data["facts"]["version"], "0.1.0");
  EXPECT_EQ(data["class_names"].size(), 10u);
  EXPECT_EQ(data["class_names"][0], hostile);
  ASSERT_EQ(data["epochs"].size(), 3u);
  EXPECT_EQ(data["epochs"][1]["epoch"], 2);
  EXPECT_EQ(data["epochs"][1]["train_loss"], sample.report.epochs[1].train.loss);
  EXPECT_EQ(data["epochs"][2]["test_accuracy"], sample.report.epochs[2].test.accuracy);
  std::vector<std::vector<std::size_t>> expected(10, std::vector<std::size_t>(10));
  for (std::size_t i = 0; i < 200; ++i) ++expected[sample.test.labels[i]][sample.report.predictions.predicted[i]];
  EXPECT_EQ(data["confusion"], json(expected));
  ASSERT_EQ(data["graphs"].size(), 2u);
  EXPECT_FALSE(data["graphs"][0].contains("stages"));  // it has not run
  const json& graph = data["graphs"][1];
  EXPECT_EQ(graph["graph"], "train");
  EXPECT_EQ(graph["threads"], 2);
  EXPECT_EQ(graph["stages"][0]["name"], "numbers");
  EXPECT_EQ(graph["stages"][0]["items"], 100);
  EXPECT_EQ(graph["stages"][0]["busy"], sample.report.graphs[1].stats->stages[0].busy);
  EXPECT_EQ(graph["stages"][1]["inputs"], json({"numbers"}));
  EXPECT_TRUE(graph["verdict"]["text"].get<std::string>().starts_with("bottleneck: "));
  EXPECT_EQ(data["advice"], sample.report.advice);
}

TEST(Report, DrawsTheCurvesWithTheirValues) {
  const std::string curves = section_of(html(Sample(10, 200).report), "curves");
  for (const char* style : {"curve loss", "curve train", "curve test"})
    EXPECT_EQ(count(curves, std::string("class=\"") + style + "\""), 2u) << style;  // line and legend
  EXPECT_EQ(count(curves, "<title>epoch "), 3u);
  EXPECT_TRUE(contains(curves, "<title>epoch 2\ntrain loss 0.6000\ntrain accuracy 0.8000"));
  EXPECT_TRUE(contains(curves, ">loss, accuracy</text>"));
}

TEST(Report, GivesALossAboveOneAnAxisOfItsOwn) {
  Sample sample(10, 200);
  sample.report.epochs[0].train.loss = 7.3;
  const std::string curves = section_of(html(sample.report), "curves");
  EXPECT_TRUE(contains(curves, ">accuracy</text>"));
  EXPECT_TRUE(contains(curves, ">train loss</text>"));
}

TEST(Report, DrawsOneEpochAndManyAndOnesWithoutANumber) {
  for (const std::size_t epochs : {1U, 200U, 5000U}) {
    Sample sample(10, 200, 28, 28, epochs);
    sample.report.epochs[0].train.loss = std::numeric_limits<double>::quiet_NaN();
    const std::string page = html(sample.report), curves = section_of(page, "curves");
    EXPECT_LT(page.size(), most_bytes);
    EXPECT_EQ(count(curves, "<title>epoch "), std::min<std::size_t>(epochs, 300));
    EXPECT_TRUE(contains(curves, "<title>epoch 1\n"));
    EXPECT_TRUE(contains(curves, "<title>epoch " + std::to_string(epochs) + "\n"));
    const std::string svg = curves.substr(curves.find("<svg class=\"chart\""));
    for (std::size_t at = 0; (at = svg.find(" d=\"", at)) != std::string::npos; ++at)
      EXPECT_FALSE(contains(svg.substr(at, svg.find('"', at + 4) - at), "nan"));
  }
}

TEST(Report, HasAGapInACurveWhereAnEpochHasNoNumber) {
  Sample sample(10, 200, 28, 28, 5);
  sample.report.epochs[2].train.loss = std::numeric_limits<double>::infinity();
  const std::string curves = section_of(html(sample.report), "curves"), begin = "<path class=\"curve ";
  std::size_t whole = 0, interrupted = 0;
  for (std::size_t at = 0; (at = curves.find(begin, at)) != std::string::npos; ++at) {
    const std::string path = curves.substr(at, curves.find("/>", at) - at), d = path.substr(path.find(" d=\""));
    const auto pieces = std::count(d.begin(), d.end(), 'M');
    (pieces == 1 ? whole : interrupted) += 1;
    if (pieces != 1) {
      EXPECT_EQ(pieces, 2) << path;
    }
  }
  EXPECT_EQ(interrupted, 1u) << curves;
  EXPECT_GE(whole, 3u);
}

TEST(Report, SaysWhichClassesWereTakenForWhich) {
  const std::string confusion = section_of(html(Sample(10, 200).report), "confusion");
  EXPECT_TRUE(contains(confusion, "'class 4' was taken for 'class 5' 20 times, 100.0 % of all 'class 4'."))
      << confusion;
  EXPECT_TRUE(contains(confusion, "160 of 200 images of the test set are right, 80.0 %."));
  EXPECT_EQ(count(confusion, "<td class=\"hit\""), 10u);
  EXPECT_EQ(count(confusion, "<td class=\"miss\""), 90u);
}

// The number of each cell of a row, from left to right.
std::vector<std::size_t> cells_of(const std::string& row) {
  std::vector<std::size_t> all;
  for (std::size_t at = 0; (at = row.find("<td class=\"", at)) != std::string::npos; ++at) {
    if (row.compare(at, 18, "<td class=\"recall\"") == 0) continue;
    all.push_back(std::stoul(row.substr(row.find('>', at) + 1)));
  }
  return all;
}

TEST(Report, HasTrueClassesInTheRowsOfItsMatrixAndPredictedOnesInItsColumns) {
  const Sample sample(10, 200);
  const std::string confusion = section_of(html(sample.report), "confusion");
  std::vector<std::vector<std::size_t>> expected(10, std::vector<std::size_t>(10));
  for (std::size_t i = 0; i < 200; ++i) ++expected[sample.test.labels[i]][sample.report.predictions.predicted[i]];
  ASSERT_NE(expected[4][5], expected[5][4]);
  std::vector<std::vector<std::size_t>> shown;
  const std::string begin = "<tr><th scope=\"row\" class=\"row\"";
  for (std::size_t at = 0; (at = confusion.find(begin, at)) != std::string::npos; ++at) {
    const std::string row = confusion.substr(at, confusion.find("</tr>", at) - at);
    if (shown.size() == 4) {
      EXPECT_TRUE(row.starts_with(begin + " title=\"class 4\">")) << row;
    }
    shown.push_back(cells_of(row));
  }
  EXPECT_EQ(shown, expected);
  EXPECT_TRUE(contains(confusion, " title=\"class 4 taken for class 5: 20, 100.0 %\">20</td>"));
  // A share is of the images of the true class, where there are fewer of the predicted one, too.
  EXPECT_TRUE(contains(section_of(html(Sample(10, 195).report), "confusion"),
                       " title=\"class 4 taken for class 5: 20, 100.0 %\">20</td>"));
  const std::string head = confusion.substr(0, confusion.find("</thead>"));
  EXPECT_TRUE(contains(head, "colspan=\"10\">predicted</th>"));
  EXPECT_TRUE(contains(head, "<tr><th scope=\"col\" class=\"axis\">true</th><th scope=\"col\" class=\"column\">"));
  EXPECT_LT(head.find(">class 4<"), head.find(">class 5<"));
}

TEST(Report, OfManyClassesTellsTheMostConfusedInsteadOfAMatrix) {
  const std::string confusion = section_of(html(Sample(31, 620).report), "confusion");
  EXPECT_EQ(count(confusion, "<td class=\"hit\""), 0u);
  EXPECT_EQ(count(confusion, "was taken for"), 20u);
  EXPECT_TRUE(contains(confusion, "Lowest recall"));
}

TEST(Report, OfTensOfThousandsOfClassesIsMadeWithoutAMatrix) {
  Sample sample(3, 300, 5, 5);
  sample.test.classes = 65536;
  sample.test.labels[0] = 65535;
  sample.report.model = nullptr;
  const std::string page = html(sample.report);
  EXPECT_LT(page.size(), most_bytes);
  const json data = data_of(page);
  EXPECT_FALSE(data.contains("confusion"));
  const json first = {{"label", 0}, {"predicted", 1}, {"count", 20}};
  EXPECT_EQ(data["confused"][0], first) << data["confused"];
}

// Four images: two said with 0.95, of which one is right, one with 0.5, right, one with 0.41, wrong.
TEST(Report, DrawsHowSureTheModelIsAndHowOftenItIsRight) {
  Sample sample(2, 4, 4, 4);
  sample.test.labels = {0, 1, 0, 1};
  sample.report.predictions = {{0, 0, 0, 0}, {0.95f, 0.95f, 0.5f, 0.41f}};
  const std::string page = html(sample.report), section = section_of(page, predicted_id);
  EXPECT_TRUE(contains(section, "70.2 % sure of its predictions on average, and 50.0 % of them are right")) << section;
  EXPECT_TRUE(contains(section, "The expected calibration error (ECE) is <b>0.4525</b>"));
  EXPECT_TRUE(contains(section, "In the worst bin (MCE) they differ by 0.5000."));

  EXPECT_EQ(count(section, "<rect class=\"strip\""), 15u);
  for (const char* style : {"accuracy", "gap"})  // three bins, and the legend
    EXPECT_EQ(count(section, std::string("<rect class=\"") + style + "\""), 4u) << style;
  EXPECT_EQ(count(section, "<rect class=\"share\""), 3u);
  // The last bin: half as high as the plot, which is 278; from there to 0.95 the gap. It has most of the images.
  EXPECT_TRUE(contains(section, "<rect class=\"accuracy\" x=\"581.4\" y=\"151.0\" width=\"33.1\" height=\"139.0\"/>"));
  EXPECT_TRUE(contains(section, "<rect class=\"gap\" x=\"581.4\" y=\"25.9\" width=\"33.1\" height=\"125.1\"/>"));
  EXPECT_TRUE(contains(section, "<rect class=\"share\" x=\"581.4\" y=\"312.0\" width=\"33.1\" height=\"66.0\"/>"));
  EXPECT_TRUE(contains(section,
                       "<title>confidence 0.933 to 1.000\n2 images, 50.0 %\naccuracy 0.5000\nmean confidence 0.9500<"));
  EXPECT_TRUE(contains(section, "<title>confidence 0.000 to 0.067\n0 images, 0.0 %<"));
  EXPECT_EQ(count(section, "<th scope=\"row\">"), 3u);
  EXPECT_EQ(count(section, "<th scope=\"col\">"), 5u);
  EXPECT_EQ(count(section, "<th>"), 0u);
  EXPECT_TRUE(contains(
      section, "<tr><th scope=\"row\">0.400 to 0.467</th><td>1</td><td>0.4100</td><td>0.0000</td><td>+0.4100<"));

  const json data = data_of(page)["calibration"];
  EXPECT_NEAR(data["ece"].get<double>(), 0.4525, 1e-6);
  EXPECT_EQ(data["bins"][14]["count"], 2);
  EXPECT_EQ(data["bins"][14]["accuracy"], 0.5);
}

TEST(Report, FramesAndMarksTheWrongPredictions) {
  const std::string page = html(Sample(10, 200).report), predictions = section_of(page, "predictions");
  EXPECT_EQ(count(predictions, "<li class=\"wrong\">"), 20u);
  EXPECT_EQ(count(predictions, "<li class=\"right\">"), 10u);
  EXPECT_EQ(count(predictions, "\u2717"), 20u);
  EXPECT_EQ(count(predictions, "\u2713"), 10u);
  EXPECT_TRUE(contains(page, ".gallery li.wrong { border-color: var(--bad); }"));
  // Image 89 is the surest of the wrong ones: its class above, what it was taken for below.
  const std::string first = predictions.substr(predictions.find("<li class=\"wrong\">"));
  EXPECT_TRUE(first.starts_with("<li class=\"wrong\"><span class=\"label\">class 9</span><img "))
      << first.substr(0, 200);
  EXPECT_TRUE(contains(first.substr(0, first.find("</li>")), "image 89 of the test set"));
  EXPECT_TRUE(contains(first.substr(0, first.find("</li>")), "100.0 %"));
}

TEST(Report, ShowsTheWeightsOfAtMost64Classes) {
  const std::string few = section_of(html(Sample(10, 50).report), "weights");
  EXPECT_EQ(count(few, "<li>"), 10u);
  EXPECT_TRUE(contains(few, "\u2264 -0.0")) << "the ends of the scale";
  const std::string many = section_of(html(Sample(70, 70).report), "weights");
  EXPECT_EQ(count(many, "<li>"), 64u);
  EXPECT_TRUE(contains(many, "The first 64 of 70 classes."));
}

TEST(Report, TellsTheMostThatLayInAQueueAndWhatItHolds) {
  Sample sample(3, 30);
  sample.report.graphs[1].stats->stages[0].high_water = 3;
  sample.report.graphs[1].stats->stages[0].capacity = 17;
  EXPECT_TRUE(contains(section_of(html(sample.report), "stages"), "<td>3/17</td>"));
}

// The bytes of the image that follows behind `at`.
std::string embedded(const std::string& html, std::size_t at) {
  const std::string begin = "base64,", digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  std::size_t have = 0;
  for (at = html.find(begin, at) + begin.size(); html[at] != '"' && html[at] != '='; ++at) {
    bits = bits << 6 | static_cast<std::uint32_t>(digits.find(html[at]));
    have += 6;
    if (have >= 8) have -= 8, bytes += static_cast<char>(bits >> have & 0xff);
  }
  return bytes;
}

TEST(Report, ShowsWhatSpeaksForAClassInRedAndWhatSpeaksAgainstItInBlue) {
  Sample sample(2, 50, 4, 4);
  std::fill(sample.model.weights.begin(), sample.model.weights.end(), 0.f);
  sample.model.weights[0] = -0.5f, sample.model.weights[1] = 0.5f;  // of the first class
  const std::string weights = section_of(html(sample.report), "weights");
  EXPECT_TRUE(contains(weights, "\u2264 -0.5")) << "almost all of them are 0, and the scale is not";
  std::size_t width = 0, height = 0;
  const auto bar = decoded(embedded(weights, weights.find("class=\"bar\"")), PNG_FORMAT_RGBA, width, height);
  ASSERT_EQ(width, 255u);
  EXPECT_GT(bar[2], bar[0]) << "the lower end is blue";
  EXPECT_GT(bar[4 * 254], bar[4 * 254 + 2]) << "the upper end is red";
  EXPECT_EQ(bar[4 * 127 + 3], 0u) << "nothing in between";
  const auto image = decoded(embedded(weights, weights.find("<li>")), PNG_FORMAT_RGBA, width, height);
  const std::size_t pixel = width / 4 * 4;  // bytes of a pixel's row, as large as it is drawn
  EXPECT_GT(image[2], image[0]) << "the first pixel speaks against it";
  EXPECT_GT(image[pixel], image[pixel + 2]) << "the second for it";
  EXPECT_EQ(image[3], 255u);
}

TEST(Report, IsSmallWhateverTheDataSet) {
  EXPECT_LT(html(Sample(60, 10'000).report).size(), most_bytes);
  EXPECT_LT(html(Sample(256, 2'000, 100, 100, 300).report).size(), most_bytes);
  EXPECT_LT(html(Sample(3, 100, 300, 300).report).size(), most_bytes);
  EXPECT_LT(html(Sample(10, 100, 1, 3072).report).size(), most_bytes);
}

TEST(Report, OfNothingSaysSo) {
  Report nothing;
  nothing.outcome = "interrupted in epoch 1";
  const std::string page = html(nothing);
  for (const std::string& id : ids) {
    EXPECT_TRUE(contains(section_of(page, id), "class=\"note\"")) << id;
    EXPECT_FALSE(contains(section_of(page, id), "<svg")) << id;
  }
  EXPECT_TRUE(contains(section_of(page, "summary"), "interrupted in epoch 1"));
  EXPECT_TRUE(data_of(page)["confusion"].is_null());
  EXPECT_TRUE(data_of(page)["calibration"].is_null());
  EXPECT_EQ(count(page, "#" + predicted_id), 0u) << "a link to nothing";
  EXPECT_TRUE(section_of(page, predicted_id).empty());
}

TEST(Report, WithoutAWrongOrARightPredictionSaysSo) {
  Sample sample(2, 20);
  for (std::size_t i = 0; i < 20; ++i) sample.report.predictions.predicted[i] = sample.test.labels[i];
  EXPECT_TRUE(contains(html(sample.report), "None is wrong."));
  for (std::size_t i = 0; i < 20; ++i)
    sample.report.predictions.predicted[i] = static_cast<std::uint16_t>(1 - sample.test.labels[i]);
  EXPECT_TRUE(contains(html(sample.report), "None is right."));
}

TEST(ReportImage, IsAPngWithTheSamePixels) {
  std::size_t width = 0, height = 0;
  std::vector<std::uint8_t> grey(28 * 30);
  for (std::size_t i = 0; i < grey.size(); ++i) grey[i] = static_cast<std::uint8_t>(i * 37);
  EXPECT_EQ(decoded(png(28, 30, grey), PNG_FORMAT_GRAY, width, height), grey);
  EXPECT_EQ(width, 28u);
  EXPECT_EQ(height, 30u);

  const std::vector<Rgba> palette = {{255, 0, 0, 255}, {0, 0, 255, 128}, {1, 2, 3, 0}};
  const std::vector<std::uint8_t> four = {255, 0, 0, 255, 0, 0, 255, 128, 255, 0, 0, 255, 1, 2, 3, 0};
  EXPECT_EQ(decoded(png(2, 2, {0, 1, 0, 2}, palette), PNG_FORMAT_RGBA, width, height), four);
}

TEST(ReportImage, ShrinksByTheMeansOfBoxes) {
  const Image image{4, 2, {1, 3, 10, 20, 5, 7, 30, 40}};
  const Image half = shrunk(image, 2);
  EXPECT_EQ(half.width, 2u);
  EXPECT_EQ(half.height, 1u);
  EXPECT_EQ(half.values, (std::vector<float>{4, 25}));
  EXPECT_EQ(shrunk(image, 4).values, image.values);
  const Image line = shrunk({3072, 1, std::vector<float>(3072, 9)}, 96);
  EXPECT_EQ(line.width, 96u);
  EXPECT_EQ(line.height, 1u);
  EXPECT_EQ(line.values, std::vector<float>(96, 9));
}

TEST(ReportImage, OfColoursIsAPngWithTheSameColours) {
  std::size_t width = 0, height = 0;
  const std::vector<std::uint8_t> two = {255, 0, 1, 2, 3, 4};
  EXPECT_EQ(decoded(png_of_colours(1, 2, two), PNG_FORMAT_RGB, width, height), two);
  EXPECT_EQ(height, 2u);
}

TEST(ReportImage, IsAveragedToAnySmallerSize) {
  const Image image{4, 2, {1, 3, 10, 20, 5, 7, 30, 40}};
  EXPECT_EQ(averaged(image, 2, 2).values, (std::vector<float>{2, 15, 6, 35}));
  EXPECT_EQ(averaged(image, 4, 1).values, (std::vector<float>{3, 5, 20, 30}));
  EXPECT_EQ(averaged(image, 4, 2).values, image.values);
}

TEST(ReportImage, IsBase64InAUri) {
  EXPECT_EQ(data_uri("M"), "data:image/png;base64,TQ==");
  EXPECT_EQ(data_uri("Man"), "data:image/png;base64,TWFu");
}

TEST(Report, IsTheSameForTheSameRun) {
  const Sample sample(10, 200);
  EXPECT_EQ(html(sample.report), html(sample.report));
}

}  // namespace
}  // namespace sluice::apps::testing
