#include <sluice/stages/model_file.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <sluice/stages/digest.hpp>
#include <sluice/stages/errors.hpp>
#include "tests/support/files.hpp"
#include "tests/support/small_disk.hpp"

namespace sluice::stages {
namespace {

using Sizes = std::vector<std::size_t>;

using sluice::test::contents_of;
using sluice::test::expect_error;
using sluice::test::Folder;
using sluice::test::SmallDisk;

// A file with this header and these, or so many, bytes behind it.
std::string with_header(const std::string& header, const std::string& data) {
  std::string bytes;
  for (unsigned b = 0; b < 8; ++b) bytes += static_cast<char>(header.size() >> 8 * b & 0xff);
  return bytes + header + data;
}
std::string with_header(const std::string& header, std::size_t data) {
  return with_header(header, std::string(data, '\0'));
}
std::string little_endian(const std::vector<float>& values) {
  std::string bytes;
  for (const float v : values)
    for (unsigned b = 0; b < 4; ++b) bytes += static_cast<char>(std::bit_cast<std::uint32_t>(v) >> 8 * b & 0xff);
  return bytes;
}
std::string tensor(const std::string& shape, std::size_t begin, std::size_t end, const std::string& type = "F32") {
  return R"({"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":[)" + std::to_string(begin) + "," +
         std::to_string(end) + "]}";
}
std::string header(const std::string& weight, const std::string& bias, const std::string& more = "") {
  return R"({"weight":)" + weight + R"(,"bias":)" + bias + more + "}";
}

std::string checksum_in(const std::string& file) {
  const std::string key = R"("sluice.sha256":")";
  const std::size_t at = file.find(key);
  return at == std::string::npos ? "" : file.substr(at + key.size(), 64);
}

void refused(const std::string& contents, std::initializer_list<std::string_view> parts) {
  const Folder folder;
  const std::string path = folder.write("m.safetensors", contents);
  const std::string text = expect_error<DataError>([&] { load_model(path); }, parts);
  EXPECT_TRUE(text.starts_with(path)) << text;
}

TEST(ModelFile, ASavedModelIsReadBackBitForBit) {
  const Folder folder;
  for (const std::size_t pixels : Sizes{1, 17, 784}) {
    Model model = random_model(pixels, 10, 3);
    model.bias[2] = -0.f, model.bias[3] = std::numeric_limits<float>::denorm_min();
    const Metadata metadata{{"epochs", "10"}, {"quote", "\"\n\\ \xc3\xa4"}};
    save_model(folder.path("m"), model, metadata);
    const StoredModel stored = load_model(folder.path("m"));
    EXPECT_EQ(stored.model.pixels, pixels);
    EXPECT_EQ(stored.model.classes, 10u);
    EXPECT_EQ(weights_sha256(stored.model), weights_sha256(model));
    EXPECT_EQ(stored.model.weights, model.weights);
    EXPECT_EQ(stored.metadata, metadata);
  }
}

TEST(ModelFile, IsLaidOutAsTheFormatSays) {
  const Folder folder;
  save_model(folder.path("m"), packed_model(3, 2, {1, 2, 3, 4, 5, 6}, {7, 8}), {{"a", "b"}});
  const std::string file = contents_of(folder.path("m"));
  const std::size_t length = static_cast<unsigned char>(file[0]) + 256u * static_cast<unsigned char>(file[1]);
  EXPECT_EQ(file.substr(2, 6), std::string(6, '\0'));
  EXPECT_EQ(length % 8, 0u);
  ASSERT_EQ(file.size(), 8u + length + 4 * (6 + 2));
  const std::string text = file.substr(8, length), checksum = checksum_in(file);
  EXPECT_EQ(text.substr(0, text.find_last_not_of(' ') + 1),
            R"({"__metadata__":{"a":"b","sluice.scale":"1/255","sluice.sha256":")" + checksum +
                R"("},"weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                R"("bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})");
  EXPECT_EQ(file.substr(8u + length, 8), std::string("\0\0\x80\x3f\0\0\0\x40", 8));  // 1, 2
}

TEST(ModelFile, ItsChecksumIsThatOfTheFileWithoutIt) {
  const Folder folder;
  save_model(folder.path("m"), random_model(3, 2, 1), {{"a", "b"}});
  std::string file = contents_of(folder.path("m"));
  const std::string checksum = checksum_in(file);
  EXPECT_TRUE(load_model(folder.path("m")).checked);
  file.replace(file.find(checksum), checksum.size(), 64, '0');
  Sha256 sum;
  sum.add(file.data(), file.size());
  EXPECT_EQ(sum.hex(), checksum);
}

