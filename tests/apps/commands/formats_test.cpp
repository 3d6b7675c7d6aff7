// The same data in every format: the same bits, in memory and streamed, by every command.
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <sluice/stages/model_file.hpp>
#include <sluice/stages/zip_member.hpp>
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/gzip.hpp"
#include "tests/support/zip.hpp"

namespace sluice::apps::testing {
namespace {

// A header as numpy.save writes it, version 1.0.
std::string npy(const std::string& type, const std::string& shape, const std::string& data, bool fortran = false) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': (" + shape + "), }";
  header += std::string(63 - (10 + header.size()) % 64, ' ') + '\n';
  std::string bytes("\x93NUMPY\1\0", 8);
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + data;
}

std::string zipped(const std::vector<std::pair<std::string, std::string>>& members, bool deflated) {
  std::vector<test::ZipPart> parts;
  for (const auto& [name, data] : members) parts.push_back({.name = name, .data = data, .deflated = deflated});
  return test::zip_file(parts);
}

std::string text_of(const std::vector<std::uint8_t>& labels) {
  return {labels.begin(), labels.end()};
}

// As Kaggle has it: a label and the pixels of each row.
std::string csv(const std::string& pixels, const std::vector<std::uint8_t>& labels, const std::string& name = "pixel") {
  std::string text = "label";
  for (std::size_t p = 0; p < rows * columns; ++p) text += "," + name + std::to_string(p);
  text += '\n';
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text += std::to_string(labels[i]);
    for (std::size_t p = 0; p < rows * columns; ++p)
      text += "," + std::to_string(static_cast<unsigned char>(pixels[i * rows * columns + p]));
    text += '\n';
  }
  return text;
}

std::string in_fortran_order(const std::string& pixels, std::size_t count) {
  std::string out;
  for (std::size_t c = 0; c < columns; ++c)
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t i = 0; i < count; ++i) out += pixels[(i * rows + r) * columns + c];
  return out;
}

class Formats : public ::testing::Test {
 protected:
  const std::string train = pixel_bytes(train_count, 1), tested = pixel_bytes(test_count, 2);
  const std::vector<std::uint8_t> train_labels = label_bytes(train_count), test_labels = label_bytes(test_count);
  const std::string three = std::to_string(rows) + ", " + std::to_string(columns);
  const SmallData data;
  const test::Folder folder;

  Arguments job(const Arguments& inputs) const {
    return Arguments{"train"} + inputs + Arguments{"--batch-size", "100", "--epochs", "2"};
  }
  std::string sha(const Arguments& inputs) const { return trained(job(inputs))["weights_sha256"]; }
  std::string streamed(const Arguments& inputs) const { return sha(inputs + Arguments{"--stream"}); }
  const std::string whole = sha({"--data", data.folder().path()}),
                    whole_streamed = streamed({"--data", data.folder().path()});

  Arguments npy_files(const std::string& name, const std::string& images, const std::string& labels,
                      const std::string& test_images, const std::string& its_labels) const {
    return {"--train-images", folder.write(name + "_x.npy", images),
            "--train-labels", folder.write(name + "_y.npy", labels),
            "--test-images",  folder.write(name + "_tx.npy", test_images),
            "--test-labels",  folder.write(name + "_ty.npy", its_labels)};
  }
  std::string shape(std::size_t count, const std::string& more) const { return std::to_string(count) + ", " + more; }
  Arguments tables(const std::string& name = "pixel") const {
    return {"--train", folder.write("train.csv", csv(train, train_labels, name)), "--test",
            folder.write("test.csv", csv(tested, test_labels, name))};
  }
};

