// What is seen only by looking at a whole graph: first what follows from its wiring, then what is wrong with it.
#pragma once

#include <string>
#include <vector>

#include <sluice/pipeline/detail/stage.hpp>

namespace sluice::detail {

// Fills in what follows for each stage, as far as it can: also where the wiring is wrong. May be repeated.
void resolve(const Stages& stages);

// Every mistake of resolved stages, a line each.
std::vector<std::string> mistakes(const Stages& stages);

}  // namespace sluice::detail
