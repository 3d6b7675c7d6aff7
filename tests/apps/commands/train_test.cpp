#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include <sluice/stages/model_file.hpp>
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

TEST(Train, JsonIsOneObjectWithTheFieldsOfTheDesign) {
  const SmallData data;
  const Result r = sluice(data.train() + Arguments{"--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const json all = parsed_json(r.out);  // refuses anything behind the object
  ASSERT_TRUE(all.is_object()) << r.out;
  EXPECT_EQ(all["command"], "train");
  EXPECT_EQ(all["data"],
            (json{{"train", 500}, {"test", 200}, {"planes", 1}, {"rows", 6}, {"columns", 7}, {"classes", 3}}));
  ASSERT_EQ(all["epochs"].size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const json& e = all["epochs"][i];
    EXPECT_EQ(e["epoch"], i + 1);
    for (const char* key : {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}) {
      EXPECT_GT(e[key].get<double>(), 0) << key;
      EXPECT_LT(e[key].get<double>(), 2) << key;
    }
    EXPECT_GT(e["seconds"].get<double>(), 0);
    EXPECT_NEAR(e["samples_per_second"].get<double>() * e["seconds"].get<double>(), 500, 0.01);
  }
  for (const char* key : {"train_loss", "train_accuracy", "test_loss", "test_accuracy"})
    EXPECT_EQ(all[key], all["epochs"][1][key]);
  const json& seconds = all["seconds"];
  for (const char* key : {"load", "train", "eval"}) EXPECT_GT(seconds[key].get<double>(), 0) << key;
  EXPECT_GE(seconds["total"].get<double>(),
            seconds["load"].get<double>() + seconds["train"].get<double>() + seconds["eval"].get<double>());
  EXPECT_GT(all["peak_rss_bytes"].get<std::size_t>(), std::size_t{1} << 20);
  const std::string sha = all["weights_sha256"];
  EXPECT_EQ(sha.size(), 64u);
  EXPECT_EQ(sha.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(Train, JsonStatesTheEffectiveOptions) {
  const SmallData data;
  const json o = trained(data.train() + Arguments{"--lr", "0.25", "--seed", "18446744073709551615", "--threads", "3",
                                                  "--shards", "5", "--concurrency", "forward=2", "--capacity",
                                                  "batch=7", "--isa", "portable", "--classes", "4"})["options"];
  EXPECT_EQ(o["train_images"], data.path("train-images-idx3-ubyte.gz"));
  EXPECT_EQ(o["train_labels"], data.path("train-labels-idx1-ubyte.gz"));
  EXPECT_EQ(o["test_images"], data.path("t10k-images-idx3-ubyte.gz"));
  EXPECT_EQ(o["test_labels"], data.path("t10k-labels-idx1-ubyte.gz"));
  EXPECT_EQ(o["classes"], 4);
  EXPECT_EQ(o["scale"], "1/255");
  EXPECT_EQ(o["epochs"], 2);
  EXPECT_EQ(o["batch_size"], 100);
  EXPECT_EQ(o["lr"], 0.25);
  EXPECT_EQ(o["seed"], 18446744073709551615u);
  EXPECT_EQ(o["threads"], 3);
  EXPECT_EQ(o["shards"], 5);
  EXPECT_EQ(o["concurrency"], json({"forward=2"}));
  EXPECT_EQ(o["capacity"], json({"batch=7"}));
  EXPECT_EQ(o["isa"], "portable");
}

TEST(Train, TheScaleIsThatOfTheFlagAndIsStoredInTheModel) {
  const SmallData data;
  const std::string model = data.path("model");
  const json usual = trained(data.train()), said = trained(data.train() + Arguments{"--scale", "1/255"}),
             other = trained(data.train() + Arguments{"--scale", "1/100", "--output", model});
  EXPECT_EQ(said["weights_sha256"], usual["weights_sha256"]);
  EXPECT_NE(other["weights_sha256"], usual["weights_sha256"]);
  EXPECT_EQ(other["options"]["scale"], "1/100");
  const json evaluated = parsed_json(sluice({"eval", "--model", model, "--data", data.folder().path(), "--json"}).out);
  EXPECT_EQ(evaluated["loss"], other["test_loss"]);
}

// The same images as int16, for which no scale but 1 is usual, and labels as int32 with a class that no byte has.
TEST(Train, TakesImagesAndLabelsOfOtherTypes) {
  const SmallData data;
  std::string images = test::idx_header(3, {train_count, rows, columns}, 0x0b);
  for (const char c : pixel_bytes(train_count, 1)) images += std::string(1, '\0') + c;
  std::string tests = test::idx_header(3, {test_count, rows, columns}, 0x0b);
  for (const char c : pixel_bytes(test_count, 2)) tests += std::string(1, '\0') + c;
  const Arguments files{"--train-images", data.folder().write("i16", images), "--test-images",
                        data.folder().write("t16", tests)};
  const json bytes = trained(data.train());
  EXPECT_EQ(trained(data.train() + files + Arguments{"--scale", "1/255"})["weights_sha256"], bytes["weights_sha256"]);
  EXPECT_EQ(trained(data.train() + files)["options"]["scale"], "1");

  std::string labels = test::idx_header(1, {train_count}, 0x0c);
  for (const std::uint8_t label : label_bytes(train_count)) labels += {'\0', '\0', '\1', static_cast<char>(label)};
  const json many = trained(data.train() + Arguments{"--train-labels", data.folder().write("l32", labels)});
  EXPECT_EQ(many["data"]["classes"], 256 + classes);
  EXPECT_EQ(trained(data.train() + Arguments{"--classes", "1000"})["data"]["classes"], 1000);
}

TEST(Train, SeveralFilesAreOneDataSet) {
  const SmallData data;
  const std::string a = data.path("train-images-idx3-ubyte.gz"), b = data.path("t10k-images-idx3-ubyte.gz");
  const std::string la = data.path("train-labels-idx1-ubyte.gz"), lb = data.path("t10k-labels-idx1-ubyte.gz");
  const std::string both = data.folder().write(
      "both", test::idx_images(pixel_bytes(train_count, 1) + pixel_bytes(test_count, 2), rows, columns));
  std::vector<std::uint8_t> all = label_bytes(train_count);
  for (const std::uint8_t label : label_bytes(test_count)) all.push_back(label);
  const std::string labels = data.folder().write("labels", test::idx_labels(all));
  const json whole = trained(data.train() + Arguments{"--train-images", both, "--train-labels", labels});
  for (const char* decoder : {"zlib", "auto"}) {
    const json parts = trained(
        data.train() + Arguments{"--train-images", a + "," + b, "--train-labels", la + "," + lb, "--decoder", decoder});
    EXPECT_EQ(parts["data"]["train"], train_count + test_count);
    EXPECT_EQ(parts["weights_sha256"], whole["weights_sha256"]);
  }
}

// Their totals agree: labels of other images would be trained on.
TEST(Train, SeveralFilesArePairedOneByOne) {
  const SmallData data;
  const std::string a = data.path("train-images-idx3-ubyte.gz"), b = data.path("t10k-images-idx3-ubyte.gz");
  const std::string la = data.path("train-labels-idx1-ubyte.gz"), lb = data.path("t10k-labels-idx1-ubyte.gz");
  const std::string words = a + " has 500 images, " + lb + " has 200 labels";
  for (const Arguments& how : {Arguments{}, {"--stream"}}) {
    const Arguments images = data.train() + how + Arguments{"--train-images", a + "," + b, "--train-labels"};
    EXPECT_EQ(sluice(images + Arguments{la + "," + lb}).code, 0);
    const Result swapped = sluice(images + Arguments{lb + "," + la});
    EXPECT_EQ(swapped.code, 3);
    EXPECT_TRUE(contains(swapped.err, words)) << swapped.err;
    EXPECT_EQ(sluice(images + Arguments{la + "," + lb + "," + lb}).code, 3);
  }
  trained(data.train() + Arguments{"--output", data.path("m")});
  const Result swapped =
      sluice({"eval", "--model", data.path("m"), "--images", a + "," + b, "--labels", lb + "," + la});
  EXPECT_EQ(swapped.code, 3);
  EXPECT_TRUE(contains(swapped.err, words)) << swapped.err;
  // What a pipe holds nobody knows before.
  const std::string all = "\"$0\" eval --model m --images <(zcat train-i*),t10k-images-idx3-ubyte.gz --labels ";
  const auto piped = [&](const std::string& labels) {
    return run({"bash", "-c", "cd '" + data.folder().path() + "' && " + all + labels, sluice_path()});
  };
  EXPECT_EQ(piped("train-labels-idx1-ubyte.gz,t10k-labels-idx1-ubyte.gz").code, 0);
  const Result other = piped("t10k-labels-idx1-ubyte.gz,train-labels-idx1-ubyte.gz");
  EXPECT_EQ(other.code, 3);
  EXPECT_TRUE(contains(other.err, "have different numbers of images and labels")) << other.err;
}

TEST(Train, SaysWhichOfTwoFilesOfANameIsRead) {
  const SmallData data;
  data.folder().write("t10k-images-idx3-ubyte", test_images());
  const std::string words =
      "t10k-images-idx3-ubyte is there, too: " + data.path("t10k-images-idx3-ubyte.gz") + " is read";
  EXPECT_TRUE(contains(sluice(data.train()).err, words));
  EXPECT_FALSE(contains(sluice(data.train() + Arguments{"--quiet"}).err, words));
  trained(data.train() + Arguments{"--output", data.path("m")});
  EXPECT_TRUE(contains(sluice({"eval", "--model", data.path("m"), "--data", data.folder().path()}).err, words));
  data.folder().write("t10k-images-idx3-ubyte", test_images() + "x");
  const Result r = sluice(data.train());
  EXPECT_EQ(r.code, 3);
  EXPECT_TRUE(contains(r.err, "which of them is the right one?")) << r.err;
}

// float32 from 0 to 255, for which nobody gave a scale.
TEST(Train, WarnsOnceOfALossThatRoseAndNeverCameBack) {
  const SmallData data;
  std::string images = test::idx_header(3, {train_count, rows, columns}, 0x0b);
  for (const char c : pixel_bytes(train_count, 1)) images += std::string(1, '\0') + c;
  std::string tests = test::idx_header(3, {test_count, rows, columns}, 0x0b);
  for (const char c : pixel_bytes(test_count, 2)) tests += std::string(1, '\0') + c;
  Arguments files = data.train() + Arguments{"--train-images", data.folder().write("i16", images), "--test-images",
                                             data.folder().write("t16", tests)};
  std::vector<std::uint8_t> unrelated = label_bytes(train_count);
  for (std::size_t i = 0; i < train_count; ++i) unrelated[i] = static_cast<std::uint8_t>(i / 5 % 3);
  files = files + Arguments{"--train-labels", data.folder().write("l", test::idx_labels(unrelated))};
  const auto warned = [](const Arguments& arguments) {
    const Result r = sluice(arguments);
    EXPECT_EQ(r.code, 0) << r.err;
    const std::string words = "sluice: warning: the loss of the last epoch";
    EXPECT_EQ(r.err.find(words), r.err.rfind(words)) << "once";
    return contains(r.err, words) ? r.err.substr(r.err.find(words)) : "";
  };
  const std::string text = warned(files);
  EXPECT_TRUE(contains(text, "is above the 1.099 of a model that guesses") && contains(text, "--scale, now 1,") &&
              contains(text, "values up to 255") && contains(text, "--standardize finds it") &&
              contains(text, "or the steps (--lr, now 0.1)?"))
      << text;
  const std::string of_steps = warned(files + Arguments{"--standardize", "--lr", "1000"});
  EXPECT_TRUE(contains(of_steps, "are the steps too large (--lr, now 1000)?")) << of_steps;
  EXPECT_NE(warned(files + Arguments{"--quiet"}), "");
  EXPECT_NE(warned(files + Arguments{"--stream"}), "");
  EXPECT_EQ(warned(files + Arguments{"--scale", "1/255", "--lr", "0.01"}), "");
  EXPECT_EQ(warned(data.train()), "");
}

// In memory and streamed the same moments; eval and predict do as training did.
TEST(Train, StandardizesByTheTrainingSet) {
  const SmallData data;
  const std::string model = data.path("m");
  const Arguments standardized = data.train() + Arguments{"--standardize"};
  const json run = trained(standardized + Arguments{"--output", model});
  EXPECT_NE(run["weights_sha256"], trained(data.train())["weights_sha256"]);
  for (const char* threads : {"1", "3", "8"})
    EXPECT_EQ(trained(standardized + Arguments{"--threads", threads})["weights_sha256"], run["weights_sha256"]);
  EXPECT_EQ(run["options"]["standardize"], true);
  EXPECT_EQ(run["options"]["scale"], "1");
  const auto evaluated = [&](const std::string& of) {
    return parsed_json(sluice({"eval", "--model", of, "--data", data.folder().path(), "--json"}).out);
  };
  EXPECT_EQ(evaluated(model)["loss"], run["test_loss"]);
  const std::string streamed = data.path("s");
  const json stream = trained(standardized + Arguments{"--stream", "--output", streamed});
  EXPECT_EQ(evaluated(streamed)["loss"], stream["test_loss"]);
  EXPECT_EQ(stages::load_model(model).model.known_inputs().transform,
            stages::load_model(streamed).model.known_inputs().transform);
  const Result predicted = sluice({"predict", "--model", model, "--images", data.path("t10k-images-idx3-ubyte.gz")});
  EXPECT_EQ(predicted.err, "");
  std::size_t right = 0;
  const std::vector<std::string> all = lines(predicted.out);
  for (std::size_t i = 0; i < test_count; ++i) right += parsed_json(all.at(i))["class"] == label_bytes(test_count)[i];
  EXPECT_EQ(static_cast<double>(right) / test_count, run["test_accuracy"]);
}

TEST(Train, SaysWhichPixelsAreConstant) {
  const SmallData data;
  std::string pixels = pixel_bytes(train_count, 1);
  for (std::size_t i = 0; i < train_count; ++i) pixels[i * rows * columns] = 7;
  const Arguments images{"--train-images", data.folder().write("i", test::idx_images(pixels, rows, columns))};
  EXPECT_TRUE(contains(sluice(data.train() + images + Arguments{"--standardize"}).err,
                       "1 of 42 features is the same in all rows of the training set"));
  EXPECT_FALSE(contains(sluice(data.train() + images).err, "features"));
  const Result both = sluice(data.train() + Arguments{"--standardize", "--scale", "1/255"});
  EXPECT_EQ(both.code, 2);
  EXPECT_TRUE(contains(both.err, "with --standardize")) << both.err;
}

TEST(Train, ACheckpointIsOfStandardizedPixelsOrNot) {
  const SmallData data;
  const Arguments job = data.train() + Arguments{"--checkpoint", data.path("c"), "--standardize"};
  const auto at_epochs = [&](const char* epochs) {
    return Arguments{"train", "--data", data.folder().path(), "--batch-size", "100", "--epochs", epochs};
  };
  const json whole = trained(at_epochs("4") + Arguments{"--standardize"});
  trained(job);
  EXPECT_EQ(sluice(data.train() + Arguments{"--checkpoint", data.path("c")}).code, 2);
  EXPECT_EQ(trained(at_epochs("4") + Arguments{"--checkpoint", data.path("c"), "--standardize"})["weights_sha256"],
            whole["weights_sha256"]);
}

TEST(Train, QuietSilencesTheProgressAndNotTheResult) {
  const SmallData data;
  const Result r = sluice(data.train() + Arguments{"--quiet"});
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(r.err, "");
  EXPECT_TRUE(contains(r.out, "train loss ") && contains(r.out, "weights sha256 ")) << r.out;
}

TEST(Train, TheTextSaysWhatTheJsonSays) {
  const SmallData data;
  const json object = trained(data.train());
  const Result r = sluice(data.train() + Arguments{"--quiet"});
  EXPECT_TRUE(contains(r.out, "weights sha256 " + object["weights_sha256"].get<std::string>())) << r.out;
  const std::string beginning = "train loss ";
  const double loss = std::strtod(line_with(r.out, beginning).c_str() + beginning.size(), nullptr);
  EXPECT_NEAR(loss, object["train_loss"].get<double>(), 5e-5);
}

TEST(Train, Learns) {
  const SmallData data;
  const json r = trained({"train", "--data", data.folder().path(), "--epochs", "20", "--batch-size", "50"});
  EXPECT_GT(r["train_accuracy"].get<double>(), 0.95);
  EXPECT_GT(r["test_accuracy"].get<double>(), 0.95);
  EXPECT_LT(r["train_loss"].get<double>(), r["epochs"][0]["train_loss"].get<double>());
}

TEST(Train, TheSameAgainIsTheSame) {
  const SmallData data;
  EXPECT_EQ(results_of(trained(data.train())), results_of(trained(data.train())));
}

TEST(Train, FlagsOfTrainingChangeTheResult) {
  const SmallData data;
  const Arguments base{"train", "--data", data.folder().path()};
  std::set<std::string> results;
  const Arguments variants[] = {{"--epochs", "2"},
                                {"--epochs", "3"},
                                {"--epochs", "2", "--batch-size", "100"},
                                {"--epochs", "2", "--batch-size", "7"},
                                {"--epochs", "2", "--lr", "0.2"},
                                {"--epochs", "2", "--seed", "1"},
                                {"--epochs", "2", "--seed", "4294967296"},
                                {"--epochs", "2", "--classes", "5"}};
  for (const Arguments& variant : variants)
    EXPECT_TRUE(results.insert(trained(base + variant)["weights_sha256"]).second) << variant[variant.size() - 2];
}

TEST(Train, EveryOptimiserLearnsAndEachDoesSomethingElse) {
  const SmallData data;
  std::set<std::string> results;
  for (const Arguments& variant : {Arguments{},
                                   {"--weight-decay", "0.1"},
                                   {"--optimizer", "momentum"},
                                   {"--optimizer", "momentum", "--momentum", "0.5"},
                                   {"--optimizer", "nesterov"},
                                   {"--optimizer", "adam", "--lr", "0.01"},
                                   {"--optimizer", "adam", "--lr", "0.01", "--beta1", "0.8"},
                                   {"--optimizer", "adam", "--lr", "0.01", "--beta2", "0.9"},
                                   {"--optimizer", "adam", "--lr", "0.01", "--weight-decay", "0.1"},
                                   {"--optimizer", "adamw", "--lr", "0.01", "--weight-decay", "0.1"},
                                   {"--schedule", "linear"},
                                   {"--schedule", "cosine"},
                                   {"--schedule", "step"},
                                   {"--schedule", "cosine", "--warmup", "1e"},
                                   {"--warmup", "3"},
                                   {"--average", "0.5"},
                                   {"--class-weight", "balanced"}}) {
    const json r =
        trained(Arguments{"train", "--data", data.folder().path(), "--epochs", "20", "--batch-size", "50"} + variant);
    EXPECT_GT(r["test_accuracy"].get<double>(), 0.9) << json(variant);
    EXPECT_TRUE(results.insert(r["weights_sha256"]).second) << json(variant);
  }
}

TEST(Train, APresetIsTheDefaultOfWhatNobodyGives) {
  const SmallData data;
  const json best = results_of(trained(data.train() + Arguments{"--preset", "best"}));
  const Arguments spelt{"--optimizer", "adam", "--lr", "0.01", "--schedule", "cosine"};
  EXPECT_EQ(best["weights_sha256"], trained(data.train() + spelt)["weights_sha256"]);
  EXPECT_EQ(trained(data.train() + Arguments{"--preset", "chapter"})["weights_sha256"],
            trained(data.train())["weights_sha256"]);
  const std::string dump = sluice(data.train() + Arguments{"--preset", "best", "--lr", "0.5", "--dump-flags"}).out;
  for (const char* part : {" --preset best ", " --optimizer adam ", " --lr 0.5 ", " --schedule cosine "})
    EXPECT_TRUE(contains(dump, part)) << dump;
}

TEST(Train, ValidatesByWhatItHoldsOut) {
  const SmallData data;
  const json r = trained(data.train() + Arguments{"--validation", "0.2", "--report", data.path("r.html")});
  EXPECT_EQ(r["data"]["train"], 400);
  EXPECT_EQ(r["data"]["validation"], 100);
  for (const json& epoch : r["epochs"]) EXPECT_GT(epoch["validation_accuracy"].get<double>(), 0.3);
  EXPECT_EQ(r["validation_loss"], r["epochs"].back()["validation_loss"]);
  EXPECT_TRUE(contains(test::contents_of(data.path("r.html")), "validation accuracy"));
  const Result text = sluice(data.train() + Arguments{"--validation", "0.2", "--no-progress"});
  EXPECT_TRUE(contains(text.out, " over 100 held out\n")) << text.out;
  const Result lines = sluice(data.train() + Arguments{"--validation", "0.2"});
  EXPECT_TRUE(contains(lines.err, " validation_accuracy=")) << lines.err;
}

TEST(Train, ValidatesByFilesThatAreNamed) {
  const SmallData data;
  const Arguments files{"--validation-images", data.path("t10k-images-idx3-ubyte.gz"), "--validation-labels",
                        data.path("t10k-labels-idx1-ubyte.gz")};
  const json r = trained(data.train() + files + Arguments{"--checkpoint", data.path("c")});
  EXPECT_EQ(r["data"]["train"], 500);
  EXPECT_EQ(r["data"]["validation"], 200);
  EXPECT_EQ(r["validation_loss"], r["test_loss"]);
  EXPECT_EQ(r["options"]["validation_images"], data.path("t10k-images-idx3-ubyte.gz"));
  EXPECT_EQ(r["weights_sha256"], trained(data.train())["weights_sha256"]);
  // A checkpoint knows them.
  const Result other = sluice(data.train() + Arguments{"--checkpoint", data.path("c"), "--validation-images",
                                                       data.path("train-images-idx3-ubyte.gz"), "--validation-labels",
                                                       data.path("train-labels-idx1-ubyte.gz")});
  EXPECT_EQ(other.code, 3);
  EXPECT_TRUE(contains(other.err, "--validation-images has other contents")) << other.err;
  // A table beside images: its rows are of 42 features.
  std::string table = "label";
  for (int i = 0; i < 42; ++i) table += ",pixel" + std::to_string(i);
  for (int row = 0; row < 9; ++row) {
    table += "\n" + std::to_string(row % 3);
    for (int i = 0; i < 42; ++i) table += "," + std::to_string(i * row % 256);
  }
  data.folder().write("v.csv", table + "\n");
  const Arguments by_table =
      data.train() + Arguments{"--validation", data.path("v.csv"), "--checkpoint", data.path("t")};
  const json with_table = trained(by_table);
  EXPECT_EQ(with_table["data"]["validation"], 9);
  EXPECT_EQ(results_of(trained(by_table)), results_of(with_table));
  const Result without = sluice(data.train() + Arguments{"--checkpoint", data.path("t")});
  EXPECT_EQ(without.code, 2);
  EXPECT_TRUE(contains(without.err, "--validation is not given, there it was of files")) << without.err;
  const auto refused = [&](const Arguments& more, int code, const std::string& what) {
    const Result bad = sluice(data.train() + more);
    EXPECT_EQ(bad.code, code) << bad.err;
    EXPECT_TRUE(contains(bad.err, what)) << bad.err;
  };
  refused({files[0], files[1]}, 3, "is named without its labels: name them with --validation-labels FILE");
  refused({"--validation", files[1]}, 3, "name two files, --validation-images and --validation-labels");
  refused(Arguments{"--validation", "0.2"} + files, 2, "give one of them");
  refused({files[0], files[1], files[2], data.path("train-labels-idx1-ubyte.gz")}, 3, "500");
  refused(files + Arguments{"--output", files[1]}, 2, "which it would replace");
}

TEST(Train, KeepsTheBestEpochAndEndsWithoutABetterOne) {
  const SmallData data;
  const Arguments job{"train", "--data", data.folder().path(), "--epochs", "40", "--batch-size", "50",
                      "--lr",  "50",     "--validation",       "0.2"};
  for (const char* by : {"loss", "accuracy"}) {
    const json r =
        trained(job + Arguments{"--patience", "3", "--keep", "best", "--best-by", by, "--output", data.path("m")});
    EXPECT_TRUE(r["out_of_patience"]) << by;
    const std::size_t best = r["result_epoch"], epochs = r["epochs"].size();
    EXPECT_EQ(best + 3, epochs) << by;
    const std::string key = std::string("validation_") + by;
    for (const json& epoch : r["epochs"])
      if (by == std::string("loss"))
        EXPECT_GE(epoch[key].get<double>(), r[key].get<double>());
      else
        EXPECT_LE(epoch[key].get<double>(), r[key].get<double>());
    // Which is the model of that epoch.
    const json eval =
        parsed_json(sluice({"eval", "--model", data.path("m"), "--data", data.folder().path(), "--json"}).out);
    EXPECT_EQ(eval["loss"], r["epochs"][best - 1]["test_loss"]);
    EXPECT_EQ(r["test_loss"], eval["loss"]);
    Arguments until = job;
    until[4] = std::to_string(best);
    EXPECT_EQ(trained(until)["weights_sha256"], r["weights_sha256"]);
  }
}

TEST(Train, BatchesOfEverySizeWork) {
  const SmallData data;
  for (const char* size : {"1", "63", "64", "65", "499", "500", "501", "1048576"}) {
    const json r = trained({"train", "--data", data.folder().path(), "--epochs", "1", "--batch-size", size});
    EXPECT_GT(r["train_loss"].get<double>(), 0.05) << size;
    EXPECT_LT(r["train_loss"].get<double>(), 1.2) << size;
  }
}

// More classes than labels in use, and the most that there may be.
TEST(Train, ClassesWithoutImagesAreTrainedToo) {
  const SmallData data;
  EXPECT_EQ(trained(data.train() + Arguments{"--classes", "256"})["data"]["classes"], 256);
}

}  // namespace
}  // namespace sluice::apps::testing