TEST_F(Formats, NumpysArraysGiveTheSameBits) {
  const Arguments plain =
      npy_files("a", npy("|u1", shape(train_count, three), train), npy("|u1", "500,", text_of(train_labels)),
                npy("|u1", shape(test_count, three), tested), npy("|u1", "200, 1", text_of(test_labels)));
  EXPECT_EQ(sha(plain), whole);
  EXPECT_EQ(streamed(plain), whole_streamed);
  const Arguments fortran =
      npy_files("f", npy("|u1", shape(train_count, three), in_fortran_order(train, train_count), true),
                npy("|u1", "500,", text_of(train_labels)),
                npy("|u1", shape(test_count, three), in_fortran_order(tested, test_count), true),
                npy("|u1", "200,", text_of(test_labels)));
  EXPECT_EQ(sha(fortran), whole);
  EXPECT_EQ(streamed(fortran), whole_streamed);
  std::string one_hot;
  for (const std::uint8_t label : test_labels)
    for (std::uint8_t c = 0; c < classes; ++c) one_hot += c == label ? '\1' : '\0';
  EXPECT_EQ(sha(npy_files("h", npy("|u1", shape(train_count, "42"), train), npy("|u1", "500,", text_of(train_labels)),
                          npy("|u1", shape(test_count, "1, " + three), tested), npy("|b1", "200, 3", one_hot))),
            whole);
}

TEST_F(Formats, MembersOfAZipGiveTheSameBits) {
  if (stages::libzip_version().empty()) GTEST_SKIP() << "built without libzip";
  const std::vector<std::pair<std::string, std::string>> members = {
      {"x_train.npy", npy("|u1", shape(train_count, three), train)},
      {"y_train.npy", npy("|u1", "500,", text_of(train_labels))},
      {"x_test.npy", npy("|u1", shape(test_count, three), tested)},
      {"y_test.npy", npy("|u1", "200,", text_of(test_labels))}};
  for (const bool deflated : {false, true}) {
    const std::string path = folder.write("all.npz", zipped(members, deflated));
    EXPECT_EQ(sha({"--data", path}), whole);
    EXPECT_EQ(sha({"--train", path, "--test", path}), whole);
    EXPECT_EQ(streamed({"--data", path}), whole_streamed);
    const Arguments keys{"--images-key", "x_train,x_test", "--labels-key", "y_train,y_test"};
    EXPECT_EQ(sha(Arguments{"--train", path, "--test", path} + keys), whole);
    EXPECT_EQ(sha(Arguments{"--train-images", path, "--train-labels", path, "--test", path}), whole);
  }
  const std::string other = folder.write("other.npz", zipped({{"readme.txt", "hello"}}, false));
  const Result r = sluice(job({"--data", other}));
  EXPECT_EQ(r.code, 3);
  EXPECT_TRUE(contains(r.err, other + ": is a zip archive (readme.txt), and has no .npy in it")) << r.err;
  const Result piped = run({"sh", "-c", "cat \"$1\" | \"$0\" train --train /dev/stdin --test \"$1\"", sluice_path(),
                            folder.path("all.npz")});
  EXPECT_EQ(piped.code, 3);
  EXPECT_TRUE(contains(piped.err, "is an .npz file in a pipe")) << piped.err;
}

TEST_F(Formats, TablesGiveTheSameBits) {
  EXPECT_EQ(sha(tables()), whole);
  EXPECT_EQ(sha({"--data", folder.path()}), whole) << "found by their names";
  EXPECT_EQ(streamed(tables()), whole_streamed);
  for (const char* threads : {"1", "3", "8"}) {
    EXPECT_EQ(sha(tables() + Arguments{"--threads", threads}), whole);
    EXPECT_EQ(streamed(tables() + Arguments{"--threads", threads}), whole_streamed);
  }
  // Text counts as bytes only where its columns are called pixels.
  EXPECT_NE(sha(tables("feature")), whole);
  EXPECT_EQ(sha(tables("feature") + Arguments{"--scale", "1/255"}), whole);
  EXPECT_EQ(streamed(tables("feature") + Arguments{"--scale", "1/255"}), whole_streamed);
  tables();
  const std::string packed = folder.write("t.csv.gz", test::gzip(csv(train, train_labels)));
  EXPECT_EQ(sha({"--train", packed, "--test", folder.path("test.csv"), "--scale", "1/255"}), whole);
}

