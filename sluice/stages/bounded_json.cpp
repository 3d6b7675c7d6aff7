#include <sluice/stages/bounded_json.hpp>

#include <fmt/core.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::stages {
namespace {

using nlohmann::ordered_json;

// What the parser meets. Not its callback: with one, it goes through all elements of an array after each.
class Bounds {
 public:
  Bounds(std::size_t most_depth, std::size_t most_names) : most_depth_(most_depth), most_names_(most_names) {}

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(std::int64_t) { return true; }
  bool number_unsigned(std::uint64_t) { return true; }
  bool number_float(double, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(ordered_json::binary_t&) { return true; }
  bool start_object(std::size_t) { return begin(); }
  bool key(std::string& name) {
    if (names_.back().size() == most_names_ && !names_.back().contains(name))
      throw std::invalid_argument(fmt::format("an object of more than {} names", most_names_));
    if (!names_.back().insert(name).second) throw std::invalid_argument("an object that has a name twice");
    return true;
  }
  bool end_object() { return end(); }
  bool start_array(std::size_t) { return begin(); }
  bool end_array() { return end(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  bool begin() {
    if (names_.size() == most_depth_)
      throw std::invalid_argument(fmt::format("values nested more than {} deep", most_depth_));
    names_.emplace_back();
    return true;
  }
  bool end() {
    names_.pop_back();
    return true;
  }

  std::size_t most_depth_, most_names_;
  std::vector<std::set<std::string>> names_;  // of the objects around; of an array none
};

}  // namespace

ordered_json parse_bounded(std::string_view text, std::size_t most_depth, std::size_t most_names) {
  // The library takes a NUL for the end of the text, and passes over a byte-order mark.
  if (text.find('\0') != std::string_view::npos || text.starts_with("\xEF\xBB\xBF"))
    return ordered_json::value_t::discarded;
  Bounds bounds(most_depth, most_names);
  if (!ordered_json::sax_parse(text, &bounds)) return ordered_json::value_t::discarded;
  return ordered_json::parse(text, nullptr, false);
}

}  // namespace sluice::stages
