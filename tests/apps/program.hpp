// Runs a program as a user would, and gives back what it printed and how it ended.
//
//   const Result r = sluice({"train", "--data", folder.path()});
//   EXPECT_EQ(r.code, 0) << r.err;
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/watchdog.hpp"

namespace sluice::apps::testing {

struct Result {
  int code = -1;    // of its exit
  int signal = 0;   // that ended it, or 0
  std::string out;  // what it wrote to stdout
  std::string err;  // and to stderr
};

using Arguments = std::vector<std::string>;

class Fifo;

// A program that runs meanwhile. arguments[0] is the program, looked for in PATH unless it has a slash. stdout goes to
// the file `out_to` if one is named. A program that has not ended shortly before the watchdog's patience would end is
// ended, and that is a failure.
class Process {
 public:
  enum class Unread { none, out, err };  // a pipe whose other end is closed
  explicit Process(const Arguments& arguments, const std::string& out_to = {}, Unread unread = Unread::none);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number);
  bool says(const std::string& text);  // waits until stderr has this text; a failure if the program ends before
  // The next three are of a program that waits for nobody but the test: a failure at once, and not when patience is
  // over, if it waits for more than it was given, or has ended before.
  bool prints(std::size_t count);                          // waits until there are so many lines on stdout
  bool is_given(const std::string& bytes, Fifo& through);  // waits until it reads there
  bool ends();                                             // waits for the end of its output
  void stop_reading();                                     // closes the other end of stdout
  Result wait();

 private:
  bool read_more();  // false: both streams are closed, or patience is over
  bool waits_for_more() const;
  std::string name_;
  const test::UnderWay under_way_;
  int child_ = -1, out_ = -1, err_ = -1;
  std::chrono::steady_clock::time_point deadline_;
  Result result_;
};

// A pipe with a name that is written to here and whose end comes with close(): to be an input that goes on later.
class Fifo {
 public:
  explicit Fifo(std::string path);
  ~Fifo() { close(); }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  const std::string& path() const { return path_; }
  bool opened();                         // false: nobody reads there yet
  bool write(const std::string& bytes);  // behind that; no more than it holds, 64 KiB
  void close();

 private:
  std::string path_;
  int file_ = -1;
};

// From its start to its end.
Result run(const Arguments& arguments, const std::string& out_to = {});

// The same with a stdout that nobody reads: a pipe whose other end is closed.
Result run_unread(const Arguments& arguments);

// The same, with SIGKILL after so long.
Result run_and_kill(const Arguments& arguments, std::chrono::nanoseconds after);

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