TEST_F(Formats, ATrainedModelTakesEveryFormat) {
  const std::string model = folder.path("m");
  const json run_of = trained(job(tables() + Arguments{"--output", model}));
  const auto loss = [&](const Arguments& inputs) {
    const Result r = sluice(Arguments{"eval", "--model", model, "--json"} + inputs);
    EXPECT_EQ(r.code, 0) << r.err;
    return parsed_json(r.out)["loss"];
  };
  EXPECT_EQ(loss({"--test", folder.path("test.csv")}), run_of["test_loss"]);
  EXPECT_EQ(loss({"--data", data.folder().path()}), run_of["test_loss"]);
  const std::string images = data.path("t10k-images-idx3-ubyte.gz");
  const std::string lines_of_idx = sluice({"predict", "--model", model, "--images", images}).out;
  EXPECT_EQ(sluice({"predict", "--model", model, "--images", folder.path("test.csv")}).out, lines_of_idx);
  const std::string array = folder.write("x.npy", npy("|u1", shape(test_count, "42"), tested));
  EXPECT_EQ(sluice({"predict", "--model", model, "--images", array}).out, lines_of_idx);
  for (const std::string& file : {folder.path("test.csv"), array, images}) {
    const Result piped =
        run({"sh", "-c", "cat \"$1\" | \"$0\" predict --model \"$2\" --images -", sluice_path(), file, model});
    EXPECT_EQ(piped.out, lines_of_idx) << piped.err;
  }
  const Result piped = run({"sh", "-c", "cat \"$1\" | \"$0\" eval --model \"$2\" --test - --json", sluice_path(),
                            folder.path("test.csv"), model});
  EXPECT_EQ(parsed_json(piped.out)["loss"], run_of["test_loss"]) << piped.err;
}

// Images and labels that are in one file are no images or labels alone, nor the other way round.
TEST_F(Formats, WhatIsNamedByTheWrongFlagIsSaidByName) {
  const std::string model = folder.path("m"), images = data.path("t10k-images-idx3-ubyte.gz"),
                    labels = data.path("t10k-labels-idx1-ubyte.gz");
  trained(job({"--data", data.folder().path(), "--output", model}));
  tables();
  const std::string table = folder.path("test.csv");
  const auto expect_refused = [](const Result& r, int code, const std::string& words) {
    EXPECT_EQ(r.code, code);
    EXPECT_TRUE(contains(r.err, words)) << r.err;
  };
  const Arguments eval{"eval", "--model", model}, predict{"predict", "--model", model};
  const std::string is_table = table + ": is a table, expected ";
  expect_refused(sluice(eval + Arguments{"--images", table, "--labels", labels}), 3, is_table + "images alone");
  expect_refused(sluice(eval + Arguments{"--images", images, "--labels", table}), 3, is_table + "labels alone");
  expect_refused(sluice(predict + Arguments{"--images", images, "--gallery", folder.path("g.svg"), "--labels", table}),
                 3, is_table + "labels alone");
  expect_refused(sluice(job({"--data", data.folder().path(), "--train-images", table})), 3, "by --train and --test");
  expect_refused(sluice(eval + Arguments{"--images", images}), 3,
                 images + ": is named without its labels: name them with --labels FILE");
  for (const char* command : {"train", "graph"})
    expect_refused(sluice({command, "--train", "-", "--test", table}), 2,
                   std::string("--train -: ") + command + " reads no standard input: name a file");
  expect_refused(sluice({"graph", "--train", table}), 3, table + ": is named without a test set");
  expect_refused(
      run({"sh", "-c", "gzip -dc \"$1\" | \"$0\" eval --model \"$2\" --test -", sluice_path(), images, model}), 3,
      "standard input: is an array, of images or of labels alone");
}

