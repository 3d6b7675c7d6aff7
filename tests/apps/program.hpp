// Runs a program as a user would, and gives back what it printed and how it ended.
//
//   const Result r = sluice({"train", "--data", folder.path()});
//   EXPECT_EQ(r.code, 0) << r.err;
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

namespace sluice::apps::testing {

struct Result {
  int code = -1;    // of its exit
  int signal = 0;   // that ended it, or 0
  std::string out;  // what it wrote to stdout
  std::string err;  // and to stderr
};

using Arguments = std::vector<std::string>;

// arguments[0] is the program, looked for in PATH unless it has a slash. stdout goes to the file `out_to` if one is
// named. A program that has not ended after a minute (ten under a sanitizer) is ended, and that is a failure.
Result run(const Arguments& arguments, const std::string& out_to = {});

// The same with a stdout that nobody reads: a pipe whose other end is closed.
Result run_unread(const Arguments& arguments);

// The sluice program that was built.
std::string sluice_path();
Result sluice(const Arguments& arguments);

// An example program.
std::string example_path(const std::string& name);

Arguments operator+(Arguments a, const Arguments& b);
std::vector<std::string> lines(const std::string& text);
bool contains(const std::string& text, const std::string& part);
// The first line that begins so; a failure if none does.
std::string line_with(const std::string& text, const std::string& beginning);

// The contents of a file of this project.
std::string source(const std::string& path);

}  // namespace sluice::apps::testing
