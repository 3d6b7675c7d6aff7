#include <sluice/stages/safetensors.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using sluice::test::expect_error;
using sluice::test::Folder;

std::string with_header(const std::string& header, std::size_t data) {
  std::string bytes;
  for (unsigned b = 0; b < 8; ++b) bytes += static_cast<char>(header.size() >> 8 * b & 0xff);
  return bytes + header + std::string(data, 'x');
}
SafetensorsHeader parsed(const std::string& file) {
  return parse_safetensors("m", file, file.size());
}
void refused(const std::string& file, std::string_view part) {
  const Folder folder;
  const std::string path = folder.write("m", file);
  expect_error<DamagedError>([&] { parse_safetensors(path, file, file.size()); }, {path + ": ", part});
  expect_error<DataError>([&] { look_at_safetensors(path); }, {path + ": ", part});
}

// As the library of Python writes one of two layers.
const std::string of_two_layers =
    R"({"__metadata__":{"format":"pt"},"0.weight":{"dtype":"BF16","shape":[3,2],"data_offsets":[0,12]},)"
    R"("scale":{"dtype":"F64","shape":[],"data_offsets":[12,20]},"none":{"dtype":"I64","shape":[0,7],)"
    R"("data_offsets":[20,20]}})";

TEST(Safetensors, AHeaderNamesTensorsAndTheirPlaces) {
  const std::string file = with_header(of_two_layers, 20);
  const Folder folder;
  for (const SafetensorsHeader& header : {parsed(file), look_at_safetensors(folder.write("m", file))}) {
    ASSERT_EQ(header.tensors.size(), 3u);
    EXPECT_EQ(header.metadata, (Metadata{{"format", "pt"}}));
    EXPECT_EQ(header.data, 8 + of_two_layers.size());
    const StoredTensor& weight = *header.find("0.weight");
    EXPECT_EQ(weight.type, "BF16");
    EXPECT_EQ(weight.shape_text(), "[3,2]");
    EXPECT_EQ(weight.end, 12u);
    EXPECT_EQ(header.find("scale")->shape_text(), "[]");
    EXPECT_EQ(header.find("none")->begin, 20u);
    EXPECT_EQ(header.find("weight"), nullptr);
  }
}

TEST(Safetensors, TheHeaderMayBePaddedBehindButNotBefore) {
  EXPECT_EQ(parsed(with_header(of_two_layers + "   ", 20)).tensors.size(), 3u);
  EXPECT_TRUE(parsed(with_header("{}", 0)).tensors.empty());
  for (const std::string before : {" ", "\n", "\xEF\xBB\xBF"})
    refused(with_header(before + of_two_layers, 20), "does not begin with '{'");
}

TEST(Safetensors, NothingHidesBehindTheHeader) {
  for (const std::string& behind :
       {std::string(1, '\0'), std::string("\0{\"x\":1}", 9), std::string("}"), std::string("{}")})
    refused(with_header(of_two_layers + behind, 20), "no JSON object");
}

TEST(Safetensors, EachTensorIsAsLongAsItsTypeAndShapeSay) {
  const auto one = [](const std::string& type, const std::string& shape, std::size_t end) {
    return with_header(
        R"({"t":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":[0,)" + std::to_string(end) + "]}}",
        end);
  };
  const std::pair<const char*, std::size_t> types[] = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1},
      {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},     {"U32", 4},
      {"F32", 4},  {"F64", 8}, {"I64", 8}, {"U64", 8},     {"C64", 8}};
  for (const auto& [type, bytes] : types) {
    EXPECT_EQ(parsed(one(type, "[2,3]", 6 * bytes)).tensors.front().type, type);
    refused(one(type, "[2,3]", 6 * bytes - 1), "expected " + std::to_string(6 * bytes) + " bytes for " + type);
    refused(one(type, "[4294967296,4294967296,2]", 8), "impossible shape [4294967296,4294967296,2]");
  }
  EXPECT_EQ(parsed(one("F4", "[2,3]", 3)).tensors.front().end, 3u) << "of a type that is not known here";
}

TEST(Safetensors, HolesAndWhatIsNoDescriptionAreRefused) {
  const auto with = [](const std::string& tensors, std::size_t data) { return with_header("{" + tensors + "}", data); };
  const std::string a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  refused(with(a, 5), "expected them to fill the 5 bytes");
  refused(with(a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]})", 9), "0 to 4, 5 to 9");
  refused(with(a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]})", 7), "0 to 4, 3 to 7");
  refused(with(a, 3), "tensor 'a' lies at bytes 0 to 4 of 3");
  refused(with(R"("a":{"dtype":"U8","shape":4,"data_offsets":[0,4]})", 4), "no list for a shape");
  refused(with(R"("a":{"dtype":8,"shape":[4],"data_offsets":[0,4]})", 4), "no text for a dtype");
  refused(with(R"("a\u001b":3)", 0), "tensor 'a?' is not described");
  refused(with(a + "," + a, 4), "a name twice");
  std::string many;
  for (int i = 0; i < 20'000; ++i)
    many += (many.empty() ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  refused(with(many, 0), "more than 16384 names");
}

TEST(Safetensors, WhatCannotBeReadIsSaid) {
  expect_error<DataError>([] { look_at_safetensors("/nowhere/m"); }, {"/nowhere/m: cannot be looked at"});
  refused("", "has 0 bytes");
  refused("1234567", "has 7 bytes");
}

}  // namespace
}  // namespace sluice::stages