TEST_F(Formats, AnNpzFileIsReadByItsNameAlone) {
  if (stages::libzip_version().empty()) GTEST_SKIP() << "built without libzip";
  const std::string model = folder.path("m"), images = data.path("t10k-images-idx3-ubyte.gz"),
                    labels = data.path("t10k-labels-idx1-ubyte.gz"), picture = folder.path("g.svg");
  trained(job({"--data", data.folder().path(), "--output", model}));
  const std::string zip = folder.write("a.npz", zipped({{"x.npy", npy("|u1", shape(test_count, three), tested)},
                                                        {"y.npy", npy("|u1", "200,", text_of(test_labels))}},
                                                       true));
  for (const char* command : {"eval --test -", "eval --images - --labels \"$1\"", "predict --images -"}) {
    const Result r =
        run({"sh", "-c", std::string("cat \"$1\" | \"$0\" ") + command + " --model \"$2\"", sluice_path(), zip, model});
    EXPECT_EQ(r.code, 3) << command;
    EXPECT_TRUE(contains(r.err, "standard input: is an .npz file in a pipe") && contains(r.err, "name the .npz file"))
        << r.err;
  }
  const auto gallery = [&](const std::string& its_labels) {
    const Result r =
        sluice({"predict", "--model", model, "--images", images, "--gallery", picture, "--labels", its_labels});
    EXPECT_EQ(r.code, 0) << r.err;
    return test::contents_of(picture);
  };
  EXPECT_EQ(gallery(zip), gallery(labels));
}

// Columns by their names, wherever they are; classes by their words; what is missing as in training.
class Words : public ::testing::Test {
 protected:
  static std::string table(std::size_t count, bool other_order, const std::string& cell = "") {
    std::string text = other_order ? "kind;b;id;a\n" : "id,a,b,kind\n";
    for (std::size_t i = 0; i < count; ++i) {
      const bool cat = i % 3 == 0;
      const std::string id = std::to_string(i), a = std::to_string(cat ? 2.5 + 0.01 * static_cast<double>(i % 7) : 0.5),
                        b = !cell.empty() && i == 5 ? cell : std::to_string(static_cast<double>(i % 5) / 4),
                        kind = cat          ? "cat"
                               : i % 3 == 1 ? "dog"
                                            : "an \"owl\", say";
      const std::string quoted = kind.size() > 3 ? "\"an \"\"owl\"\", say\"" : kind;
      text += other_order ? quoted + ";" + b + ";" + id + ";" + a + "\n" : id + "," + a + "," + b + "," + quoted + "\n";
    }
    return text;
  }
  Arguments job(const std::string& to_train, const std::string& to_test) const {
    return {"train", "--train",  to_train, "--test",       to_test, "--label-column", "kind", "--ignore-columns",
            "id",    "--epochs", "20",     "--batch-size", "16",    "--lr",           "0.5"};
  }
  const test::Folder folder;
  const std::string train = folder.write("a.csv", table(300, false)), other = folder.write("b.csv", table(60, true));
};