TEST(ModelFile, WithoutMetadataThereIsNone) {
  const Folder folder;
  save_model(folder.path("m"), zero_model(3, 2), {});
  EXPECT_TRUE(load_model(folder.path("m")).metadata.empty());
}

TEST(ModelFile, WithoutAChecksumItIsReadAndNotCheckedAgainstOne) {
  const Folder folder;
  const std::string tensors = header(tensor("[2,3]", 0, 24), tensor("[2]", 24, 32));
  EXPECT_FALSE(load_model(folder.write("m", with_header(tensors, 32))).checked);
}

TEST(ModelFile, MetadataThatIsNoTextIsSavedAsGoodAsItCan) {
  const Folder folder;
  save_model(folder.path("m"), zero_model(3, 2), {{"path", "\xff"}});
  EXPECT_EQ(load_model(folder.path("m")).metadata.at("path"), "\xef\xbf\xbd");
}

TEST(ModelFile, KnowsTheShapeOfItsImages) {
  const Folder folder;
  Model model = random_model(12, 2, 1);
  save_model(folder.path("flat"), model, {});
  EXPECT_EQ(load_model(folder.path("flat")).model.known_inputs().rows, 0u);
  EXPECT_EQ(contents_of(folder.path("flat")).find("sluice.shape"), std::string::npos);
  for (const auto& [planes, rows, columns, text] :
       {std::tuple{1u, 3u, 4u, R"("sluice.shape":"3 x 4")"}, {3u, 2u, 2u, R"("sluice.shape":"3 x 2 x 2")"}}) {
    model.inputs.renew() = {.planes = planes, .rows = rows, .columns = columns};
    save_model(folder.path("m"), model, {}, Replacement::Older::dropped, {.earlier = &model});
    EXPECT_NE(contents_of(folder.path("m")).find(text), std::string::npos);
    const StoredModel stored = load_model(folder.path("m"));
    EXPECT_FALSE(stored.metadata.contains("sluice.shape"));
    for (const Inputs& one : {stored.model.known_inputs(), stored.earlier->known_inputs()}) {
      EXPECT_EQ(one.planes, planes);
      EXPECT_EQ(one.rows, rows);
      EXPECT_EQ(one.columns, columns);
    }
  }
  const std::string tensors = tensor("[2,12]", 0, 96), bias = tensor("[2]", 96, 104);
  const auto with = [&](const std::string& shape) {
    return with_header(header(tensors, bias, R"(,"__metadata__":{"sluice.shape":")" + shape + R"("})"), 104);
  };
  EXPECT_EQ(load_model(folder.write("m", with("12 x 1"))).model.known_inputs().columns, 1u);
  for (const std::string wrong : {"", "12", "3 x 5", "3x4", "3 x 4 ", " 3 x 4", "0 x 12", "3 x 2 x 2 x 1", "-3 x -4",
                                  "18446744073709551615 x 4", "1 x 1 x 67108865"})
    refused(with(wrong), {"sluice.shape: '" + wrong + "' is no shape of 12 pixels"});
}

TEST(ModelFile, KeepsWhatIsDoneToThePixels) {
  const Folder folder;
  Model model = random_model(3, 2, 1);
  const FeatureTransform transform{.fill = {1, 2, 3}, .mean = {4, 5, -6}, .deviation = {0, 0.5f, 2}};
  model.inputs.renew().transform = transform;
  save_model(folder.path("m"), model, {}, Replacement::Older::dropped, {.earlier = &model});
  const StoredModel stored = load_model(folder.path("m"));
  EXPECT_EQ(stored.model.known_inputs().transform, transform);
  EXPECT_EQ(stored.earlier->known_inputs().transform, transform);
  EXPECT_EQ(weights_sha256(stored.model), weights_sha256(model));
  model.inputs.renew().transform.fill.clear();
  save_model(folder.path("m"), model, {});
  EXPECT_EQ(load_model(folder.path("m")).model.known_inputs().transform, model.known_inputs().transform);

  const std::string weight = tensor("[2,3]", 0, 24), bias = tensor("[2]", 24, 32);
  const auto with = [&](const std::string& more, std::size_t bytes) {
    return with_header(header(weight, bias, more), little_endian(std::vector<float>(bytes / 4, -1)));
  };
  const std::string mean = R"(,"mean":)" + tensor("[3]", 32, 44);
  refused(with(mean, 44), {"has one of 'mean' and 'deviation', expected both"});
  refused(with(mean + R"(,"deviation":)" + tensor("[3]", 44, 56), 56), {"has the deviation -1, expected 0 or more"});
  refused(with(R"(,"fill":)" + tensor("[2]", 32, 40), 40),
          {"'fill' is of type F32 and shape [2], expected F32 and [3]"});
  refused(with(R"(,"fill":)" + tensor("[3]", 32, 56, "F64"), 56), {"'fill' is of type F64"});
  refused(with(R"(,"earlier.fill":)" + tensor("[3]", 32, 44), 44), {"has a tensor 'earlier.fill'"});
}

