// sluice eval and sluice predict, as they are run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/pictures/pictures.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/gzip.hpp"

namespace sluice::apps::testing {
namespace {

class StoredModel : public ::testing::Test {
 protected:
  StoredModel()
      : training(trained({"train", "--data", data.folder().path(), "--epochs", "3", "--batch-size", "50", "--output",
                          model, "--class-names", "a,\"b\",c"})) {}
  Result predict(const Arguments& more) const {
    return sluice(Arguments{"predict", "--model", model, "--images", images_} + more);
  }

  const SmallData data;
  const std::string model = data.path("model"), images_ = data.path("t10k-images-idx3-ubyte.gz");
  const json training;
};

TEST_F(StoredModel, EvalSaysWhatTheTrainingSaidOfTheTestSet) {
  const Result r = sluice({"eval", "--model", model, "--data", data.folder().path(), "--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const json object = parsed_json(r.out);
  EXPECT_EQ(object["loss"], training["test_loss"]);
  EXPECT_EQ(object["accuracy"], training["test_accuracy"]);
  EXPECT_EQ(object["count"], test_count);
  EXPECT_EQ(object["classes"][1]["name"], "\"b\"");
  for (const char* threads : {"1", "3"})
    EXPECT_EQ(sluice({"eval", "--model", model, "--data", data.folder().path(), "--json", "--threads", threads}).out,
              r.out);
}

// What eval says of probabilities, worked out from those that predict prints.
TEST_F(StoredModel, EvalSaysWhatTheProbabilitiesAreWorth) {
  const Result r = sluice({"eval", "--model", model, "--data", data.folder().path(), "--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const json object = parsed_json(r.out);
  const std::vector<std::uint8_t> labels = label_bytes(test_count);
  const std::vector<std::string> all = lines(predict({"--probabilities"}).out);
  ASSERT_EQ(all.size(), test_count);
  std::vector<double> rows(15), hits(15), confidence(15), above(classes), pairs(classes);
  std::vector<std::vector<double>> probabilities;
  std::size_t first_two = 0;
  for (std::size_t i = 0; i < test_count; ++i) {
    const json line = parsed_json(all[i]);
    const double p = line["probability"];
    const auto bin = std::min<std::size_t>(static_cast<std::size_t>(p * 15), 14);
    rows[bin] += 1, hits[bin] += line["class"] == labels[i], confidence[bin] += p;
    probabilities.push_back(line["probabilities"].get<std::vector<double>>());
    std::size_t higher = 0;
    for (const double other : probabilities[i]) higher += other > probabilities[i][labels[i]];
    first_two += higher < 2;
  }
  double expected = 0;
  for (std::size_t bin = 0; bin < 15; ++bin) {
    EXPECT_EQ(object["calibration"]["bins"][bin]["count"], rows[bin]) << bin;
    expected += std::abs(hits[bin] - confidence[bin]) / test_count;
  }
  EXPECT_NEAR(object["calibration"]["ece"].get<double>(), expected, 1e-6);
  EXPECT_EQ(object["top_k_accuracy"]["1"], object["accuracy"]);
  EXPECT_EQ(object["top_k_accuracy"]["2"], static_cast<double>(first_two) / test_count);
  EXPECT_EQ(object["log_loss"], object["loss"]);
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t i = 0; i < test_count; ++i)
      for (std::size_t k = 0; k < test_count; ++k)
        if (labels[i] == c && labels[k] != c) {
          const double a = probabilities[i][c], b = probabilities[k][c];
          pairs[c] += 1, above[c] += a > b ? 1 : a == b ? 0.5 : 0;
        }
    EXPECT_NEAR(object["classes"][c]["roc_auc"].get<double>(), above[c] / pairs[c], 0.005) << c;
  }
  EXPECT_EQ(object["roc_auc"]["classes"], classes);
  EXPECT_LT(object["roc_auc"]["error"], 0.005);

  const Result text = sluice({"eval", "--model", model, "--data", data.folder().path()});
  for (const char* words : {"\ntop-2 accuracy ", " expected (ECE), ", "\nROC AUC "})
    EXPECT_TRUE(contains(text.out, words)) << words << text.out;
  const Result csv = sluice({"eval", "--model", model, "--data", data.folder().path(), "--csv"});
  EXPECT_TRUE(csv.out.starts_with("class,name,support,predicted,precision,recall,f1,roc_auc\n")) << csv.out;
}

// Nobody types images.
TEST_F(StoredModel, ATerminalIsRefusedAsInput) {
  for (const Arguments& command : {Arguments{"eval", "--images", "-"}, Arguments{"eval", "--labels", "-"},
                                   Arguments{"predict", "--images", "-"}}) {
    std::string text = "'" + sluice_path() + "' " + command[0] + " --model '" + model + "' --data '" +
                       data.folder().path() + "' " + command[1] + " -";
    if (command[0] == "predict") text = "'" + sluice_path() + "' predict --model '" + model + "' --images -";
    const Result r = run({"timeout", "60", "script", "-qec", text, "/dev/null"});
    EXPECT_EQ(r.code, 2) << text << "\n" << r.out;
    EXPECT_TRUE(contains(r.out, "the standard input is a terminal")) << text << "\n" << r.out;
  }
}

TEST_F(StoredModel, PredictHasALineForEachImageInOrder) {
  const Result r = predict({"--top-k", "2", "--probabilities"});
  ASSERT_EQ(r.code, 0) << r.err;
  const std::vector<std::string> all = lines(r.out);
  ASSERT_EQ(all.size(), test_count);
  const std::vector<std::uint8_t> labels = label_bytes(test_count);
  std::size_t hits = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const json line = parsed_json(all[i]);
    ASSERT_EQ(line["index"], i);
    const std::size_t c = line["class"];
    hits += c == labels[i];
    EXPECT_EQ(line["top"][0]["class"], c);
    EXPECT_GE(line["top"][0]["probability"], line["top"][1]["probability"]);
    EXPECT_EQ(line["probabilities"][c], line["probability"]);
    double sum = 0;
    for (const double p : line["probabilities"]) sum += p;
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  EXPECT_EQ(static_cast<double>(hits) / test_count, training["test_accuracy"]);
  EXPECT_EQ(predict({"--top-k", "2", "--probabilities", "--threads", "3"}).out, r.out);
}

TEST_F(StoredModel, PredictReadsAPipeAndPrintsCsv) {
  const Result r = run({"bash", "-c",
                        "zcat '" + images_ + "' | '" + sluice_path() + "' predict --model '" + model +
                            "' --images - --format csv | head -n 2; exit ${PIPESTATUS[1]}"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(lines(r.out).at(0), "index,class,name,probability");
  EXPECT_TRUE(lines(r.out).at(1).starts_with("0,")) << r.out;
}

TEST_F(StoredModel, ProbabilitiesAreReadBackToTheSameFloatFromEveryFormat) {
  const std::vector<std::string> objects = lines(predict({"--probabilities", "--top-k", "2"}).out),
                                 rows_of_csv =
                                     lines(predict({"--probabilities", "--top-k", "2", "--format", "csv"}).out);
  ASSERT_EQ(objects.size(), test_count);
  ASSERT_EQ(rows_of_csv.size(), test_count + 1);
  const auto as_float = [](const json& number) { return static_cast<float>(number.get<double>()); };
  for (std::size_t i = 0; i < test_count; ++i) {
    const json line = parsed_json(objects[i]);
    std::vector<float> expected{as_float(line["probability"]), as_float(line["top"][1]["probability"])}, found;
    for (const json& p : line["probabilities"]) expected.push_back(as_float(p));
    float sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += expected[2 + c];
    EXPECT_NEAR(sum, 1, 1e-6) << "as many digits as a float has";
    // index,class,name,probability,class_2,name_2,probability_2,p_0,p_1,p_2: the quote of a name is doubled.
    const std::string& row = rows_of_csv[i + 1];
    std::vector<std::string> fields(1);
    for (const char c : row) c == ',' ? void(fields.emplace_back()) : void(fields.back() += c);
    ASSERT_EQ(fields.size(), std::size_t{7} + classes) << row;
    for (const std::size_t at : {3u, 6u, 7u, 8u, 9u}) found.push_back(std::strtof(fields[at].c_str(), nullptr));
    EXPECT_EQ(found, expected) << row;
  }
}

// A pipe that goes on later: what is asked for and what only the answer brings about.
class PipedModel : public StoredModel {
 protected:
  static std::string images(std::size_t first, std::size_t count) {
    return pixel_bytes(test_count, 2).substr(first * rows * columns, count * rows * columns);
  }
  static std::string header(std::uint32_t count) { return test::idx_header(3, {count, rows, columns}); }
  // Three images of five, then a fourth, then the last.
  void expect_an_answer_to_each(Process& program, Fifo& fifo, std::size_t printed_before = 0) const {
    ASSERT_TRUE(program.is_given(header(5) + images(0, 3), fifo));
    ASSERT_TRUE(program.prints(printed_before + 3));
    ASSERT_TRUE(program.is_given(images(3, 1), fifo));
    ASSERT_TRUE(program.prints(printed_before + 4));
    ASSERT_TRUE(program.is_given(images(4, 1), fifo));
    ASSERT_TRUE(program.prints(printed_before + 5));
    fifo.close();
    const Result r = program.wait();
    EXPECT_EQ(r.code, 0) << r.err;
    std::vector<std::string> all = lines(predict({}).out);
    all.resize(5);
    for (std::size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ(parsed_json(lines(r.out).at(printed_before + i))["probability"], parsed_json(all[i])["probability"]);
  }
};

TEST_F(PipedModel, EachImageIsAnsweredWhenItComes) {
  const Arguments one_cpu{"taskset", "-c", "0"};
  const Arguments from_input{"sh", "-c", "f=$1; shift; exec \"$@\" <\"$f\"", "sh"};
  int number = 0;
  for (const char* threads : {"1", "2", ""})
    for (const bool input : {true, false}) {
      Fifo fifo(data.path("fifo" + std::to_string(++number)));
      Arguments command{sluice_path(), "predict", "--model", model, "--images", input ? "-" : fifo.path()};
      command = *threads ? command + Arguments{"--threads", threads} : one_cpu + command;
      if (input) command = from_input + Arguments{fifo.path()} + command;
      SCOPED_TRACE(fifo.path() + threads);
      Process program(command);
      expect_an_answer_to_each(program, fifo);
    }
}

TEST_F(PipedModel, EachImageIsAnsweredWhateverElseIsRead) {
  const std::string labels = data.folder().write("five", test::idx_labels(std::vector<std::uint8_t>(5, 1)));
  for (const char* threads : {"1", "2"}) {
    const Arguments predict{sluice_path(), "predict", "--model", model, "--threads", threads, "--images"};
    {
      Fifo fifo(data.path(std::string("with_labels") + threads));
      Process program(predict + Arguments{fifo.path(), "--labels", labels, "--gallery", data.path("g.svg")});
      expect_an_answer_to_each(program, fifo);
      EXPECT_TRUE(contains(test::contents_of(data.path("g.svg")), "<image"));
    }
    Fifo fifo(data.path(std::string("in_a_list") + threads));
    Process program(predict + Arguments{images_ + "," + fifo.path()});
    ASSERT_TRUE(program.prints(test_count));
    expect_an_answer_to_each(program, fifo, test_count);
  }
  // Both of them pipes, and the labels come last.
  Fifo fifo(data.path("images")), of_labels(data.path("labels"));
  Process program({sluice_path(), "predict", "--model", model, "--threads", "1", "--images", fifo.path(), "--labels",
                   of_labels.path(), "--gallery", data.path("h.svg")});
  ASSERT_TRUE(program.is_given(header(2) + images(0, 2), fifo));
  ASSERT_TRUE(program.prints(2));
  ASSERT_TRUE(program.is_given(test::idx_labels({0, 1}), of_labels));
  of_labels.close();
  fifo.close();
  EXPECT_EQ(program.wait().code, 0);
}

TEST_F(PipedModel, EndsWhenNobodyReadsAlthoughTheInputIsIdle) {
  for (const char* threads : {"1", "2"}) {
    Fifo fifo(data.path(std::string("fifo") + threads));
    Process program({sluice_path(), "predict", "--model", model, "--threads", threads, "--images", fifo.path()});
    ASSERT_TRUE(program.is_given(header(5) + images(0, 2), fifo));
    ASSERT_TRUE(program.prints(2));
    program.stop_reading();
    ASSERT_TRUE(program.ends()) << "although the pipe is open";
    const Result r = program.wait();
    EXPECT_EQ(r.code, 0);
    EXPECT_EQ(r.err, "");
  }
}

TEST_F(PipedModel, ASignalEndsItsWaitWhereThereIsAGalleryToLeaveOut) {
  for (const bool of_labels : {false, true}) {
    Fifo fifo(data.path(of_labels ? "labels" : "images"));
    const std::string svg = data.path("g.svg");
    Process program({sluice_path(), "predict", "--model", model, "--images", of_labels ? images_ : fifo.path(),
                     "--labels", of_labels ? fifo.path() : data.path("t10k-labels-idx1-ubyte.gz"), "--gallery", svg});
    ASSERT_TRUE(program.is_given(of_labels ? test::idx_labels({0}).substr(0, 4) : header(200) + images(0, 2), fifo));
    program.signal(SIGTERM);
    ASSERT_TRUE(program.ends());
    const Result r = program.wait();
    EXPECT_EQ(r.code, 128 + SIGTERM) << r.signal;
    EXPECT_EQ(r.err, "sluice: interrupted: " + svg + " was not written\n");
    EXPECT_FALSE(std::filesystem::exists(svg));
  }
}

TEST_F(StoredModel, PredictDrawsAGallery) {
  const std::string labels = data.path("t10k-labels-idx1-ubyte.gz"), png = data.path("g.png"), svg = data.path("g.svg");
  const std::string lines_alone = predict({}).out;
  EXPECT_EQ(predict({"--gallery", png, "--labels", labels}).out, lines_alone);
  std::size_t width = 0, height = 0;
  decoded(test::contents_of(png), PNG_FORMAT_RGB, width, height);
  EXPECT_GT(width, height);  // 32 images, eight in a row
  EXPECT_EQ(predict({"--gallery", svg, "--gallery-images", "3"}).code, 0);
  const std::string drawn = test::contents_of(svg);
  std::size_t images = 0;
  for (std::size_t at = 0; (at = drawn.find("<image", at)) != std::string::npos; ++at) ++images;
  EXPECT_EQ(images, 3u);
  // A reader that stops early takes nothing away from the picture.
  const Result head = run({"bash", "-c",
                           "'" + sluice_path() + "' predict --model '" + model + "' --images '" + images_ +
                               "' --gallery '" + svg + "' --gallery-images 150 | head -n 1; exit ${PIPESTATUS[0]}"});
  EXPECT_EQ(head.code, 0) << head.err;
  EXPECT_GT(test::contents_of(svg).size(), drawn.size());

  for (const Arguments& wrong : {Arguments{"--gallery", data.path("g.jpeg")},
                                 {"--labels", labels},
                                 {"--gallery", data.path("no/g.png")},
                                 {"--gallery", images_}})
    EXPECT_EQ(predict(wrong).code, 2);
  const std::string names = data.folder().write("n.svg", "a\nb\nc\n");
  const Result replaced = predict({"--class-names", "@" + names, "--gallery", names});
  EXPECT_EQ(replaced.code, 2);
  EXPECT_TRUE(contains(replaced.err, "is the input " + names)) << replaced.err;
  EXPECT_EQ(test::contents_of(names), "a\nb\nc\n");
  const Result count = predict({"--gallery", data.path("x.png"), "--labels", data.path("train-labels-idx1-ubyte.gz")});
  EXPECT_EQ(count.code, 3);
  EXPECT_EQ(count.out, "");
  EXPECT_TRUE(contains(count.err, "has 200 images") && contains(count.err, "has 500 labels")) << count.err;
}

TEST_F(StoredModel, LabelsMayComeThroughThePipe) {
  const std::string labels = data.path("t10k-labels-idx1-ubyte.gz"), from_file = data.path("f.svg"),
                    from_pipe = data.path("p.svg");
  ASSERT_EQ(predict({"--labels", labels, "--gallery", from_file}).code, 0);
  const Result r = run({"bash", "-c",
                        "cat '" + labels + "' | '" + sluice_path() + "' predict --model '" + model + "' --images '" +
                            images_ + "' --labels - --gallery '" + from_pipe + "'"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(test::contents_of(from_pipe), test::contents_of(from_file));
}

// Six rows of seven pixels, one of which is white: it is where it was, and each other is dark.
TEST_F(StoredModel, AGalleryShowsImagesThatAreNotSquareAsTheyAre) {
  for (const auto& [row, column] : {std::pair{0u, 6u}, {5u, 0u}, {3u, 2u}}) {
    std::string pixels(rows * columns, '\0');
    pixels[row * columns + column] = '\xff';
    const std::string image = data.folder().write("one", test::idx_images(pixels, rows, columns)),
                      png = data.path("one.png");
    ASSERT_EQ(sluice({"predict", "--model", model, "--images", image, "--gallery", png}).code, 0);
    std::size_t width = 0, height = 0;
    const std::vector<std::uint8_t> drawn = decoded(test::contents_of(png), PNG_FORMAT_RGB, width, height);
    // A pixel is a square of 20; where the image lies is found by its black rows.
    const auto grey = [&](std::size_t x, std::size_t y) { return drawn[3 * (y * width + x)]; };
    std::size_t left = width, top = height;
    const std::size_t a_row = columns * 20;
    for (std::size_t y = 0; y < height && top == height; ++y)
      for (std::size_t x = 0; x + a_row <= width && top == height; ++x) {
        bool whole = true;
        for (std::size_t i = 0; i < a_row && whole; ++i) {
          const bool white = row == 0 && i / 20 == column;
          whole = grey(x + i, y) == (white ? 255 : 0);
        }
        if (whole) left = x, top = y;
      }
    ASSERT_LT(top, height);
    for (std::size_t y = 0; y < rows; ++y)
      for (std::size_t x = 0; x < columns; ++x)
        EXPECT_EQ(grey(left + x * 20 + 10, top + y * 20 + 10), y == row && x == column ? 255 : 0) << y << " " << x;
  }
}

// The same images as float32, once of 0 to 255 and once of 0 to 1.
TEST_F(StoredModel, TheScaleIsTheModelsOwnUnlessAFlagSaysOtherwise) {
  const auto floats = [&](float divisor) {
    std::string bytes = test::idx_header(3, {test_count, rows, columns}, 0x0d);
    for (const char c : pixel_bytes(test_count, 2)) {
      const float value = static_cast<float>(static_cast<unsigned char>(c)) / divisor;
      std::string number(reinterpret_cast<const char*>(&value), sizeof value);
      std::reverse(number.begin(), number.end());
      bytes += number;
    }
    return bytes;
  };
  const std::string expected = predict({}).out;
  const std::string of_bytes = data.folder().write("f255", floats(255.f / 255));
  const std::string of_256 = data.folder().write("f256", floats(256));
  const Result own = sluice({"predict", "--model", model, "--images", of_bytes});
  EXPECT_EQ(own.out, expected);
  EXPECT_EQ(own.err, "") << "0 to 255, as bytes";
  const std::string of_1 = data.folder().write("f1", floats(255));
  const std::string warning = "sluice: warning: " + of_1 +
                              ": pixels of another type than uint8, none above 1, and the scale of the model, 1/255, "
                              "is the usual one of uint8: --scale 1 is that of these pixels, --scale 1/255 keeps the "
                              "model's without this warning\n";
  EXPECT_EQ(sluice({"predict", "--model", model, "--images", of_1}).err, warning);
  for (const char* scale : {"1", "1/255"})
    EXPECT_EQ(sluice({"predict", "--model", model, "--images", of_1, "--scale", scale}).err, "");
  const std::string labels = data.path("t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(sluice({"eval", "--model", model, "--images", of_1, "--labels", labels}).err, warning);
  EXPECT_EQ(sluice({"predict", "--model", model, "--images", of_256, "--scale", "1/0.99609375"}).out, expected);
  EXPECT_NE(sluice({"predict", "--model", model, "--images", of_256}).out, expected);

  // The other way around: a model for float32, and bytes, which come through a pipe.
  const std::string of_floats = data.path("of_floats");
  for (const auto& [scale, warned] : {std::pair{"1", true}, {"0.5", false}}) {
    trained({"train", "--data", data.folder().path(), "--epochs", "1", "--scale", scale, "--output", of_floats});
    for (const std::string& command :
         {std::string("predict --images -"), "eval --labels '" + labels + "' --images -"}) {
      const Result r =
          run({"sh", "-c", "'" + sluice_path() + "' " + command + " --model '" + of_floats + "' <'" + images_ + "'"});
      EXPECT_EQ(r.code, 0) << r.err;
      EXPECT_EQ(r.err, warned ? "sluice: warning: standard input: pixels of uint8, and the scale of the model, 1, is "
                                "the usual one of another type: --scale 1/255 is that of these pixels, --scale 1 keeps "
                                "the model's without this warning\n"
                              : "")
          << command;
    }
  }
}

// By a shell, in another folder and with other defaults.
TEST_F(StoredModel, TheCommandThatDumpFlagsPrintsRepeatsTheRun) {
  data.folder().write("names", "x\ny, z\n-w\n");
  const test::Folder elsewhere;
  const std::string in_folder = "cd '" + data.folder().path() + "'; sluice() { '" + sluice_path() + "' \"$@\"; }; ";
  const std::string images = "t10k-images-idx3-ubyte.gz", labels = "t10k-labels-idx1-ubyte.gz";
  const std::string other_defaults =
      "export SLUICE_SCALE=7 SLUICE_CLASS_NAMES=p,q,r SLUICE_TOP_K=3 SLUICE_MODEL=nothing SLUICE_LABELS=nothing "
      "SLUICE_DATA=nothing SLUICE_THREADS=0 SLUICE_FORMAT=text SLUICE_GALLERY=nothing.png; ";
  struct Case {
    std::string command, input;      // the file that is its standard input
    std::vector<std::string> spelt;  // some of it
  };
  for (const auto& [command, input, spelt] : std::vector<Case>{
           {"eval --model model --data .", "/dev/null", {"--images " + data.path("./") + images, "--threads "}},
           {"eval --model model --json --threads 2 --scale 1/200 --class-names @names --images " + images +
                " --labels " + labels,
            "/dev/null",
            {"--scale 1/200", "--class-names @" + data.path("names"), "--threads 2", "--json"}},
           {"eval --model model --csv --labels - --images " + images, data.path(labels), {"--labels=-", "--csv"}},
           {"predict --model model --top-k 2 --probabilities --images " + images + "," + images,
            "/dev/null",
            {"--images " + images_ + "," + images_, "--top-k 2", "--probabilities", "--format jsonl"}},
           {"predict --model model --images - --format csv --gallery g.svg --gallery-images 3 --labels " + labels,
            images_,
            {"--images=-", "--labels " + data.path(labels), "--gallery " + data.path("g.svg"), "--gallery-images 3"}},
       }) {
    SCOPED_TRACE(command);
    const std::string from_input = " <'" + input + "'";
    const Result dumped = run({"sh", "-c", in_folder + "sluice " + command + " --dump-flags"});
    ASSERT_EQ(dumped.code, 0) << dumped.err;
    EXPECT_EQ(dumped.err, "");
    const std::string line = lines(dumped.out).at(0);
    EXPECT_EQ(dumped.out, line + "\n");
    for (const std::string& part : spelt) EXPECT_TRUE(contains(line + " ", " " + part)) << part << "\n" << line;
    EXPECT_TRUE(contains(line, " --no-env --model " + model + " ")) << line;
    EXPECT_FALSE(contains(line, "--dump-flags") || contains(line, "--data")) << line;
    EXPECT_EQ(contains(line, "--gallery"), contains(command, "--gallery")) << line;
    EXPECT_FALSE(std::filesystem::exists(data.path("g.svg"))) << "something was run";

    const Result once = run({"sh", "-c", in_folder + "sluice " + command + from_input});
    const std::string gallery = test::contents_of(data.path("g.svg"));
    std::filesystem::remove(data.path("g.svg"));
    const Result again =
        run({"sh", "-c", in_folder + other_defaults + "cd '" + elsewhere.path() + "'; " + line + from_input});
    EXPECT_EQ(once.code, 0) << once.err;
    EXPECT_EQ(again.code, 0) << line << again.err;
    EXPECT_EQ(again.out, once.out);
    EXPECT_EQ(again.err, once.err);
    EXPECT_EQ(test::contents_of(data.path("g.svg")), gallery);
  }
  EXPECT_EQ(elsewhere.files(), 0u);
}

TEST_F(StoredModel, WithDumpFlagsTheErrorsAreThoseOfTheRun) {
  EXPECT_EQ(predict({"--dump-flags", "--capacity", "pump=3"}).code, 2);
  EXPECT_EQ(predict({"--dump-flags", "--gallery", data.path("no/g.png")}).code, 2);
  EXPECT_EQ(sluice({"eval", "--model", data.path("nothing"), "--dump-flags"}).code, 3);
  EXPECT_EQ(sluice({"eval", "--model", model, "--data", "nowhere", "--dump-flags"}).code, 3);
}

TEST_F(StoredModel, AReaderThatStopsEarlyIsNoError) {
  const Arguments eval{sluice_path(), "eval", "--model", model, "--data", data.folder().path()};
  for (const Arguments& command : {eval, eval + Arguments{"--json"}, eval + Arguments{"--csv"},
                                   Arguments{sluice_path(), "predict", "--model", model, "--images", images_}}) {
    SCOPED_TRACE(command[1] + command.back());
    const Result unread = run_unread(command);
    EXPECT_EQ(unread.code, 0);
    EXPECT_EQ(unread.err, "");
    const Result head = run(Arguments{"bash", "-c", "set -o pipefail; \"$0\" \"$@\" | head -n 1"} + command);
    EXPECT_EQ(head.code, 0);
    EXPECT_EQ(head.err, "");
    EXPECT_EQ(lines(head.out).size(), 1u);
  }
}

TEST_F(StoredModel, AStandardOutputThatCannotBeWrittenIsAFailure) {
  const Arguments eval{"eval", "--model", model, "--data", data.folder().path()},
      predict{"predict", "--model", model, "--images", images_};
  for (const Arguments& command :
       {eval, eval + Arguments{"--json"}, eval + Arguments{"--csv"}, eval + Arguments{"--dump-flags"}, predict,
        predict + Arguments{"--format", "csv"}, predict + Arguments{"--gallery", data.path("g.png")}}) {
    SCOPED_TRACE(command[0] + command.back());
    const Result full = run(Arguments{sluice_path()} + command, "/dev/full");
    const Result closed = run(Arguments{"sh", "-c", "exec \"$0\" \"$@\" >&-", sluice_path()} + command);
    for (const Result& r : {full, closed}) {
      EXPECT_EQ(r.code, 1);
      EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
      EXPECT_TRUE(r.err.starts_with("sluice: cannot write to the standard output")) << r.err;
    }
  }
}

TEST_F(StoredModel, AGalleryThatCannotBeWrittenIsFoundBeforeTheImagesAreRead) {
  std::filesystem::create_directory(data.path("folder.png"));
  std::filesystem::create_symlink("/dev/full", data.path("full.svg"));
  for (const std::string& path :
       {std::string("/nowhere/g.png"), data.path("folder.png"), data.path("full.svg"), images_ + "/g.svg"}) {
    const Result r = predict({"--gallery", path});
    EXPECT_EQ(r.code, 2) << path;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(contains(r.err, path)) << r.err;
  }
}

// Many images: far more than lie in the graph when the other end of a pipe makes the file grow.
TEST_F(StoredModel, AFileThatGrowsWhileItIsReadIsAnErrorThatNamesIt) {
  constexpr std::size_t count = 300'000;
  const std::string labels = data.folder().write("labels", test::idx_labels(label_bytes(count)));
  const std::string small = data.folder().write("small", test_images() + "x");
  const auto expect_error = [](const Result& r, const std::string& path) {
    EXPECT_EQ(r.code, 3);
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(contains(r.err, path + ": goes on after ")) << r.err;
  };
  expect_error(sluice({"predict", "--model", model, "--images", small}), small);
  expect_error(sluice({"eval", "--model", model, "--images", small, "--data", data.folder().path()}), small);

  const std::string images = test::idx_images(pixel_bytes(count, 2), rows, columns),
                    predicted = data.folder().write("predicted", images),
                    evaluated = data.folder().write("evaluated", images);
  const std::string program = "'" + sluice_path() + "' ", of_model = " --model '" + model + "' ";
  // Behind its first output.
  expect_error(run({"bash", "-c",
                    program + "predict" + of_model + "--images '" + predicted + "' | { head -c 1 && printf x >>'" +
                        predicted + "' && cat; } >/dev/null; exit ${PIPESTATUS[0]}"}),
               predicted);
  // When the first labels have been taken: more than a pipe holds are written.
  expect_error(run({"bash", "-c",
                    "{ head -c 70000 && printf x >>'" + evaluated + "' && cat; } <'" + labels + "' | " + program +
                        "eval" + of_model + "--images '" + evaluated + "' --labels -"}),
               evaluated);
}

// A model of weights so large that every image with a pixel in it comes to no finite numbers.
std::string too_large(std::string bytes) {
  bytes.replace(bytes.find("sluice.sha256"), 6, "other_");  // no checksum
  const float large = 3e38f;
  for (std::size_t at = bytes.size() - (rows * columns + 1) * classes * sizeof large; at < bytes.size();
       at += sizeof large)
    std::memcpy(bytes.data() + at, &large, sizeof large);
  return bytes;
}

TEST_F(StoredModel, AnImageWithoutFiniteProbabilitiesIsAnErrorBehindTheLinesOfThoseBeforeIt) {
  const std::string path = data.folder().write("large", too_large(test::contents_of(model)));
  std::string pixels(5 * rows * columns, '\0');
  pixels.replace(3 * rows * columns, rows * columns, rows * columns, '\xff');
  const std::string images = data.folder().write("i.gz", test::gzip(test::idx_images(pixels, rows, columns)));
  const Result r = sluice({"predict", "--model", path, "--images", images});
  EXPECT_EQ(r.code, 3) << r.err;
  EXPECT_EQ(lines(r.out).size(), 3u) << r.out;
  EXPECT_TRUE(contains(r.err, "image 3: its probabilities are no finite numbers")) << r.err;
}

TEST_F(StoredModel, WeightsThatAreTooLargeAreAnErrorThatNamesTheModel) {
  const std::string path = data.folder().write("large", too_large(test::contents_of(model)));
  const Result r = sluice({"eval", "--model", path, "--data", data.folder().path()});
  EXPECT_EQ(r.code, 3);
  EXPECT_TRUE(contains(r.err, path + ": the loss is not a number over " + images_)) << r.err;
  EXPECT_TRUE(contains(r.err, "--scale")) << r.err;
  const Result predicted = sluice({"predict", "--model", path, "--images", images_ + "," + images_});
  EXPECT_EQ(predicted.code, 3);
  EXPECT_TRUE(contains(predicted.err, "image 0: its probabilities are no finite numbers")) << predicted.err;
}

// However many batches are under way.
TEST_F(StoredModel, TheFirstWrongLabelOfAListIsNamedByItsFileAndItsPlaceThere) {
  constexpr std::size_t count = 20'000;
  std::vector<std::uint8_t> wrong = label_bytes(count);
  for (std::size_t i = 700; i < count; i += 512) wrong[i] = static_cast<std::uint8_t>(classes + i / 512);
  const std::string images = data.folder().write("i", test::idx_images(pixel_bytes(count, 2), rows, columns)),
                    labels = data.path("t10k-labels-idx1-ubyte.gz") + "," +
                             data.folder().write("l", test::idx_labels(wrong));
  for (const char* threads : {"1", "2", "4", "4"}) {
    const Arguments common{"--model",  model,  "--images",  images_ + "," + images,
                           "--labels", labels, "--threads", threads};
    const std::string expected =
        "sluice: " + data.path("l") + ": label 4 of image 700, expected 0 to 2: there are 3 classes\n";
    const Result evaluated = sluice(Arguments{"eval"} + common);
    EXPECT_EQ(evaluated.code, 3);
    EXPECT_EQ(evaluated.err, expected);
    EXPECT_EQ(sluice(Arguments{"predict", "--gallery", data.path("g.png")} + common).err, expected);
  }
}

TEST_F(StoredModel, WhatDoesNotFitIsRefusedWithWhatWasExpected) {
  const std::string other = data.folder().write("other", test::idx_images(std::string(3 * 25, 'x'), 5, 5));
  const Result size = sluice({"predict", "--model", model, "--images", other});
  EXPECT_EQ(size.code, 3);
  EXPECT_TRUE(contains(size.err, "images of 5 x 5 pixels, expected 6 x 7 pixels, as " + model + " was trained on"))
      << size.err;
  const Result count =
      sluice({"eval", "--model", model, "--images", images_, "--labels", data.path("train-labels-idx1-ubyte.gz")});
  EXPECT_EQ(count.code, 3);
  EXPECT_TRUE(contains(count.err, "has 200 images") && contains(count.err, "has 500 labels")) << count.err;
  const std::string piped = "zcat '" + images_ + "' | '" + sluice_path() + "' ";
  const std::string others =
      " --images - --labels '" + data.path("train-labels-idx1-ubyte.gz") + "' --model '" + model + "'";
  const Result unknown = run({"sh", "-c", piped + "eval" + others});
  EXPECT_EQ(unknown.code, 3);
  EXPECT_TRUE(contains(unknown.err, "standard input and ")) << unknown.err;
  const Result late = run({"sh", "-c", piped + "predict --gallery '" + data.path("x.png") + "'" + others});
  EXPECT_EQ(late.code, 3);
  EXPECT_TRUE(contains(late.err, "standard input has 200 images")) << late.err;
  const Result none = sluice({"eval", "--model", data.path("nothing")});
  EXPECT_EQ(none.code, 3);
  EXPECT_EQ(sluice({"eval", "--model", model, "--json", "--csv"}).code, 2);
  EXPECT_EQ(sluice({"eval"}).code, 2);
  EXPECT_EQ(sluice({"predict", "--model", model}).code, 2);
  EXPECT_EQ(sluice({"predict", "--model", model, "--images", images_, "--scale", "0"}).code, 2);
}

}  // namespace
}  // namespace sluice::apps::testing