TEST_F(Words, BecomeTheNamesOfTheClassesInTheOrderOfTheirBytes) {
  const std::string model = folder.path("m");
  const json result = trained(job(train, other) + Arguments{"--output", model});
  EXPECT_EQ(result["data"]["classes"], 3);
  const stages::Metadata about = stages::load_model(model).metadata;
  EXPECT_EQ(parsed_json(about.at("sluice.class_names")), (json{"an \"owl\", say", "cat", "dog"}));
  EXPECT_EQ(parsed_json(about.at("sluice.features")), (json{"a", "b"}));
  const Result r = sluice({"eval", "--model", model, "--test", other, "--label-column", "kind", "--json"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(parsed_json(r.out)["loss"], result["test_loss"]);
  EXPECT_EQ(parsed_json(r.out)["classes"][1]["name"], "cat");
  const std::string unknown = folder.write("c.csv", "a,b,kind\n1,1,cat\n1,1,fish\n");
  const Result u = sluice({"eval", "--model", model, "--test", unknown, "--label-column", "kind"});
  EXPECT_EQ(u.code, 3);
  EXPECT_TRUE(contains(u.err, unknown + ": line 3, column 3 (kind): label 'fish', expected one of")) << u.err;
  const std::string lacks = folder.write("d.csv", "a,kind\n1,cat\n");
  const Result l = sluice({"predict", "--model", model, "--images", lacks});
  EXPECT_EQ(l.code, 3);
  EXPECT_TRUE(contains(l.err, "'b'")) << l.err;
}

TEST_F(Words, WhatIsMissingIsAnErrorOrCounted) {
  const std::string gap = folder.write("gap.csv", table(300, false, "NA"));
  const Result refused = sluice(job(gap, other));
  EXPECT_EQ(refused.code, 3);
  EXPECT_TRUE(contains(refused.err, gap + ": line 7, column 3 (b): 'NA', expected a number")) << refused.err;
  for (const char* how : {"zero", "mean", "skip"})
    for (const Arguments& more : {Arguments{}, {"--standardize"}}) {
      const Arguments wanted = job(gap, other) + Arguments{"--missing", how} + more;
      const std::string model = folder.path("m"), streamed = folder.path("s");
      const Result r = sluice(wanted + Arguments{"--output", model});
      EXPECT_EQ(r.code, 0) << r.err;
      EXPECT_TRUE(contains(r.err, "1 cell missing")) << r.err;
      trained(wanted + Arguments{"--stream", "--output", streamed});
      EXPECT_EQ(stages::load_model(model).model.known_inputs().transform,
                stages::load_model(streamed).model.known_inputs().transform)
          << how;
      // The model knows what to put where something is missing.
      const Result e = sluice({"eval", "--model", model, "--test", gap, "--label-column", "kind"});
      EXPECT_EQ(e.code, how == std::string("mean") ? 0 : 3) << e.err;
    }
}

TEST_F(Words, WhatIsAskedForMissingCellsBeatsWhatTheModelHas) {
  const std::string gap = folder.write("gap.csv", table(300, false, "NA")), model = folder.path("m"),
                    mean = folder.path("mean");
  trained(job(train, other) + Arguments{"--output", model});
  trained(job(gap, other) + Arguments{"--missing", "mean", "--output", mean});
  const auto eval = [&](const std::string& of, const std::string& how) {
    return sluice({"eval", "--model", of, "--test", gap, "--label-column", "kind", "--missing", how});
  };
  for (const std::string& of : {model, mean}) {
    EXPECT_TRUE(contains(eval(of, "error").err, gap + ": line 7, column 3 (b): 'NA'"));
    const Result zero = eval(of, "zero"), skip = eval(of, "skip");
    EXPECT_TRUE(contains(zero.err, "1 cell missing, taken for 0")) << zero.err;
    EXPECT_TRUE(contains(skip.err, "1 cell missing, 1 row left out")) << skip.err;
    EXPECT_TRUE(contains(skip.out, "over 299 images")) << skip.out;
  }
  EXPECT_TRUE(contains(eval(mean, "auto").err, "1 cell missing, taken for the mean of the column in the training set"));
  EXPECT_NE(eval(mean, "zero").out, eval(mean, "mean").out);
  const Result none = eval(model, "mean");
  EXPECT_EQ(none.code, 2);
  EXPECT_TRUE(contains(none.err, "--missing mean: " + model + " was not trained with it and keeps no means"))
      << none.err;
  const Arguments predict{"predict", "--model", model, "--images", gap, "--missing"};
  const Result skipped = sluice(predict + Arguments{"skip"}), lines_of = sluice(predict + Arguments{"zero"});
  EXPECT_EQ(skipped.code, 2);
  EXPECT_TRUE(contains(skipped.err, "a row that is left out would have no line")) << skipped.err;
  EXPECT_EQ(lines(lines_of.out).size(), 300u);
  EXPECT_TRUE(contains(lines_of.err, gap + ": 300 rows separated by commas, with a header")) << lines_of.err;
}

TEST_F(Words, AreToldAlsoWhereNearlyAllOfThemAreNumbers) {
  std::string text = "a,class\n";
  for (int i = 0; i < 30; ++i) text += std::to_string(i % 7) + "," + (i == 20 ? "3O" : std::to_string(i % 3)) + "\n";
  const std::string typo = folder.write("typo.csv", text);
  const Result r = sluice({"train", "--train", typo, "--test", typo, "--epochs", "1"});
  EXPECT_TRUE(contains(r.err, "the label is column 2 (class), 4 words: '0', '1', '2', '3O'; 1 feature")) << r.err;
  text = "a,target\n";
  for (int i = 0; i < 30; ++i) text += "1," + std::to_string(i) + ".5\n";
  const std::string numbers = folder.write("numbers.csv", text);
  const Result n = sluice({"train", "--train", numbers, "--test", numbers, "--epochs", "1"});
  EXPECT_TRUE(contains(n.err, ", 30 words: '0.5', '1.5', '10.5', '11.5', ... '9.5', a class for nearly every row"))
      << n.err;
}

TEST_F(Words, FlagsOfTablesAreRefusedWhereThereIsNone) {
  const SmallData data;
  const Arguments arrays{"train", "--data", data.folder().path(), "--epochs", "1"};
  for (const Arguments& flag : {Arguments{"--missing", "zero"}, Arguments{"--ignore-columns", "id"},
                                Arguments{"--separator", ";"}, Arguments{"--header", "no"}}) {
    const Result r = sluice(arrays + flag);
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, flag[0] + ": has no effect: none of the files is a table")) << r.err;
  }
  const Result keys = sluice(job(train, other) + Arguments{"--images-key", "x"});
  EXPECT_EQ(keys.code, 2);
  EXPECT_TRUE(contains(keys.err, "--images-key: has no effect: none of the files is a .npz")) << keys.err;
  for (const char* column : {"0", "-1", "kind"}) {
    const Result r = sluice(arrays + Arguments{"--label-column", column});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(contains(r.err, std::string("--label-column ") + column + ": the labels are an array")) << r.err;
  }
  const std::string model = folder.path("m");
  trained(job(train, other) + Arguments{"--output", model});
  const Result ignored = sluice({"predict", "--model", model, "--images", other, "--ignore-columns", "a"});
  EXPECT_EQ(ignored.code, 2);
  EXPECT_TRUE(contains(ignored.err, "--ignore-columns: 'a' is a feature of " + model)) << ignored.err;
}

