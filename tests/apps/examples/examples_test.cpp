// The examples print what they should, and the pictures in their header comments are those that they print.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/apps/program.hpp"
#include "tests/support/files.hpp"
#include "tests/support/gzip.hpp"

namespace sluice::apps::testing {
namespace {

using test::Folder;
using test::gzip;

// The lines of the comment at the top that begin with `//` and two spaces.
std::string picture_above(const std::string& example) {
  std::string picture;
  for (const std::string& line : lines(source("apps/examples/" + example + ".cpp"))) {
    if (!line.starts_with("//")) break;
    if (line.starts_with("//  ")) picture += line.substr(4) + "\n";
  }
  EXPECT_NE(picture, "") << example;
  return picture;
}

TEST(Examples, HelloPipelinePrintsItsPictureAndTheSum) {
  const Result r = run({example_path("hello_pipeline")});
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(r.out, picture_above("hello_pipeline") + "285\n");
}

TEST(Examples, HeatEndsWithALinearProfile) {
  const Result r = run({example_path("heat")});
  EXPECT_EQ(r.code, 0);
  ASSERT_TRUE(r.out.starts_with(picture_above("heat"))) << r.out;
  const auto rows = lines(r.out.substr(picture_above("heat").size()));
  ASSERT_EQ(rows.size(), 5u) << r.out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(std::strtol(rows[i].c_str(), nullptr, 10), static_cast<long>(8 * i));
    EXPECT_NEAR(std::strtod(rows[i].c_str() + 3, nullptr), 25.0 * static_cast<double>(i), 0.02) << rows[i];
  }
  EXPECT_EQ(run({example_path("heat"), "1"}).code, 0);
  EXPECT_NE(run({example_path("heat"), "1"}).out, r.out);
}

TEST(Examples, SmoothPrintsItsPictureAndTheCountsOfItsStages) {
  const Result r = run({example_path("smooth")});
  EXPECT_EQ(r.code, 0);
  EXPECT_TRUE(r.out.starts_with(picture_above("smooth"))) << r.out;
  EXPECT_TRUE(contains(r.out, "\nhighest 1.00")) << r.out;
  for (const char* stage : {"samples", "smooth", "level", "highest"})
    EXPECT_TRUE(contains(r.out, std::string("\n") + stage)) << stage;
  std::size_t counted = 0;
  for (const std::string& line : lines(r.out)) counted += contains(line, " 200 items, busy ");
  EXPECT_EQ(counted, 4u) << r.out;
}

// Runs the service with what `feed` writes into its input, which is closed behind it. Returns what it said in all.
class LookupService : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(pipe2(in_, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(out_, O_CLOEXEC), 0);
    const std::string program = example_path("lookup_service");
    child_ = fork();
    ASSERT_GE(child_, 0);
    if (child_ == 0) {
      dup2(in_[0], STDIN_FILENO);
      dup2(out_[1], STDOUT_FILENO);
      dup2(out_[1], STDERR_FILENO);
      execl(program.c_str(), program.c_str(), nullptr);
      _exit(127);
    }
    close(in_[0]);
    close(out_[1]);
  }
  void TearDown() override {
    close(out_[0]);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }
  void say(const std::string& text) const {
    ASSERT_EQ(write(in_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void end() const { close(in_[1]); }
  void interrupt() const { kill(child_, SIGINT); }
  // Until it says `wanted`, or no more.
  bool says(const std::string& wanted) {
    char bytes[4096];
    while (said_.find(wanted) == std::string::npos) {
      const ssize_t n = read(out_[0], bytes, sizeof bytes);
      if (n <= 0) return false;
      said_.append(bytes, static_cast<std::size_t>(n));
    }
    return true;
  }
  std::string said_;

 private:
  int in_[2], out_[2];
  pid_t child_ = -1;
};

TEST_F(LookupService, AnswersInOrderAndPassesOverWhatItDoesNotKnow) {
  std::string words, answers;
  for (int n = 0; n < 300; ++n) {
    const std::string word(1 + static_cast<std::size_t>(n % 40), 'w');
    words += word + "\n";
    answers += word + ": " + std::to_string(word.size()) + " letters\n";
  }
  say(words + "who?\n");
  end();
  EXPECT_FALSE(says("the end of it"));
  EXPECT_TRUE(contains(said_, "no answer: stage 'look up', message 300: 'who?' is not known\n")) << said_;
  EXPECT_TRUE(contains(said_, "301 words, 1 without an answer; the input has ended\n")) << said_;
  std::string in_order;
  for (const std::string& line : lines(said_))
    if (line.ends_with(" letters")) in_order += line + "\n";
  EXPECT_EQ(in_order, answers);
}

// An answer does not wait for the next word, and the words that it has are answered before it ends.
TEST_F(LookupService, AnswersAtOnceAndEndsOnInterrupt) {
  say("one\nthree\nunfini");
  EXPECT_TRUE(says("three: 5 letters\n"));
  interrupt();
  EXPECT_TRUE(says("2 words, 0 without an answer; stopped\n")) << said_;
  EXPECT_TRUE(contains(said_, "one: 3 letters\nthree: 5 letters\n"));
  end();
}

class WordCount : public ::testing::Test {
 protected:
  static std::string count(const Arguments& files) {
    const Result r = run(Arguments{example_path("word_count")} + files);
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    return r.out;
  }
  const Folder folder_;
};

TEST_F(WordCount, CountsWordsOfPlainAndCompressedFilesWhateverTheirCase) {
  const std::string a = folder_.write("a.gz", gzip("The cat, the dog. THE END!") + gzip("\ndon't\n")),
                    b = folder_.write("b", "the dog");
  EXPECT_EQ(count({a, b}), "      4 the\n      2 dog\n      1 cat\n      1 don't\n      1 end\n");
}

TEST_F(WordCount, PrintsTheTenMostFrequent) {
  std::string text;
  for (int word = 0; word < 20; ++word)
    for (int n = 0; n <= word; ++n) text += "w" + std::to_string(word) + " ";
  const auto rows = lines(count({folder_.write("a", text)}));
  ASSERT_EQ(rows.size(), 10u);
  EXPECT_EQ(rows[0], "     20 w19");
  EXPECT_EQ(rows[9], "     11 w10");
}

TEST_F(WordCount, AWordThatStraddlesTwoChunksOrMembersIsOneWord) {
  // A chunk has 256 KiB: words of 3 letters end everywhere around its end.
  for (const std::size_t before : {262140u, 262141u, 262142u, 262143u, 262144u}) {
    const std::string text = std::string(before - 1, ' ') + " abc def";
    EXPECT_EQ(count({folder_.write("a.gz", gzip(text))}), "      1 abc\n      1 def\n") << before;
  }
  EXPECT_EQ(count({folder_.write("b.gz", gzip("hea") + gzip("") + gzip("rt"))}), "      1 heart\n");
}

TEST_F(WordCount, AWordLongerThanAChunkIsOneWord) {
  const std::string word(600000, 'a');
  EXPECT_EQ(count({folder_.write("a", "b " + word + " b")}), "      2 b\n      1 " + word + "\n");
}

TEST_F(WordCount, AWordEndsWithItsFile) {
  const std::string a = folder_.write("a", "hea"), b = folder_.write("b", "rt");
  EXPECT_EQ(count({a, b}), "      1 hea\n      1 rt\n");
}

TEST_F(WordCount, NothingIsCountedInNothing) {
  EXPECT_EQ(count({folder_.write("a.gz", gzip(""))}), "");
  EXPECT_EQ(count({folder_.write("b", "... !\n")}), "");
}

TEST_F(WordCount, AMissingFileIsOneLineAndAFailure) {
  const Result r = run({example_path("word_count"), folder_.write("a", "one"), folder_.path("missing.gz")});
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.out, "");
  EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
  EXPECT_TRUE(contains(r.err, "missing.gz: cannot be opened")) << r.err;
}

}  // namespace
}  // namespace sluice::apps::testing
