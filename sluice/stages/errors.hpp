// The errors that the program tells apart: DataError of input that is missing, corrupt or mismatched (DamagedError:
// corrupt, WaitEndedError: not waited for any longer), WriteError of output that cannot be written, and PathError of it
// that is named wrongly, DivergedError of training whose numbers are no longer finite.
//
// The text of those about files names the file, what was found, what was expected and the likely remedy, in one line:
//   train-images.gz: IDX magic 0x00000801, expected 0x00000803: are images and labels swapped?
#pragma once

#include <stdexcept>

namespace sluice::stages {

class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class DivergedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The file can be read, and it is not what was once written: an older version of it may help.
class DamagedError : public DataError {
 public:
  using DataError::DataError;
};

// Nothing is wrong with the file: it was waited for, and whoever asked wanted it no more.
class WaitEndedError : public DataError {
 public:
  using DataError::DataError;
};

class WriteError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// No file can be written under this name: what is wrong is the name, not the disk.
class PathError : public WriteError {
 public:
  using WriteError::WriteError;
};

}  // namespace sluice::stages