TEST_F(Words, TheFirstErrorOfTheFileIsSaidWhateverTheThreads) {
  std::string text = table(20000, false);
  const std::size_t at = text.find("\n15000,");
  text.replace(at + 1, 5, "15000,x,1,cat\nbad");
  const std::string path = folder.write("late.csv", text);
  for (const char* threads : {"1", "2", "7"}) {
    const Result r = sluice(job(path, other) + Arguments{"--threads", threads});
    EXPECT_EQ(r.code, 3);
    EXPECT_TRUE(contains(r.err, path + ": line 15002, column 2 (a): 'x', expected a finite number")) << r.err;
  }
}

TEST_F(Words, WithoutANameTheLabelIsAskedFor) {
  const Result r = sluice({"train", "--train", train, "--test", other});
  EXPECT_EQ(r.code, 3);
  EXPECT_TRUE(contains(r.err, "which column is the label?") && contains(r.err, "--label-column") &&
              contains(r.err, "'id,a,b,kind'"))
      << r.err;
  const json by_number =
      trained({"train", "--train", train, "--test", train, "--label-column", "4", "--ignore-columns", "1"});
  const json by_name =
      trained({"train", "--train", train, "--test", train, "--label-column", "-1", "--ignore-columns", "id"});
  EXPECT_EQ(by_number["weights_sha256"], by_name["weights_sha256"]);
}

