#include <sluice/stages/npy.hpp>

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/support/files.hpp"
#include "tests/support/npy.hpp"

namespace sluice::stages {
namespace {

using test::expect_error;
using test::npy;
using test::npy_text;
using Sizes = std::vector<std::uint64_t>;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// As a stream is read: first a few bytes, then as many as they say.
ArrayHeader parsed(const std::string& file) {
  std::size_t size = array_start_bytes;
  for (;;) {
    const std::size_t wanted = npy_header_bytes(bytes_of(file).first(std::min(size, file.size())), "f");
    if (wanted <= size) break;
    size = wanted;
  }
  return parse_npy_header(bytes_of(file).first(size), "f");
}
ArrayHeader of_text(const std::string& text) {
  return parsed(npy_text(text));
}
void refused(const std::string& text, std::initializer_list<std::string_view> parts) {
  expect_error<DataError>([&] { of_text(text); }, parts);
}
void type_refused(const std::string& descr, std::initializer_list<std::string_view> parts) {
  refused("{'descr': " + descr + ", 'fortran_order': False, 'shape': (3,), }", parts);
}

TEST(Npy, EveryVersionSaysTheSame) {
  for (const int major : {1, 2, 3}) {
    const std::string file = npy("<f4", "(60000, 28, 30)", "abc", false, major);
    const ArrayHeader header = parsed(file);
    EXPECT_EQ(header.type, ElementType::float32);
    EXPECT_EQ(header.order, std::endian::little);
    EXPECT_FALSE(header.fortran_order);
    EXPECT_EQ(header.sizes, (Sizes{60000, 28, 30}));
    EXPECT_EQ(header.bytes, file.size() - 3);
  }
  for (const auto& [major, minor] : {std::pair{0, 0}, {4, 0}, {1, 1}, {255, 0}}) {
    std::string file = npy("<f4", "(3,)", "");
    file[6] = static_cast<char>(major), file[7] = static_cast<char>(minor);
    expect_error<DataError>([&] { parsed(file); },
                            {"f: of NumPy's format " + std::to_string(major) + "." + std::to_string(minor) +
                             ", expected 1.0, 2.0 or 3.0: is it damaged?"});
  }
}

TEST(Npy, EveryTypeInEitherOrderOfBytes) {
  const std::vector<std::pair<std::string, ElementType>> types{
      {"u1", ElementType::uint8},   {"u2", ElementType::uint16},  {"u4", ElementType::uint32},
      {"u8", ElementType::uint64},  {"i1", ElementType::int8},    {"i2", ElementType::int16},
      {"i4", ElementType::int32},   {"i8", ElementType::int64},   {"f2", ElementType::float16},
      {"f4", ElementType::float32}, {"f8", ElementType::float64}, {"b1", ElementType::boolean}};
  for (const auto& [name, type] : types)
    for (const auto& [sign, order] :
         {std::pair{'<', std::endian::little}, {'>', std::endian::big}, {'=', std::endian::native}}) {
      const ArrayHeader header = parsed(npy(sign + name, "(3,)", ""));
      EXPECT_EQ(header.type, type);
      EXPECT_EQ(header.order, order);
    }
  for (const char* name : {"|u1", "|i1", "|b1"}) EXPECT_EQ(element_type_bytes(parsed(npy(name, "(3,)", "")).type), 1u);
  for (const char* name : {"'|u2'", "'|f4'", "'f4'", "'!f4'", "' f4'"})
    type_refused(name, {"f: has values of type ", name});
  type_refused("'|f4'",
               {"f: has values of type '|f4': it does not say in which order its bytes are, expected < or > before "
                "it: was it written by NumPy?"});
}

TEST(Npy, WhatIsNoNumberIsRefusedByNameWithWhatToDo) {
  type_refused("'|O'",
               {"f: has values of type '|O': Python objects, a pickle, which is never read: save an array of numbers, "
                "say x.astype('float32')"});
  for (const char* text : {"'<U5'", "'|S3'", "'|a3'"})
    type_refused(text, {"f: has values of type ", text,
                        ": text, expected numbers: save the numbers of the classes, say "
                        "numpy.unique(x, return_inverse=True)[1]"});
  for (const char* time : {"'<M8[ns]'", "'<m8[s]'"})
    type_refused(time, {time, ": times, expected numbers: save x.astype('int64')"});
  for (const char* complex : {"'<c8'", "'>c16'"})
    type_refused(complex, {complex, ": complex numbers, expected real ones: save x.real, or x.imag beside it"});
  for (const char* raw : {"'|V4'", "'<V2'"})
    type_refused(raw, {raw, ": raw bytes (a structure, or bfloat16?), expected numbers: save x.astype('float32')"});
  for (const char* record : {"[('a', '<f4'), ('b', '<i4')]", "('<f4', (2,))", "[]"})
    type_refused(record, {"f: has values of type ",
                          "records of several fields, expected numbers: save one field, say "
                          "x['name']"});
  for (const char* large : {"'<f16'", "'<f12'"})
    type_refused(large, {large, ": numbers of more than 8 bytes, expected at most 8: save x.astype('float32')"});
  for (const char* other : {"'<f3'", "'<i16'", "'<x4'", "''", "'<'", "'<f'", "'<f4 '", "'<b4'", "'<u'"})
    type_refused(other, {other});
  type_refused("'<\x1b[31m" + std::string(100, 'f') + "'", {"'<?[31mfff", "..."});
}

TEST(Npy, KeysComeInAnyOrderAndSpacesAndCommasAsPythonHasThem) {
  const auto good = [](const std::string& text, const Sizes& sizes) {
    const ArrayHeader header = of_text(text);
    EXPECT_EQ(header.sizes, sizes) << text;
    EXPECT_EQ(header.type, ElementType::int16);
    EXPECT_EQ(header.order, std::endian::big);
    EXPECT_TRUE(header.fortran_order);
  };
  good("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }", {2, 3});
  good("{'shape': (2, 3), 'descr': '>i2', 'fortran_order': True}", {2, 3});
  good("{'fortran_order':True,'shape':(2,3),'descr':'>i2'}", {2, 3});
  good("  {  'descr'  :  '>i2'  ,  'fortran_order'  :  True  ,  'shape'  :  (  2  ,  3  ,  )  ,  }  ", {2, 3});
  good("{\"descr\": \">i2\", \"fortran_order\": True, \"shape\": (2, 3)}", {2, 3});
  good("{'descr': '>i2', 'fortran_order': True, 'shape': (5,), }", {5});
  good("{'descr': '>i2', 'fortran_order': True, 'shape': (5 , ), }", {5});
  good("{'descr': '>i2', 'fortran_order': True, 'shape': (), }", {});
  good("{'descr': '>i2', 'fortran_order': True, 'shape': (0, 1, 18446744073709551615), }", {0, 1, 0xffffffffffffffff});
  good("{'descr': '>i2', 'fortran_order': True, 'shape': (2L, 3L), }", {2, 3});
}

TEST(Npy, WhateverElseIsRefusedWithItsPlace) {
  const std::string keys = "'descr', 'fortran_order' and 'shape', each once";
  const auto shape_refused = [](const std::string& shape, std::initializer_list<std::string_view> parts) {
    refused("{'descr': '<i2', 'fortran_order': False, 'shape': " + shape + "}", parts);
  };
  refused("", {"f: its NumPy header has \"", "\" at byte 63, expected '{': is it damaged?"});
  refused("[]", {"\"[]", "at byte 10, expected '{'"});
  refused("{", {"expected a key, as 'descr'"});
  refused("{}", {"f: its NumPy header has \"?\" at byte 63, expected " + keys});
  refused("{,}", {"at byte 11, expected a key"});
  refused("{descr: '<i2'}", {"\"descr: '<i2'}", "at byte 11, expected a key, as 'descr'"});
  refused("{'descr' '<i2'}", {"at byte 19, expected ':'"});
  refused("{'descr': '<i2}", {"at byte 20, expected a type, as '<f4'"});
  refused("{'descr': 5}", {"expected a type, as '<f4'"});
  refused("{'descr': u'<i2'}", {"expected a type, as '<f4'"});
  refused("{'descr': '<i2' 'shape': (1,)}", {"expected ',' or '}'"});
  refused("{'descr': '<i2', , 'shape': (1,)}", {"expected a key"});
  refused("{'descr': '<i2', 'fortran_order': False}", {"expected " + keys});
  refused("{'descr': '<i2', 'shape': (1,)}", {"expected " + keys});
  refused("{'fortran_order': False, 'shape': (1,)}", {"expected " + keys});
  refused("{'descr': '<i2', 'descr': '<i2', 'fortran_order': False, 'shape': (1,)}",
          {"\"'descr': '<i2', 'fortran_order...\" at byte 27, expected " + keys});
  refused("{'descr': '<i2', 'fortran_order': False, 'shape': (1,), 'more': 1}", {"\"'more': 1}", "expected " + keys});
  refused("{'Descr': '<i2'}", {"expected " + keys});
  for (const char* order : {"0", "false", "None", "'True'", "Tru"})
    refused(std::string("{'descr': '<i2', 'fortran_order': ") + order + "}", {"expected True or False"});
  refused("{'descr': '<i2', 'fortran_order': Falsely}", {"\"ly}", "expected ',' or '}'"});
  shape_refused("[2, 3]", {"expected '('"});
  shape_refused("7", {"expected '('"});
  shape_refused("(7)", {"at byte 62, expected ',': of one size is a tuple with a comma"});
  shape_refused("(,)", {"expected a size"});
  shape_refused("(2,,3)", {"expected a size"});
  shape_refused("(2 3)", {"expected ',' or ')'"});
  shape_refused("(2, 3", {"expected ',' or ')'"});
  shape_refused("(-1,)", {"\"-1,)}", "expected a size"});
  shape_refused("(+1,)", {"expected a size"});
  shape_refused("(0x10,)", {"expected ',' or ')'"});
  shape_refused("(2.0,)", {"expected ',' or ')'"});
  shape_refused("(1_000,)", {"expected ',' or ')'"});
  shape_refused("(007,)", {"\"007,)}", "expected a size"});
  shape_refused("(2LL,)", {"expected ',' or ')'"});
  shape_refused("(None,)", {"expected a size"});
  shape_refused("(18446744073709551616,)", {"\"18446744073709551616,)}", "expected a size below 2^64"});
  refused("{'descr': '<i2', 'fortran_order': False, 'shape': (1,)} x", {"\"x", "expected spaces and a newline"});
  refused("{'descr': '<i2', 'fortran_order': False, 'shape': (1,)}\n", {"expected spaces and a newline"});
  refused("{'descr': '<i2',\t'fortran_order': False, 'shape': (1,)}", {"\"?'fortran_order", "expected a key"});
  refused("{'descr': '<i2', 'fortran_order': False, 'shape': (1,)}#", {"expected spaces and a newline"});
  const std::string sound = npy("<i2", "(1,)", "");
  expect_error<DataError>(
      [&] { parsed(sound.substr(0, sound.size() - 1) + ' '); },
      {"f: its NumPy header has its end at byte 128, expected spaces and a newline, and then the numbers"});
}

TEST(Npy, TheLengthOfTheTextIsBounded) {
  const std::string text = "{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }";
  for (const int major : {1, 2}) {
    const std::string longest = npy_text(text + std::string(9900 - text.size(), ' '), "", major);
    EXPECT_EQ(parsed(longest).bytes, longest.size());
    const std::string longer = npy_text(text + std::string(10001, ' '), "", major);
    const std::size_t length = longer.size() - (major == 1 ? 10 : 12);
    expect_error<DataError>([&] { parsed(longer); }, {"f: its NumPy header promises " + std::to_string(length) +
                                                      " bytes of text, expected at most 10000: is it damaged?"});
  }
  std::string huge = npy_text(text, "", 2);
  huge.replace(8, 4, "\xff\xff\xff\xff");
  expect_error<DataError>([&] { parsed(huge); }, {"promises 4294967295 bytes"});
}

TEST(Npy, OnlyTheWholeMagicBeginsAFile) {
  EXPECT_TRUE(is_npy(bytes_of("\x93NUM")));
  EXPECT_FALSE(is_npy(bytes_of("\x93NU")));
  EXPECT_FALSE(is_npy(bytes_of("\x92NUMPY")));
  expect_error<DataError>([] { npy_header_bytes(bytes_of(std::string("\x93NUMPX\1\0", 8)), "f"); },
                          {"f: begins like a NumPy file, but not with 93 \"NUMPY\": is it damaged?"});
}

// No header makes anything but an error or a header of this text.
TEST(Npy, EveryChangeOfABitIsRefusedOrSaysSomethingElse) {
  const std::string file = npy("<f4", "(12, 3, 4)", "");
  std::size_t taken = 0;
  for (std::size_t at = 0; at < file.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      try {
        const ArrayHeader header = parsed(changed + std::string(70000, ' '));
        EXPECT_EQ(header.sizes.size(), 3u);
        const std::vector<std::uint8_t> again = npy_header(header);
        if (const auto native = changed.find("'=f4'"); native != std::string::npos) changed[native + 1] = '<';
        EXPECT_EQ(std::string(again.begin(), again.end()), changed) << at;
        ++taken;
      } catch (const DataError& error) {
        const std::string text = error.what();
        EXPECT_TRUE(text.starts_with("f: ") && text.size() < 300) << text;
        EXPECT_EQ(text.find_first_of("\n\r\x1b"), std::string::npos);
      }
    }
  EXPECT_GT(taken, 10u);
  EXPECT_LT(taken, 40u);
}

TEST(Npy, EveryCutWantsMore) {
  for (const int major : {1, 3}) {
    const std::string file = npy("<f4", "(12, 3, 4)", "", false, major);
    for (std::size_t size = array_start_bytes; size < file.size(); ++size) {
      const std::size_t wanted = npy_header_bytes(bytes_of(file).first(size), "f");
      EXPECT_GT(wanted, size);
      EXPECT_LE(wanted, file.size());
    }
    EXPECT_EQ(npy_header_bytes(bytes_of(file), "f"), file.size());
  }
}

TEST(Npy, AHeaderIsWrittenAsNumPyWritesIt) {
  const auto written = [](const ArrayHeader& header) {
    const std::vector<std::uint8_t> bytes = npy_header(header);
    return std::string(bytes.begin(), bytes.end());
  };
  EXPECT_EQ(written({.type = ElementType::uint8, .sizes = {60000, 28, 28}}), npy("|u1", "(60000, 28, 28)", ""));
  EXPECT_EQ(written({.type = ElementType::float64, .order = std::endian::little, .sizes = {7}}),
            npy("<f8", "(7,)", ""));
  EXPECT_EQ(written({.type = ElementType::float16, .fortran_order = true, .sizes = {7, 3}}),
            npy(">f2", "(7, 3)", "", true));
  EXPECT_EQ(written({.type = ElementType::boolean, .sizes = {}}), npy("|b1", "()", ""));
}

}  // namespace
}  // namespace sluice::stages
