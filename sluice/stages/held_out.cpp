#include <sluice/stages/held_out.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/stages/philox.hpp>

namespace sluice::stages {
namespace {

// A row, where it comes among those of its class: by random words, and where these are the same, by its place.
struct Drawn {
  std::uint64_t word;
  std::size_t row;
  bool operator<(const Drawn& other) const { return std::pair(word, row) < std::pair(other.word, other.row); }
};

std::vector<std::vector<Drawn>> rows_of_classes(const DataSet& all, std::uint64_t seed) {
  std::vector<std::vector<Drawn>> classes(all.classes);
  for (std::size_t row = 0; row < all.size(); ++row) {
    const Words words = philox({.seed = seed, .purpose = Purpose::held_out}, row);
    classes[all.labels[row]].push_back({std::uint64_t{words[1]} << 32 | words[0], row});
  }
  return classes;
}

// The place of a row among those of its class, which has so many.
bool is_in(const HeldOutPart& part, std::size_t place, std::size_t rows) {
  const double p = static_cast<double>(place) + 0.5, n = static_cast<double>(rows);
  return part.from * n <= p && p < part.to * n;
}

bool whole_number(std::string_view text, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

HeldOutPart HeldOutPart::of(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string::npos) {
    std::size_t k = 0, n = 0;
    const std::string_view words = text;
    if (whole_number(words.substr(0, slash), k) && whole_number(words.substr(slash + 1), n) && k >= 1 && k <= n &&
        n >= 2 && n <= 1000)
      return {static_cast<double>(k - 1) / static_cast<double>(n), static_cast<double>(k) / static_cast<double>(n)};
  } else {
    char* end = nullptr;
    const double share = std::strtod(text.c_str(), &end);
    if (!text.empty() && *end == '\0' && share > 0 && share < 1) return {0, share};
  }
  throw std::invalid_argument(
      fmt::format("'{}' is neither a share above 0 and below 1 nor one of several parts, as 2/5", text));
}

void check_held_out(const DataSet& all, const HeldOutPart& part) {
  std::vector<std::size_t> rows(all.classes);
  for (const std::uint16_t label : all.labels) ++rows[label];
  for (std::size_t c = 0; c < rows.size(); ++c) {
    std::size_t count = 0;
    for (std::size_t p = 0; p < rows[c]; ++p) count += is_in(part, p, rows[c]);
    if (rows[c] > 0 && (count == 0 || count == rows[c]))
      throw std::invalid_argument(fmt::format("of class {}, which has {} row{}, {} would be held out", c, rows[c],
                                              rows[c] == 1 ? "" : "s", count == 0 ? "none" : "all"));
  }
}

HeldOut hold_out(const DataSet& all, const HeldOutPart& part, std::uint64_t seed) {
  check_held_out(all, part);
  std::vector<bool> held(all.size());
  std::vector<std::vector<Drawn>> classes = rows_of_classes(all, seed);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::vector<Drawn>& rows = classes[c];
    std::sort(rows.begin(), rows.end());
    for (std::size_t p = 0; p < rows.size(); ++p)
      if (is_in(part, p, rows.size())) held[rows[p].row] = true;
  }
  HeldOut parts;
  for (DataSet* one : {&parts.left, &parts.held}) {
    static_cast<DataShape&>(*one) = all;
    one->owners = all.owners;
  }
  for (std::size_t row = 0; row < all.size(); ++row) {
    DataSet& one = held[row] ? parts.held : parts.left;
    one.images.push_back(all.images[row]);
    one.labels.push_back(all.labels[row]);
  }
  return parts;
}

}  // namespace sluice::stages