TEST_F(Words, ACheckpointGoesOnAndKnowsItsColumns) {
  const Arguments kept{"--checkpoint", folder.path("k")};
  const json once = trained(job(train, other) + kept);
  EXPECT_EQ(trained(job(train, other) + kept)["weights_sha256"], once["weights_sha256"]);
  const Result r = sluice({"train", "--train", train, "--test", other, "--label-column", "kind", "--epochs", "20",
                           "--batch-size", "16", "--lr", "0.5", "--checkpoint", folder.path("k")});
  EXPECT_EQ(r.code, 2);
  EXPECT_TRUE(contains(r.err, "--ignore-columns is ")) << r.err;
  const Result line = sluice(job(train, other) + Arguments{"--dump-flags"});
  EXPECT_TRUE(contains(line.out, "--train " + train + " --test " + other)) << line.out;
}

TEST_F(Formats, AModelOfOneShapeRefusesAnother) {
  const std::string model = folder.path("m");
  trained(job({"--data", data.folder().path()}) + Arguments{"--output", model});
  const std::string wide = folder.write("wide", test::idx_images(tested, 3, 14));
  for (const char* command : {"eval", "predict"}) {
    const Arguments labels =
        std::string(command) == "eval" ? Arguments{"--labels", data.path("t10k-labels-idx1-ubyte.gz")} : Arguments{};
    const Result r = sluice(Arguments{command, "--model", model, "--images", wide} + labels);
    EXPECT_EQ(r.code, 3);
    EXPECT_TRUE(contains(r.err, "images of 3 x 14 pixels, expected 6 x 7 pixels, as " + model + " was trained on"))
        << r.err;
  }
}

TEST_F(Formats, TrainAndTestOfScalesThatDifferAreRefusedUnlessOneIsSaid) {
  tables("feature");  // whose scale is 1
  const Arguments mixed{"train",
                        "--train",
                        folder.path("train.csv"),
                        "--test-images",
                        data.path("t10k-images-idx3-ubyte.gz"),
                        "--test-labels",
                        data.path("t10k-labels-idx1-ubyte.gz"),
                        "--epochs",
                        "1",
                        "--quiet"};
  for (const Arguments& more : {Arguments{}, {"--stream"}}) {
    const Result r = sluice(mixed + more);
    EXPECT_EQ(r.code, 3);
    EXPECT_TRUE(contains(r.err, "pixels whose scale is 1/255, expected 1 as in " + folder.path("train.csv"))) << r.err;
    EXPECT_EQ(sluice(mixed + more + Arguments{"--scale", "1/255"}).code, 0);
  }
}

// As QMNIST has them: rows of eight numbers, the first of which is the class.
TEST_F(Formats, LabelsOfSeveralNumbersHaveAColumn) {
  std::string of_train = test::idx_header(2, {train_count, 8}, 0x0c);
  for (const std::uint8_t label : train_labels)
    for (int column = 0; column < 8; ++column)
      of_train += {'\0', '\0', '\0', static_cast<char>(column == 0 ? label : 100 + column)};
  const Arguments inputs{"--data", data.folder().path(), "--train-labels", folder.write("l", of_train)};
  const Result asked = sluice(job(inputs));
  EXPECT_EQ(asked.code, 3);
  EXPECT_TRUE(contains(asked.err, "which of them is the class (--label-column 1 to 8)")) << asked.err;
  EXPECT_EQ(sluice(job(inputs + Arguments{"--label-column", "9"})).code, 3);
  std::string of_test = test::idx_header(2, {test_count, 8}, 0x0c);
  for (const std::uint8_t label : test_labels)
    for (int column = 0; column < 8; ++column)
      of_test += {'\0', '\0', '\0', static_cast<char>(column == 0 ? label : 100 + column)};
  const Arguments both = inputs + Arguments{"--test-labels", folder.write("t", of_test), "--label-column", "1"};
  EXPECT_EQ(sha(both), whole);
  EXPECT_EQ(streamed(both), whole_streamed);
}

