#include <sluice/pipeline/verbs.hpp>

#include <sluice/pipeline/detail/verb_table.hpp>

namespace sluice {

const char* to_string(Verb verb) {
  return detail::row(verb).name;
}

}  // namespace sluice
