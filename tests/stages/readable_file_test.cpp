#include <sluice/stages/readable_file.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include <sluice/stages/errors.hpp>
#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using test::expect_error;

TEST(ReadableFile, IsReadAtAnyPlace) {
  const test::Folder folder;
  const std::string path = folder.write("a", "0123456789");
  const ReadableFile file(path);
  EXPECT_EQ(file.path(), path);
  EXPECT_EQ(file.size(), 10u);
  std::uint8_t bytes[20];
  EXPECT_EQ(file.read_at(bytes, 3, 4), 3u);
  EXPECT_EQ(std::string(bytes, bytes + 3), "456");
  EXPECT_EQ(file.read_at(bytes, 20, 7), 3u);
  EXPECT_EQ(file.read_at(bytes, 20, 100), 0u);
}

TEST(ReadableFile, WhatIsNoneIsRefusedAndNotOpened) {
  const test::Folder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_error<DataError>([&] { ReadableFile file(pipe); },
                          {pipe + ": is no regular file, expected one: save it as a file first"});
  expect_error<DataError>([&] { ReadableFile file(pipe, "do this"); },
                          {pipe + ": is no regular file, expected one: do this"});
  expect_error<DataError>([&] { ReadableFile file(folder.path()); },
                          {folder.path() + ": is a folder, expected a file"});
  expect_error<DataError>([&] { ReadableFile file(folder.path("none")); },
                          {folder.path("none") + ": cannot be opened: No such file or directory: is the path right?"});
}

TEST(ReadableFile, HolesAreSeen) {
  const test::Folder folder;
  const std::string path = folder.write("a", std::string(1 << 21, 'x'));
  EXPECT_FALSE(ReadableFile(path).has_holes());
  ASSERT_EQ(::truncate(path.c_str(), 1 << 26), 0);
  EXPECT_TRUE(ReadableFile(path).has_holes());
}

}  // namespace
}  // namespace sluice::stages
