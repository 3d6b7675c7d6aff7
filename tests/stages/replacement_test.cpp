#include <sluice/stages/replacement.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/support/files.hpp"
#include "tests/support/small_disk.hpp"

namespace sluice::stages {
namespace {

namespace fs = std::filesystem;
using sluice::test::contents_of;
using sluice::test::expect_error;
using sluice::test::Folder;
using sluice::test::SmallDisk;

void replace(const std::string& path, const std::string& contents) {
  Replacement file(path);
  file.write(contents.data(), contents.size());
  file.commit();
}

TEST(Replacement, IsWhatWasWrittenInOrder) {
  const Folder folder;
  {
    Replacement file(folder.path("a"));
    for (const std::string part : {"one ", "", "two"}) file.write(part.data(), part.size());
    file.commit();
  }
  EXPECT_EQ(contents_of(folder.path("a")), "one two");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Replacement, WithoutACommitNothingHasHappened) {
  const Folder folder;
  folder.write("a", "older");
  for (const char* name : {"a", "b"}) {
    Replacement file(folder.path(name));
    file.write("newer", 5);
  }
  EXPECT_EQ(contents_of(folder.path("a")), "older");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Replacement, TheOlderFileIsThereUntilTheCommit) {
  const Folder folder;
  folder.write("a", "older");
  Replacement file(folder.path("a"));
  file.write("newer", 5);
  EXPECT_EQ(contents_of(folder.path("a")), "older");
  file.commit();
  EXPECT_EQ(contents_of(folder.path("a")), "newer");
}

TEST(Replacement, KeepsTheRightsOfTheOlderFile) {
  const Folder folder;
  folder.write("a", "older");
  ASSERT_EQ(::chmod(folder.path("a").c_str(), 0640), 0);
  replace(folder.path("a"), "newer");
  struct stat status {};
  ASSERT_EQ(::stat(folder.path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

// What a user who made the link expects; also where it points to another folder, or to nothing yet.
TEST(Replacement, ThroughALinkTheFileBehindItIsReplacedAndTheLinkStays) {
  const Folder folder;
  fs::create_directory(folder.path("other"));
  fs::create_symlink("other/file", folder.path("link"));
  fs::create_symlink("link", folder.path("link-to-link"));
  for (const char* name : {"link", "link-to-link", "link"}) {
    check_writable(folder.path(name));
    replace(folder.path(name), name);
    EXPECT_TRUE(fs::is_symlink(folder.path(name)));
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(folder.path("other/file"))));
    EXPECT_EQ(contents_of(folder.path("other/file")), name);
  }
  EXPECT_EQ(folder.files(), 3u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path("other")), {}), 1);
}

// The folder whose names change is that of the file, not that of the link, which may be gone meanwhile.
TEST(Replacement, ThroughALinkTheFolderOfTheFileIsBroughtToTheDisk) {
  const Folder folder;
  fs::create_directory(folder.path("of-link"));
  fs::create_symlink(folder.path("file"), folder.path("of-link/link"));
  Replacement file(folder.path("of-link/link"));
  file.write("new", 3);
  fs::remove_all(folder.path("of-link"));
  file.commit();
  EXPECT_EQ(contents_of(folder.path("file")), "new");
}

TEST(Replacement, ALinkToItselfIsAnError) {
  const Folder folder;
  fs::create_symlink("circle", folder.path("circle"));
  expect_error<WriteError>([&] { check_writable(folder.path("circle")); }, {folder.path("circle")});
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Replacement, ANameInTheCurrentFolderNeedsNoSlash) {
  const Folder folder;
  const auto before = fs::current_path();
  fs::current_path(folder.path());
  replace("a", "contents");
  check_writable("a");
  fs::current_path(before);
  EXPECT_EQ(contents_of(folder.path("a")), "contents");
}

TEST(Replacement, WhereNoFileCanBeWrittenBothTheCheckAndTheReplacementSaySo) {
  const Folder folder;
  const std::string in_nothing = folder.path("missing/a"), below_a_file = folder.write("file", "x") + "/a";
  for (const std::string& path :
       {in_nothing, below_a_file, folder.path(), std::string("/dev/full"), std::string("/proc/self/new")}) {
    expect_error<WriteError>([&] { check_writable(path); }, {path + ": "});
    expect_error<WriteError>([&] { replace(path, "x"); }, {path + ": "});
  }
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Replacement, TheCheckLeavesNothingBehindAndTheOldFileAsItIs) {
  const Folder folder;
  check_writable(folder.path("new"));
  EXPECT_EQ(folder.files(), 0u);
  folder.write("old", "contents");
  check_writable(folder.path("old"));
  EXPECT_EQ(contents_of(folder.path("old")), "contents");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Replacement, OnAFullDiskTheOldFileIsIntactAndNothingElseIsLeft) {
  const Folder folder;
  folder.write("a", "older");
  const std::string large(40'000, 'x');
  for (const rlim_t size : std::vector<rlim_t>{0, 4, 100, 20'000, 39'999}) {
    {
      const SmallDisk disk(size);
      expect_error<WriteError>([&] { replace(folder.path("a"), large); }, {folder.path("a") + ": cannot be written"});
    }
    EXPECT_EQ(contents_of(folder.path("a")), "older");
    EXPECT_EQ(folder.files(), 1u);
  }
  replace(folder.path("a"), large);
  EXPECT_EQ(contents_of(folder.path("a")), large);
}

void leave_behind(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    Replacement file(path);
    file.write("half", 4);
    ::_exit(0);  // without the destructor, as if killed
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
}

TEST(Replacement, WhatAWriterThatDiedLeftBehindIsGoneWithTheNextOne) {
  const Folder folder;
  for (int i = 0; i < 3; ++i) {
    leave_behind(folder.path("a"));
    EXPECT_EQ(folder.files(), 1u) << "one more for each";
  }
  check_writable(folder.path("a"));
  EXPECT_EQ(folder.files(), 0u);
  leave_behind(folder.path("a"));
  replace(folder.path("a"), "whole");
  EXPECT_EQ(contents_of(folder.path("a")), "whole");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Replacement, WritersAtTheSamePathDoNotDisturbEachOther) {
  const Folder folder;
  Replacement one(folder.path("a")), two(folder.path("a"));
  leave_behind(folder.path("a"));
  one.write("one", 3), two.write("two", 3);
  check_writable(folder.path("a"));
  one.commit();
  EXPECT_EQ(contents_of(folder.path("a")), "one");
  two.commit();
  EXPECT_EQ(contents_of(folder.path("a")), "two");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Replacement, ManyWritersAtTheSamePathAtTheSameTime) {
  const Folder folder;
  const std::string path = folder.path("a");
  std::vector<std::thread> threads;
  for (char c = 'a'; c < 'e'; ++c)
    threads.emplace_back([&path, c] {
      for (int i = 0; i < 50; ++i) {
        check_writable(path);
        replace(path, std::string(1000, c));
        const std::string now = contents_of(path);
        EXPECT_EQ(now, std::string(1000, now.at(0)));
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Replacement, APathThatIsWrongIsToldFromADiskThatIsFull) {
  const Folder folder;
  expect_error<PathError>([&] { check_writable(folder.path("missing/a")); }, {"does its folder exist?"});
  const SmallDisk disk(1);
  try {
    replace(folder.path("a"), "xyz");
    ADD_FAILURE();
  } catch (const PathError& error) {
    ADD_FAILURE() << error.what();
  } catch (const WriteError&) {
  }
}

}  // namespace
}  // namespace sluice::stages
