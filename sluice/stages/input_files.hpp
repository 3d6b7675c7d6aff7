// What is read as one stream: a file, several that are read one after the other, or the standard input.
//
// A text as a flag takes it -> a value, once: whoever gets the value looks for no comma in it.
// Order and thread-safety: plain values. Parsing looks at the file system: a text that is the name of a file is that
// file, commas and all. Errors: none; what is wrong with a file is said by who reads it.
//
//   InputFiles::parse("a.gz,b.gz").paths()   // "a.gz", "b.gz"
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sluice::stages {

class InputFiles {
 public:
  InputFiles() = default;                                           // nothing to read
  InputFiles(std::string path) : paths_{std::move(path)} {}         // a file, and so may the text of one be passed
  InputFiles(const char* path) : InputFiles(std::string(path)) {}  // the same
  explicit InputFiles(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  static InputFiles standard_input();

  // Several files have commas between. An empty text: nothing to read.
  static InputFiles parse(const std::string& text);
  // "-" is the standard input.
  static InputFiles parse_with_standard_input(const std::string& text);

  bool empty() const { return paths_.empty() && !standard_input_; }
  bool is_standard_input() const { return standard_input_; }
  const std::vector<std::string>& paths() const { return paths_; }  // of the files, in their order

  std::vector<std::string> names() const;  // what messages call each: a path, or "standard input"
  std::string name() const;                // what they call all of it: "a.gz,b.gz"
  std::string text() const;                // what parsing takes back

  friend bool operator==(const InputFiles&, const InputFiles&) = default;

 private:
  std::vector<std::string> paths_;
  bool standard_input_ = false;
};

// "a,b" -> the two; as many as there are commas and one more.
std::vector<std::string> between_commas(const std::string& text);

}  // namespace sluice::stages
