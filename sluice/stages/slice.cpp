#include <sluice/stages/slice.hpp>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {

Slice Slicer::operator()(const GradientPlan& plan, std::size_t part, std::size_t parts) const {
  const std::size_t lines = plan.size / kernels::lanes;
  return {&plan, lines * part / parts * kernels::lanes, lines * (part + 1) / parts * kernels::lanes};
}

}  // namespace sluice::stages