TEST(ModelFile, WhenSavingFailsTheOldFileIsIntact) {
  const Folder folder;
  save_model(folder.path("m"), random_model(784, 10, 1), {});
  const std::string old = contents_of(folder.path("m"));
  expect_error<WriteError>([&] { save_model(folder.path("missing/m"), zero_model(3, 2), {}); },
                           {folder.path("missing/m"), "does its folder exist?"});
  {
    const SmallDisk disk(20000);
    expect_error<WriteError>([&] { save_model(folder.path("m"), random_model(784, 10, 2), {}); },
                             {folder.path("m") + ": cannot be written"});
  }
  EXPECT_EQ(contents_of(folder.path("m")), old);
  EXPECT_EQ(folder.files(), 1u);
}

TEST(ModelFile, AHoleAnywhereIsRefused) {
  using Places = std::pair<std::size_t, std::size_t>;
  for (const auto& [weight, bias] : {Places{4, 28}, {0, 28}, {8, 36}}) {
    const std::string tensors = header(tensor("[2,3]", weight, weight + 24), tensor("[2]", bias, bias + 8));
    refused(with_header(tensors, bias + 8), {"its tensors lie at bytes"});
  }
}

TEST(ModelFile, HoldsWhatAnOptimiserKeepsAndTheBestModel) {
  const Folder folder;
  const auto numbered = [](float first) {
    Model model = random_model(19, 3, 1);
    const std::size_t size = model.weights.size() + model.bias.size();
    const auto values = [&](float from) {
      Column<float> all(size);
      for (std::size_t i = 0; i < size; ++i) all[i] = from + static_cast<float>(i);
      // Past the last pixel there is nothing.
      for (std::size_t i = 0; i < model.weights.size(); ++i)
        if (model.weights[i] == 0) all[i] = 0;
      return all;
    };
    model.moments = {values(first), values(first + 1000)};
    model.average = values(first + 2000);
    return model;
  };
  const Model model = numbered(1), earlier = numbered(5000), best = random_model(19, 3, 2);
  save_model(folder.path("m"), model, {}, Replacement::Older::dropped, {.earlier = &earlier, .best = &best});
  const StoredModel stored = load_model(folder.path("m"));
  ASSERT_TRUE(stored.earlier && stored.best);
  for (const auto& [read, saved] : {std::pair{&stored.model, &model}, {&*stored.earlier, &earlier}}) {
    EXPECT_EQ(read->weights, saved->weights);
    EXPECT_EQ(read->moments, saved->moments);
    EXPECT_EQ(read->average, saved->average);
  }
  EXPECT_EQ(stored.best->weights, best.weights);
  EXPECT_EQ(stored.best->bias, best.bias);
  EXPECT_TRUE(stored.best->average.empty());
}

TEST(ModelFile, AMomentIsAPairOfTheSizesOfTheModel) {
  const Folder folder;
  const std::string two = header(tensor("[2,3]", 0, 24), tensor("[2]", 24, 32)).substr(1);
  const auto refused = [&](const std::string& more, std::size_t bytes, std::string_view what) {
    const std::string tensors = "{" + more + two;
    expect_error<DamagedError>([&] { load_model(folder.write("m", with_header(tensors, bytes))); }, {what});
  };
  refused("\"moment1.weight\":" + tensor("[2,3]", 32, 56) + ",", 56, "has no tensor 'moment1.bias', expected both");
  refused("\"moment1.weight\":" + tensor("[2,2]", 32, 48) + ",\"moment1.bias\":" + tensor("[2]", 48, 56) + ",", 56,
          "'moment1.weight' is of other sizes than 'weight'");
  refused("\"moment3.bias\":" + tensor("[2]", 32, 40) + ",", 40, "has a tensor 'moment3.bias'");
  refused("\"best.moment1.bias\":" + tensor("[2]", 32, 40) + ",", 40, "has a tensor 'best.moment1.bias'");
}

