#include <sluice/stages/foreign_content.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace sluice::stages {
namespace {

std::string told(const std::string& bytes) {
  const auto found = foreign_content(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return found ? found->text("f") : "";
}

TEST(ForeignContent, IsNamedWithWhatToDo) {
  const std::string lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
  EXPECT_EQ(told(lfs),
            "f: is a Git LFS pointer, which stands for the file itself, expected data to train on or a model: run 'git "
            "lfs pull' where it was cloned");
  const std::pair<std::string, const char*> all[] = {
      {"<!DOCTYPE html><html>", "is an HTML page, "},
      {"\xEF\xBB\xBF\r\n <HTML lang=en>", "is an HTML page, "},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>", "is an XML page, "},
      {"<Error>", "is an HTML or XML page, "},
      {"{\"message\":\"Not\x1b Found\"}", "is JSON ({\"message\":\"Not? Found\"}), "},
      {"[ {}", "is JSON ([ {}), "},
      {"PK\x03\x04 and more", "is a zip archive, "},
      {"PK\x03\x04" + std::string(22, '\0') + std::string("\5\0\0\0x.npy", 9), "is an .npz file in a pipe, "},
      {"PK\x03\x04" + std::string(22, '\0') + std::string("\x13\0\0\0[Content_Types].xml", 23), "is a spreadsheet, "},
      {std::string("PK\x05\x06") + std::string(18, '\0'), "is a zip archive with nothing in it, "},
      {"7z\xbc\xaf\x27\x1c", "is a 7z archive, "},
      {"Rar!\x1a\x07\x01", "is a rar archive, "},
      {std::string(257, 'x') + "ustar", "is a tar archive, "},
      {"\x89HDF\r\n\x1a\n", "is an HDF5 file, "},
      {"PAR1\x15\x04\x15\xe0", "is a Parquet file, "},
      {"MATLAB 5.0 MAT-file, Platform: GLNXA64", "is a MAT-file, "},
      {std::string("SQLite format 3\0", 16), "is an SQLite database, "},
      {"\x89PNG\r\n\x1a\n", "is one picture, a PNG, "},
      {"\xff\xd8\xff\xe0", "is one picture, a JPEG, "},
      {"GIF87a", "is one picture, a GIF, "},
      {"GIF89a", "is one picture, a GIF, "},
      {"%PDF-1.7", "is a PDF document, "}};
  for (const auto& [bytes, words] : all) EXPECT_NE(told(bytes).find(words), std::string::npos) << told(bytes);
}

TEST(ForeignContent, IsNothingThatIsReadHere) {
  const std::string idx("\0\0\x08\x03\0\0\0\x01", 8), numbers = "[1, 2]", npy = "\x93NUMPY\x01";
  for (const std::string& bytes :
       {std::string(), idx, numbers, npy, std::string("label,pixel1\n5,0\n"), std::string("7,0,3\n"),
        std::string("{1,2}"), std::string("version 2"), std::string("PAR1,PAR2,label\n1,2,0\n"),
        std::string("GIF8,label\n1,0\n"), std::string(600, ' ')})
    EXPECT_EQ(told(bytes), "") << bytes;
}

}  // namespace
}  // namespace sluice::stages
