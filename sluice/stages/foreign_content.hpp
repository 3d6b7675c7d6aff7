// What a file is that is none of those that are read here, as people meet them: a page of a download that went wrong, a
// pointer in place of a file, another tool's format.
//
// The first bytes of the (decompressed) contents -> what it is, and what to do; nothing: nobody knows. Pure functions.
// Errors: none.
//
//   if (const auto found = foreign_content(data, size)) throw DataError(found->text(path));
//
// Sources: git-lfs, docs/spec.md; the first bytes of HTML, XML, JSON (RFC 8259), zip (APPNOTE.TXT 4.3.7, whose first
// member tells .npz and spreadsheets), tar (POSIX ustar), PNG, JPEG, GIF, PDF, HDF5, Parquet, MAT-files (level 5), 7z,
// rar, SQLite as their specifications have them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sluice::stages {

struct ForeignContent {
  std::string what;    // "a Git LFS pointer"
  std::string remedy;  // "run 'git lfs pull' ..."

  // path: WHAT, expected data: REMEDY.
  std::string text(const std::string& path) const;
};

inline constexpr std::size_t foreign_content_bytes = 512;  // more tell no more

std::optional<ForeignContent> foreign_content(const std::uint8_t* start, std::size_t size);

}  // namespace sluice::stages