TEST(ModelFile, AnEarlierModelOfOtherSizesIsRefused) {
  const Folder folder;
  const Model model = random_model(3, 2, 1);
  const auto earlier = [&](std::size_t pixels, std::size_t classes) {
    const Model other = random_model(pixels, classes, 1);
    save_model(folder.path("m"), model, {}, Replacement::Older::dropped, {.earlier = &other});
    return folder.path("m");
  };
  EXPECT_TRUE(load_model(earlier(3, 2)).earlier);
  for (const auto& [pixels, classes] : {std::pair{3u, 4u}, {5u, 2u}, {5u, 4u}})
    expect_error<DataError>([&, pixels = pixels, classes = classes] { load_model(earlier(pixels, classes)); },
                            {"'earlier.weight' is of other sizes than 'weight'"});
}

TEST(ModelFile, EveryTruncationIsRefused) {
  const Folder folder;
  save_model(folder.path("m"), random_model(3, 2, 1), {{"a", "b"}});
  const std::string whole = contents_of(folder.path("m"));
  for (std::size_t size = 0; size < whole.size(); ++size) refused(whole.substr(0, size), {"m.safetensors"});
  refused(whole + "x", {"was something appended?"});
}

TEST(ModelFile, EveryFlippedByteIsRefused) {
  const Folder folder;
  save_model(folder.path("m"), random_model(3, 2, 1), {{"a", "b"}});
  const std::string whole = contents_of(folder.path("m")), key = "sluice.sha256";
  const std::size_t key_at = whole.find(key);
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int mask : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ mask);
      try {
        // Without its name the checksum is the metadata of another program, in a sound file without a checksum.
        EXPECT_FALSE(load_model(folder.write("damaged", damaged)).checked);
        EXPECT_TRUE(at >= key_at && at < key_at + key.size()) << "at " << at << ", mask " << mask;
      } catch (const DataError&) {
      }
    }
}

TEST(ModelFile, WhatIsNoModelIsRefusedWithWhatWasExpected) {
  expect_error<DataError>([] { load_model("/nowhere/m"); }, {"/nowhere/m: cannot be opened: No such file"});
  expect_error<DataError>([] { load_model("/"); }, {"/: cannot be read: Is a directory"});
  refused("", {"has 0 bytes, expected a safetensors file"});
  refused("PK\x03\x04 something else entirely", {"is it a safetensors file?"});
  refused(std::string(8, '\xff') + "{}", {"18446744073709551615 bytes"});
  for (const std::string start : {"", "[]", " {}", "\xEF\xBB\xBF{}", "null"})
    refused(with_header(start, 0), {"does not begin with '{'"});
  refused(with_header("{", 0), {"no JSON object"});
  refused(with_header("{}", 0), {"no tensor 'weight'"});
  refused(with_header(R"({"weight":)" + tensor("[2,3]", 0, 24) + "}", 24), {"no tensor 'bias'"});
  refused(with_header(R"({"weight":)" + std::string(1000000, '['), 0), {"nested"});
  refused(with_header(R"({"weight":{"dtype":)" + std::string(100000, '['), 0), {"nested"});
}

