// What is read as one stream: a file, several that are read one after the other, or the standard input; and whether it
// is a member of each, or a table that has images and labels in one.
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

// What "-" names.
enum class Dash { a_file, standard_input };

class InputFiles {
 public:
  InputFiles() = default;  // nothing to read
  // One file: wherever files are taken, so is the path of one.
  InputFiles(std::string path) : paths_{std::move(path)} {}
  InputFiles(const char* path) : InputFiles(std::string(path)) {}
  explicit InputFiles(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  static InputFiles standard_input();

  // Several files have commas between. An empty text: nothing to read.
  static InputFiles parse(const std::string& text, Dash dash = Dash::a_file);

  // The same files, of each of which this member is read; and the same as tables.
  InputFiles with_member(const std::string& member) const;
  InputFiles as_table() const;

  bool empty() const { return paths_.empty() && !standard_input_; }
  bool is_standard_input() const { return standard_input_; }
  const std::vector<std::string>& paths() const { return paths_; }  // of the files, in their order
  const std::string& member() const { return member_; }             // empty: what is read are the files themselves
  bool is_table() const { return is_table_; }                       // whose rows have their labels with them

  // What messages call each: a path, "mnist.npz: x_train.npy", "standard input".
  std::vector<std::string> names() const;
  std::string name() const;  // what they call all of it: "a.gz,b.gz"
  std::string text() const;  // what parsing takes back

  friend bool operator==(const InputFiles&, const InputFiles&) = default;

 private:
  std::vector<std::string> paths_;
  std::string member_;
  bool standard_input_ = false, is_table_ = false;
};

// "a,b" -> the two; as many as there are commas and one more.
std::vector<std::string> between_commas(const std::string& text);

}  // namespace sluice::stages
