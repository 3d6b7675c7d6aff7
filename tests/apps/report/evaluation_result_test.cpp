#include "apps/report/evaluation_result.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "apps/terminal/plain_text.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/random.hpp"

namespace sluice::apps::testing {
namespace {

using nlohmann::json;
using stages::Calibration;
using stages::Confusion;
using Names = std::vector<std::string>;

Confusion counted(const std::vector<std::vector<int>>& matrix) {
  Confusion confusion{.classes = matrix.size()};
  for (std::size_t label = 0; label < matrix.size(); ++label)
    for (std::size_t c = 0; c < matrix.size(); ++c)
      for (int i = 0; i < matrix[label][c]; ++i) confusion.add(label, c);
  return confusion;
}

Names numbered(std::size_t classes) {
  Names names;
  for (std::size_t c = 0; c < classes; ++c) names.push_back("class " + std::to_string(c));
  return names;
}

// cat: 8 images, 6 right, 1 taken for a dog, 1 for a bird. dog: 4, 2 right, 2 taken for a cat. bird: 2, 1 right, 1
// taken for a cat. fish: no image, never predicted.
const EvaluationResult pets = evaluation_result({.loss = 0.5, .accuracy = 9.0 / 14, .count = 14},
                                                counted({{6, 1, 1, 0}, {2, 2, 0, 0}, {1, 0, 1, 0}, {0, 0, 0, 0}}),
                                                {"cat", "dog", "bird", "fish"});

TEST(EvaluationResult, OfEachClassHasPrecisionRecallAndF1) {
  ASSERT_EQ(pets.classes.size(), 4u);
  const auto& cat = pets.classes[0];
  EXPECT_EQ(cat.name, "cat");
  EXPECT_EQ(cat.support, 8u);
  EXPECT_EQ(cat.predicted, 9u);
  EXPECT_EQ(cat.right, 6u);
  EXPECT_EQ(cat.precision, 6.0 / 9);
  EXPECT_EQ(cat.recall, 0.75);
  EXPECT_EQ(cat.f1, 12.0 / 17);
  const auto& dog = pets.classes[1];
  EXPECT_EQ(dog.precision, 2.0 / 3);
  EXPECT_EQ(dog.recall, 0.5);
  EXPECT_EQ(dog.f1, 4.0 / 7);
  EXPECT_EQ(pets.classes[2].precision, 0.5);
}

TEST(EvaluationResult, WhatIsUndefinedHasNoValueAndNoPartInTheAverages) {
  const auto& fish = pets.classes[3];
  EXPECT_FALSE(fish.precision || fish.recall || fish.f1);
  EXPECT_DOUBLE_EQ(pets.macro.precision.value(), (6.0 / 9 + 2.0 / 3 + 0.5) / 3);
  EXPECT_DOUBLE_EQ(pets.macro.recall.value(), (0.75 + 0.5 + 0.5) / 3);
  EXPECT_DOUBLE_EQ(pets.macro.f1.value(), (12.0 / 17 + 4.0 / 7 + 0.5) / 3);

  // Images of both classes, one of them never predicted: no precision, but its F1 is 0.
  const EvaluationResult never = evaluation_result({}, counted({{3, 0}, {2, 0}}), {"a", "b"});
  EXPECT_FALSE(never.classes[1].precision);
  EXPECT_EQ(never.classes[1].recall, 0);
  EXPECT_EQ(never.classes[1].f1, 0);
  // Predicted, but no image of it: no recall.
  const EvaluationResult none = evaluation_result({}, counted({{3, 1}, {0, 0}}), {"a", "b"});
  EXPECT_EQ(none.classes[1].precision, 0);
  EXPECT_FALSE(none.classes[1].recall);
  EXPECT_EQ(none.classes[1].f1, 0);
  const EvaluationResult empty = evaluation_result({}, Confusion{.classes = 2}, {"a", "b"});
  EXPECT_FALSE(empty.macro.precision || empty.macro.recall || empty.macro.f1);
}

TEST(EvaluationResult, ConfusedPairsComeMostOftenFirstThenByClass) {
  const std::vector<std::pair<std::size_t, std::size_t>> expected{{1, 0}, {0, 1}, {0, 2}, {2, 0}};
  ASSERT_EQ(pets.confused.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(std::pair(pets.confused[i].label, pets.confused[i].predicted), expected[i]) << i;
  EXPECT_EQ(pets.confused[0].count, 2u);
  EXPECT_EQ(pets.confused[0].share, 0.5);
  EXPECT_EQ(pets.confused[1].share, 0.125);
}

TEST(EvaluationResult, AgreesWithTheDefinitionOnRandomPredictions) {
  for (const std::size_t classes : {std::size_t{2}, std::size_t{10}, std::size_t{300}}) {
    test::Random random(classes);
    std::vector<std::pair<std::size_t, std::size_t>> images;  // label, prediction
    for (int i = 0; i < 2000; ++i) {
      const std::size_t label = random.below(classes);
      images.emplace_back(label, random.below(3) ? label : random.below(classes));
    }
    Confusion confusion{.classes = classes};
    for (const auto& [label, predicted] : images) confusion.add(label, predicted);
    const EvaluationResult r = evaluation_result({}, confusion, numbered(classes));
    for (std::size_t c = 0; c < classes; ++c) {
      double tp = 0, fp = 0, fn = 0;
      for (const auto& [label, predicted] : images)
        tp += label == c && predicted == c, fp += label != c && predicted == c, fn += label == c && predicted != c;
      const auto& k = r.classes[c];
      const auto ratio = [](double a, double b) { return b > 0 ? std::optional(a / b) : std::nullopt; };
      EXPECT_EQ(k.precision, ratio(tp, tp + fp));
      EXPECT_EQ(k.recall, ratio(tp, tp + fn));
      if (tp > 0) {
        EXPECT_NEAR(*k.f1, 2 / (1 / *k.precision + 1 / *k.recall), 1e-12);  // the harmonic mean
      }
    }
  }
}

TEST(EvaluationResult, TheTableIsAligned) {
  EXPECT_EQ(to_table(pets),
            R"(loss 0.5000, accuracy 0.6429 over 14 images

class             images  predicted  precision  recall      F1
0 cat                  8          9     0.6667  0.7500  0.7059
1 dog                  4          3     0.6667  0.5000  0.5714
2 bird                 2          2     0.5000  0.5000  0.5000
3 fish                 0          0          -       -       -
macro average                           0.6111  0.5833  0.5924
The average is over the 3 classes among labels or predictions; - counts as 0.

True class (rows), predicted class (columns)
        0  1  2  3
0 cat   6  1  1  .
1 dog   2  2  .  .
2 bird  1  .  1  .
3 fish  .  .  .  .

Most confused
2  dog taken for cat (50.0 % of all dog)
1  cat taken for dog (12.5 % of all cat)
1  cat taken for bird (12.5 % of all cat)
1  bird taken for cat (50.0 % of all bird)
)");
}

TEST(EvaluationResult, TheTableIsAlignedWhateverTheNames) {
  const EvaluationResult r = evaluation_result({}, counted({{1, 2, 0, 0}, {0, 3, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}),
                                               {std::string(500, 'x'), "Mützen", "靴下", "a\x1b[31m\n\xff"});
  std::map<std::size_t, int> widths;
  const std::vector<std::string> all = lines(to_table(r));
  for (std::size_t i = 2; i < 7; ++i) ++widths[columns(all[i])];
  EXPECT_EQ(widths.size(), 1u) << to_table(r);
  EXPECT_LE(widths.begin()->first, 100u);
  EXPECT_EQ(to_table(r).find('\x1b'), std::string::npos);
  EXPECT_TRUE(contains(to_table(r), "\u2026"));
}

TEST(EvaluationResult, OfManyClassesTheTableHasThoseWithTheLowestF1) {
  Confusion confusion{.classes = 1000};
  for (std::size_t c = 0; c < 1000; ++c) confusion.add(c, c), confusion.add(c, c == 700 ? 3 : c);
  const std::string text = to_table(evaluation_result({}, confusion, numbered(1000)));
  EXPECT_LT(lines(text).size(), 40u);
  EXPECT_EQ(lines(text)[3].substr(0, 13), "700 class 700") << text;
  EXPECT_TRUE(contains(text, "Of 1000 classes the 20 with the lowest F1"));
  EXPECT_FALSE(contains(text, "True class"));
  EXPECT_TRUE(contains(text, "1  class 700 taken for class 3 (50.0 % of all class 700)"));
}

TEST(EvaluationResult, IsOneObjectOfJson) {
  const json j = json::parse(to_json(pets).dump());
  EXPECT_EQ(j["command"], "eval");
  EXPECT_EQ(j["loss"], 0.5);
  EXPECT_EQ(j["accuracy"], 9.0 / 14);
  EXPECT_EQ(j["count"], 14);
  const json dog = {{"class", 1},    {"name", "dog"}, {"precision", 2.0 / 3}, {"recall", 0.5},
                    {"f1", 4.0 / 7}, {"support", 4},  {"predicted", 3}};
  EXPECT_EQ(j["classes"][1], dog);
  EXPECT_TRUE(j["classes"][3]["precision"].is_null());
  EXPECT_EQ(j["macro"]["recall"], *pets.macro.recall);
  EXPECT_EQ(j["confusion"], json({{6, 1, 1, 0}, {2, 2, 0, 0}, {1, 0, 1, 0}, {0, 0, 0, 0}}));
  const json first = {{"label", 1}, {"predicted", 0}, {"label_name", "dog"}, {"predicted_name", "cat"},
                      {"count", 2}, {"share", 0.5}};
  EXPECT_EQ(j["confused"][0], first);
  EXPECT_EQ(j["confused"].size(), 4u);
}

TEST(EvaluationResult, OfVeryManyClassesJsonHasNoMatrix) {
  EXPECT_EQ(to_json(evaluation_result({}, Confusion{.classes = 256}, numbered(256)))["confusion"].size(), 256u);
  Confusion confusion{.classes = 65536};
  for (std::size_t c = 1; c < 65536; ++c) confusion.add(c, c - 1);
  const auto j = to_json(evaluation_result({}, confusion, numbered(65536)));
  EXPECT_FALSE(j.contains("confusion"));
  EXPECT_EQ(j["classes"].size(), 65536u);
  EXPECT_EQ(j["confused"].size(), 1000u);
}

TEST(EvaluationResult, ItsCsvHasALineForEachClass) {
  EXPECT_EQ(to_csv(pets),
            "class,name,support,predicted,precision,recall,f1\n"
            "0,cat,8,9,0.6666666666666666,0.75,0.7058823529411765\n"
            "1,dog,4,3,0.6666666666666666,0.5,0.5714285714285714\n"
            "2,bird,2,2,0.5,0.5,0.5\n"
            "3,fish,0,0,,,\n");
  EXPECT_EQ(std::strtod("0.7058823529411765", nullptr), pets.classes[0].f1);
}

TEST(EvaluationResult, FieldsOfCsvAreQuotedWhereTheyMustBe) {
  const std::string csv = to_csv(
      evaluation_result({}, Confusion{.classes = 4}, {"a,b", "say \"a\"", "two\nlines", " plain; M\xc3\xbctze"}));
  EXPECT_EQ(csv,
            "class,name,support,predicted,precision,recall,f1\n"
            "0,\"a,b\",0,0,,,\n1,\"say \"\"a\"\"\",0,0,,,\n2,\"two\nlines\",0,0,,,\n3, plain; M\xc3\xbctze,0,0,,,\n");
}

// As classification_report of scikit-learn 1.2 has it: with y_true = [0, 0, 1, 1, 2], y_pred = [0, 0, 0, 1, 1] and
// labels 0 to 3 the macro average is 0.388889, 0.500000, 0.433333.
TEST(EvaluationResult, TheAverageCountsAClassThatIsNeverPredicted) {
  Confusion confusion{.classes = 4};
  for (const auto& [label, predicted] : {std::pair{0u, 0u}, {0u, 0u}, {1u, 0u}, {1u, 1u}, {2u, 1u}})
    confusion.add(label, predicted);
  const EvaluationResult r = evaluation_result({}, confusion, {"a", "b", "c", "d"});
  EXPECT_EQ(r.classes[2].precision, std::nullopt);
  EXPECT_EQ(r.macro_classes, 3u);
  EXPECT_NEAR(*r.macro.precision, 0.388889, 1e-6);
  EXPECT_NEAR(*r.macro.recall, 0.5, 1e-6);
  EXPECT_NEAR(*r.macro.f1, 0.433333, 1e-6);
  EXPECT_EQ(to_json(r)["macro"]["classes"], 3);
  EXPECT_EQ(to_json(r)["macro"]["undefined_as"], 0);
}

// Six images of the classes of `pets`: how sure the model was, the place of the right class, scores of cats.
Calibration six_pets() {
  Calibration c{.classes = 4};
  for (const float p : {0.9f, 0.85f, 0.6f}) c.reliability.add(p, true);
  for (const float p : {0.8f, 0.7f, 0.4f}) c.reliability.add(p, false);
  c.ranks = {3, 1, 2};
  c.roc.add(0, true, 2), c.roc.add(0, true, -1), c.roc.add(0, false, 0), c.roc.add(0, false, -3);
  c.roc.add(1, true, 1), c.roc.add(1, false, 0.5f), c.roc.add(1, false, 1);
  for (const std::size_t none : {2u, 3u}) c.roc.add(none, false, -2);
  return c;
}

EvaluationResult counted_pets() {
  const Calibration c = six_pets();
  return evaluation_result({.loss = 0.5, .accuracy = 0.5, .count = 6},
                           counted({{2, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 0}}),
                           {"cat", "dog", "bird", "fish"}, &c);
}

TEST(EvaluationResult, OfProbabilitiesHasErrorsTopKAndAreas) {
  const EvaluationResult r = counted_pets();
  ASSERT_TRUE(r.probabilities);
  const auto& p = *r.probabilities;
  ASSERT_EQ(p.top.size(), 3u) << "1, 2 and 3 of four classes";
  EXPECT_EQ(p.top[0].accuracy, r.metrics.accuracy);
  EXPECT_EQ(p.top[1].k, 2u);
  EXPECT_DOUBLE_EQ(*p.top[1].accuracy, 4 / 6.0);
  EXPECT_EQ(p.top[2].accuracy, 1);
  EXPECT_EQ(r.classes[0].roc_auc, 0.75);
  EXPECT_EQ(r.classes[1].roc_auc, 0.75) << "one pair in order, one tie";
  EXPECT_FALSE(r.classes[2].roc_auc || r.classes[3].roc_auc);
  EXPECT_EQ(p.roc_auc, 0.75);
  EXPECT_EQ(p.roc_error, 0.125) << "the mean of 0 and 1/4";
  EXPECT_EQ(p.roc_classes, 2u);
  EXPECT_FALSE(pets.probabilities);
}

TEST(EvaluationResult, TheTableTellsWhatProbabilitiesAreWorth) {
  EXPECT_EQ(to_table(counted_pets()), R"(loss 0.5000, accuracy 0.5000 over 6 images
top-2 accuracy 0.6667, top-3 1.0000
confidence 0.7083 on average; calibration error 0.3750 expected (ECE), 0.7000 in the worst bin (MCE)
ROC AUC 0.7500 (within 0.1250), the mean of 2 of 4 classes, each against the rest: the others have no images, or all

class             images  predicted  precision  recall      F1  ROC AUC
0 cat                  3          3     0.6667  0.6667  0.6667   0.7500
1 dog                  2          3     0.3333  0.5000  0.4000   0.7500
2 bird                 1          0          -  0.0000  0.0000        -
3 fish                 0          0          -       -       -        -
macro average                           0.3333  0.3889  0.3556
The average is over the 3 classes among labels or predictions; - counts as 0.

True class (rows), predicted class (columns)
        0  1  2  3
0 cat   2  1  .  .
1 dog   1  1  .  .
2 bird  .  1  .  .
3 fish  .  .  .  .

Most confused
1  cat taken for dog (33.3 % of all cat)
1  dog taken for cat (50.0 % of all dog)
1  bird taken for dog (100.0 % of all bird)
)");
}

TEST(EvaluationResult, OfTwoClassesThereIsOneAreaAndNoTopK) {
  Calibration c{.classes = 2};
  c.reliability.add(0.75f, true), c.ranks = {1};
  c.roc.add(1, true, 1), c.roc.add(1, false, 0);
  const EvaluationResult r = evaluation_result({}, counted({{1, 0}, {0, 1}}), {"a", "b"}, &c);
  EXPECT_TRUE(contains(to_table(r), "\nROC AUC 1.0000\n\n")) << to_table(r);
  EXPECT_FALSE(contains(to_table(r), "top-"));
  EXPECT_EQ(to_csv(r).substr(to_csv(r).find('\n') + 1), "0,a,1,1,1,1,1,1\n1,b,1,1,1,1,1,1\n");
  const json j = json::parse(to_json(r).dump());
  EXPECT_EQ(j["roc_auc"], json({{"macro", 1.0}, {"classes", 2}, {"error", 0.0}}));
  EXPECT_EQ(j["top_k_accuracy"], json({{"1", 1.0}}));
}

TEST(EvaluationResult, OfMoreThanSixtyFourClassesThereIsNoArea) {
  Calibration c{.classes = 65};
  c.reliability.add(0.75f, true), c.ranks = {1};
  const EvaluationResult r = evaluation_result({}, Confusion{.classes = 65}, numbered(65), &c);
  EXPECT_TRUE(contains(to_table(r), "\nROC AUC is left out beyond 64 classes.\n")) << to_table(r);
  EXPECT_TRUE(contains(to_table(r), "top-2 accuracy 1.0000, top-3 1.0000, top-5 1.0000, top-10 1.0000\n"));
  EXPECT_FALSE(contains(to_table(r), "F1  ROC"));
  EXPECT_TRUE(to_json(r)["roc_auc"].is_null());
  EXPECT_TRUE(to_json(r)["classes"][0]["roc_auc"].is_null());
  EXPECT_TRUE(contains(to_csv(r), "\n0,class 0,0,0,,,,\n"));
}

TEST(EvaluationResult, WithoutImagesProbabilitiesHaveNoNumbers) {
  const Calibration c{.classes = 3};
  const EvaluationResult r = evaluation_result({}, Confusion{.classes = 3}, numbered(3), &c);
  EXPECT_TRUE(contains(to_table(r),
                       "top-2 accuracy -\nconfidence - on average; calibration error - expected (ECE), - "
                       "in the worst bin (MCE)\nROC AUC -, the mean of 0 of 3 classes"))
      << to_table(r);
  EXPECT_TRUE(to_json(r)["calibration"]["ece"].is_null());
  EXPECT_TRUE(to_json(r)["roc_auc"]["macro"].is_null());
}

TEST(EvaluationResult, ItsJsonAndCsvHaveWhatProbabilitiesAreWorth) {
  const json j = json::parse(to_json(counted_pets()).dump());
  EXPECT_EQ(j["log_loss"], j["loss"]);
  EXPECT_EQ(j["top_k_accuracy"], json({{"1", 0.5}, {"2", 4 / 6.0}, {"3", 1.0}}));
  EXPECT_EQ(j["roc_auc"], json({{"macro", 0.75}, {"classes", 2}, {"error", 0.125}}));
  EXPECT_EQ(j["classes"][0]["roc_auc"], 0.75);
  EXPECT_TRUE(j["classes"][3]["roc_auc"].is_null());
  const json& calibration = j["calibration"];
  EXPECT_NEAR(calibration["ece"].get<double>(), (0.1 + 0.65 + 0.4 + 0.7 + 0.4) / 6, 1e-7);
  ASSERT_EQ(calibration["bins"].size(), 15u);
  // 0.9 x 15 = 13.5: alone in bin 13.
  const json& bin = calibration["bins"][13];
  EXPECT_EQ(bin["from"], 13 / 15.0);
  EXPECT_EQ(bin["to"], 14 / 15.0);
  EXPECT_EQ(bin["count"], 1);
  EXPECT_EQ(bin["accuracy"], 1);
  EXPECT_EQ(bin["confidence"], static_cast<double>(0.9f));
  EXPECT_TRUE(calibration["bins"][0]["accuracy"].is_null());
  EXPECT_EQ(to_csv(counted_pets()),
            "class,name,support,predicted,precision,recall,f1,roc_auc\n"
            "0,cat,3,3,0.6666666666666666,0.6666666666666666,0.6666666666666666,0.75\n"
            "1,dog,2,3,0.3333333333333333,0.5,0.4,0.75\n"
            "2,bird,1,0,,0,0,\n"
            "3,fish,0,0,,,,\n");
  EXPECT_FALSE(to_json(pets).contains("calibration") || to_json(pets).contains("log_loss"));
}

TEST(EvaluationResult, NeedsANameForEachClass) {
  EXPECT_THROW(evaluation_result({}, Confusion{.classes = 3}, {"a", "b"}), std::invalid_argument);
}

// RFC 4180: what has a comma, a quote or a line end in it is quoted, whichever line end it is.
TEST(PlainText, IsQuotedInCsvWhereItHasTo) {
  EXPECT_EQ(csv_field("a b"), "a b");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(csv_field("a\nb"), "\"a\nb\"");
  EXPECT_EQ(csv_field("a\rb"), "\"a\rb\"");
}

TEST(PlainText, IsFittedIntoColumns) {
  EXPECT_EQ(columns(""), 0u);
  EXPECT_EQ(columns("Mütze"), 5u);
  EXPECT_EQ(columns("靴下"), 4u);
  EXPECT_EQ(fitted("Ankle boot", 10), "Ankle boot");
  EXPECT_EQ(fitted("Ankle boots", 10), "Ankle boo\u2026");
  EXPECT_EQ(fitted("Ääääää", 4), "Äää\u2026");
  EXPECT_EQ(fitted("靴下靴下", 4), "靴\u2026");
  EXPECT_EQ(fitted("ab", 1), "\u2026");
  EXPECT_EQ(fitted(std::string(10'000'000, 'x'), 5), "xxxx\u2026");
  for (std::size_t most = 1; most < 12; ++most) EXPECT_LE(columns(fitted("a靴b下\xf0\x9f\x91\x9f", most)), most);
}

}  // namespace
}  // namespace sluice::apps::testing