TEST(ModelFile, TensorsOfAnotherKindAreRefusedWithWhatWasExpected) {
  const std::string weight = tensor("[2,3]", 0, 24), bias = tensor("[2]", 24, 32);
  const Folder folder;
  EXPECT_EQ(load_model(folder.write("m", with_header(header(weight, bias), 32))).model.pixels, 3u);
  EXPECT_EQ(
      load_model(folder.write("m", with_header(header(tensor("[2,3]", 8, 32), tensor("[2]", 0, 8)), 32))).model.classes,
      2u);

  refused(with_header(header("3", bias), 32), {"'weight' is not described"});
  refused(with_header(header(tensor("[2,3]", 0, 48, "F64"), tensor("[2]", 48, 56)), 56),
          {"'weight'", "\"F64\", expected F32"});
  refused(with_header(header(tensor("[2,3]", 0, 24, "F64"), bias), 32), {"expected 48 bytes for F64 of shape [2,3]"});
  refused(with_header(header(tensor("[6]", 0, 24), bias), 32), {"shape [6], expected [classes, pixels]"});
  refused(with_header(header(weight, tensor("[2,1]", 24, 32)), 32), {"shape [2,1], expected [classes]"});
  refused(with_header(header(tensor("[-2,3]", 0, 24), bias), 32), {"-2, expected a whole number"});
  refused(with_header(header(tensor("[2,1.5]", 0, 24), bias), 32), {"1.5, expected a whole number"});
  refused(with_header(header(tensor("[0,3]", 0, 0), tensor("[2]", 0, 8)), 8), {"impossible shape"});
  refused(with_header(header(tensor("[4294967296,4294967296]", 0, 24), bias), 32), {"impossible shape"});
  refused(with_header(header(tensor("[2,4]", 0, 24), bias), 32), {"expected 32 bytes for F32 of shape [2,4]"});
  refused(with_header(header(weight, tensor("[2]", 32, 40)), 32), {"'bias' lies at bytes 32 to 40 of 32"});
  refused(with_header(header(weight, tensor("[2]", 32, 24)), 32), {"'bias' lies at bytes 32 to 24"});
  refused(with_header(header(weight, tensor("[3]", 24, 36)), 36), {"3 classes", "2, expected the same"});
  refused(with_header(header(tensor("[1,3]", 0, 12), tensor("[1]", 12, 16)), 16), {"1 classes, expected 2 to 65536"});
  refused(with_header(header(tensor("[65537,1]", 0, 262148), tensor("[65537]", 262148, 524296)), 524296),
          {"65537 classes, expected 2 to 65536"});
  refused(with_header(header(tensor("[3,2]", 0, 24), bias), 32),
          {"for 2 classes", "for 3, expected the same: is 'weight' [pixels, classes]?"});
  refused(with_header(header(weight, tensor("[2]", 16, 24)), 24), {"expected them to fill the 24 bytes"});
  refused(with_header(header(weight, tensor("[2]", 28, 36)), 36), {"expected them to fill the 36 bytes"});
  refused(with_header(header(weight, bias), 36), {"expected them to fill the 36 bytes"});
  refused(with_header(header(weight, bias, R"(,"other":)" + tensor("[1]", 32, 36)), 36), {"tensor 'other'"});
  refused(with_header(header(weight, bias, R"(,"__metadata__":3)"), 32), {"__metadata__ is no JSON object"});
  refused(with_header(header(weight, bias, R"(,"__metadata__":{"a":3})"), 32), {"no string for 'a'"});
}

TEST(ModelFile, TheFilesOfOtherProgramsAreRead) {
  const std::vector<float> w{1.5f, -2, 0.1f, 3e-45f, -0.f, 3.4e38f}, b{-7, 0.25f};
  const Model expected = packed_model(3, 2, w, b);
  const std::string weight_first = little_endian(w) + little_endian(b),
                    bias_first = little_endian(b) + little_endian(w);
  const std::string front = tensor("[2,3]", 0, 24), back = tensor("[2,3]", 8, 32);
  const Folder folder;
  const struct {
    std::string header, data;
    Metadata metadata;
  } cases[] = {
      // as the safetensors library of Python writes it: in alphabetical order, padded by spaces
      {R"({"bias":)" + tensor("[2]", 0, 8) + R"(,"weight":)" + back + "}   ", bias_first, {}},
      {R"({"__metadata__":{"format":"pt"},"bias":)" + tensor("[2]", 0, 8) + R"(,"weight":)" + back + "}",
       bias_first,
       {{"format", "pt"}}},
      // tensors in other orders in header and data
      {header(front, tensor("[2]", 24, 32)), weight_first, {}},
      {R"({"bias":)" + tensor("[2]", 24, 32) + R"(,"weight":)" + front + "}", weight_first, {}},
      {header(back, tensor("[2]", 0, 8)), bias_first, {}},
      // white space, other order of keys, metadata last, keys that this program has no use for
      {"{ \"weight\" : { \"data_offsets\": [ 0, 24 ],\n\t\"shape\": [2, 3], \"dtype\": \"F32\" },\r\n"
       "\"bias\":{\"shape\":[2],\"data_offsets\":[24,32],\"dtype\":\"F32\"},\"__metadata__\":{\"\":\"\",\"epochs\":"
       "\"a\\u00e4\"}}",
       weight_first,
       {{"", ""}, {"epochs", "a\xc3\xa4"}}},
      {header(front, tensor("[2]", 24, 32), R"(,"__metadata__":{})"), weight_first, {}},
  };
  for (const auto& [text, data, metadata] : cases) {
    const StoredModel stored = load_model(folder.write("m", with_header(text, data)));
    EXPECT_EQ(weights_sha256(stored.model), weights_sha256(expected)) << text;
    EXPECT_EQ(stored.model.pixels, 3u);
    EXPECT_EQ(stored.model.classes, 2u);
    EXPECT_EQ(stored.metadata, metadata) << text;
    EXPECT_FALSE(stored.checked);
  }
}

