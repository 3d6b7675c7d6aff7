// What is made of data sets that come as one archive: files that --data reads.
//
// EMNIST, a zip file: its 24 files of IDX in gzip, as they are, in a folder for each selection. CIFAR-10, a tar file in
// gzip: its batches of records (a byte of the label, 32 x 32 bytes of each colour) as train-images-idx4-ubyte (50000 x
// 3 x 32 x 32) and its siblings, in the order of the batches; the six batches are in memory meanwhile. Each file
// appears when it is whole, and replaces an older one. Order and thread-safety: one thread. Errors: stages::DataError
// of the archive, which does not have what was expected; stages::PathError, stages::WriteError; UnpackInterrupted.
//
//   unpack(*set, "emnist/gzip.zip", "emnist", [&] { return interrupt.signal() != 0; });
//   for (const std::string& name : files_of(*set)) ...
//
// Formats: PKWARE's APPNOTE.TXT (by libzip); POSIX.1-2017, pax, "ustar Interchange Format";
// www.cs.toronto.edu/~kriz/cifar.html.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/fetch/catalog.hpp"

namespace sluice::apps {

struct UnpackInterrupted {};

// The files that there will be, below the folder; of a set that comes as it is, its own.
std::vector<std::string> files_of(const DataSet& set);
// Empty: this program can unpack it; else why not.
std::string cannot_unpack(const DataSet& set);

void unpack(const DataSet& set, const std::string& archive, const std::string& folder,
            const std::function<bool()>& interrupted);

}  // namespace sluice::apps