TEST_F(Formats, WhatIsNoDataIsNamed) {
  const std::pair<std::string, const char*> all[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n", "is a Git LFS pointer"},
      {"<!DOCTYPE html><html></html>", "is an HTML page"},
      {"<?xml version=\"1.0\"?><Error/>", "is an XML page"},
      {"{\"message\": \"Not Found\"}", "is JSON"}};
  for (const auto& [bytes, words] : all) {
    const std::string path = folder.write("file", bytes);
    for (const Arguments& how : {Arguments{"--train-images", path}, {"--train", path}}) {
      const Result r = sluice(Arguments{"train", "--data", data.folder().path()} + how);
      EXPECT_EQ(r.code, 3);
      EXPECT_TRUE(contains(r.err, path + ": ") && contains(r.err, words)) << r.err;
    }
    EXPECT_TRUE(contains(sluice({"inspect", path}).out, words));
  }
}

TEST_F(Formats, InspectSaysWhatTheyHold) {
  const auto inspected = [&](const std::string& path) {
    return parsed_json(sluice({"inspect", "--json", path}).out)["files"][0];
  };
  const json array = inspected(folder.write("a.npy", npy("<f8", "2, 3", std::string(48, '\0'), true)));
  EXPECT_EQ(array["kind"], "npy");
  EXPECT_EQ(array["element_type"], "float64");
  EXPECT_EQ(array["shape"], (json{2, 3}));
  EXPECT_EQ(array["order"], "fortran");
  EXPECT_FALSE(array.contains("no_data"));
  EXPECT_EQ(inspected(folder.write("b.npy", npy("<f8", "2, 3", std::string(47, '\0'))))["sound"], false);
  // Sound, and not for train.
  const float values[] = {1, std::numeric_limits<float>::quiet_NaN(), -1, 2};
  const std::string floats(reinterpret_cast<const char*>(values), sizeof values);
  const std::pair<std::string, const char*> others[] = {
      {npy("<f4", "2, 2", floats), "pixel 1 of image 0 is nan"},
      {npy("<f4", "2, 2", floats, true), nullptr},  // its header alone is looked at
      {npy("<f4", "4,", floats), "label"},
      {npy("<f4", "0, 28, 28", ""), "promises 0 images"},
      {npy("<f4", "1, 1, 2, 2, 1", floats), "holds 1 x 1 x 2 x 2 x 1 of float32, expected images"},
      {npy("<f4", "1, 1, 2, 2, 1", floats, true), "holds 1 x 1 x 2 x 2 x 1 of float32, expected images"},
      {npy("|u1", "3,", std::string(3, '\1')), nullptr}};
  for (const auto& [bytes, why] : others) {
    const json other = inspected(folder.write("o.npy", bytes));
    EXPECT_EQ(other["sound"], true) << other;
    EXPECT_EQ(other.contains("no_data"), why != nullptr) << other;
    EXPECT_TRUE(contains(other.value("no_data", ""), why ? why : "")) << other;
    if (stages::libzip_version().empty()) continue;
    const json member = inspected(folder.write("o.npz", zipped({{"x.npy", bytes}}, false)))["members"][0];
    EXPECT_EQ(member.value("no_data", ""), other.value("no_data", ""));
  }
  tables();
  const json table = inspected(folder.path("test.csv"));
  EXPECT_EQ(table["kind"], "table");
  EXPECT_EQ(table["rows"], test_count);
  EXPECT_EQ(table["header"], true);
  EXPECT_EQ(table["columns"], 43);
  const json ragged = inspected(folder.write("r.csv", "a,b\n1,2\n3,4\n5\n"));
  EXPECT_EQ(ragged["sound"], false);
  EXPECT_TRUE(contains(ragged["error"], "line 4")) << ragged;
}

}  // namespace
}  // namespace sluice::apps::testing