TEST(ModelFile, OfEveryOtherTypeATensorIsRefused) {
  const Folder folder;
  for (const auto& [type, bytes] : std::vector<std::pair<std::string, std::size_t>>{{"F64", 8},
                                                                                    {"F16", 2},
                                                                                    {"BF16", 2},
                                                                                    {"F8_E4M3", 1},
                                                                                    {"F8_E5M2", 1},
                                                                                    {"I64", 8},
                                                                                    {"I32", 4},
                                                                                    {"U32", 4},
                                                                                    {"U8", 1},
                                                                                    {"BOOL", 1},
                                                                                    {"f32", 4}}) {
    const std::size_t end = 6 * bytes;
    refused(with_header(header(tensor("[2,3]", 0, end, type), tensor("[2]", end, end + 8)), end + 8),
            {"'weight' is of type \"" + type + "\", expected F32"});
    refused(with_header(header(tensor("[2,3]", 0, 24), tensor("[2]", 24, 24 + 2 * bytes, type)), 24 + 2 * bytes),
            {"'bias' is of type \"" + type + "\", expected F32"});
  }
}

TEST(ModelFile, TheTensorsOfOtherModelsAreRefusedByTheirNames) {
  const std::string weight = tensor("[2,3]", 0, 24), bias = tensor("[2]", 24, 32);
  refused(with_header(R"({"0.weight":)" + weight + R"(,"0.bias":)" + bias + "}", 32),
          {"tensor '0.weight', expected 'weight' and 'bias'"});
  refused(with_header(R"({"Weight":)" + weight + R"(,"bias":)" + bias + "}", 32), {"tensor 'Weight'"});
  refused(with_header(header(weight, bias, R"(,"weight":)" + weight), 32), {"an object that has a name twice"});
}

TEST(ModelFile, HasUpTo65536Classes) {
  const Folder folder;
  for (const std::size_t classes : Sizes{257, 1000, 65536}) {
    const Model model = random_model(5, classes, 4);
    save_model(folder.path("m"), model, {});
    const StoredModel stored = load_model(folder.path("m"));
    EXPECT_EQ(stored.model.classes, classes);
    EXPECT_EQ(weights_sha256(stored.model), weights_sha256(model));
  }
}

TEST(ModelFile, NumbersThatAreNotFiniteAreNeitherReadNorWritten) {
  const Folder folder;
  save_model(folder.path("m"), zero_model(3, 2), {});
  const std::string whole = contents_of(folder.path("m"));
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity(), std::bit_cast<float>(0xffc00001u)}) {
    std::string damaged = whole;
    std::memcpy(damaged.data() + damaged.size() - sizeof value, &value, sizeof value);  // the last of the bias
    expect_error<DataError>([&] { load_model(folder.write("damaged", damaged)); },
                            {"'bias' has the value", "at 1", "expected finite"});
    std::vector<float> w(6, 1);
    w[4] = value;
    refused(with_header(header(tensor("[2,3]", 0, 24), tensor("[2]", 24, 32)), little_endian(w) + std::string(8, '\0')),
            {"'weight' has the value", "at 4", "expected finite"});
    Model model = zero_model(3, 2);
    model.bias[1] = value;
    expect_error<WriteError>([&] { save_model(folder.path("m"), model, {}); }, {"no finite numbers"});
    EXPECT_EQ(contents_of(folder.path("m")), whole);
  }
}

}  // namespace
}  // namespace sluice::stages
