#include "apps/flags/environment.hpp"

namespace sluice::apps {

std::string environment_name(const std::string& flag) {
  std::string name = "SLUICE_";
  for (const char c : flag.substr(flag.find_first_not_of('-')))
    name += c == '-' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

}  // namespace sluice::apps
