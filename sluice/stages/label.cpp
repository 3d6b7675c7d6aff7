#include <sluice/stages/label.hpp>

#include <fmt/core.h>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/model.hpp>

namespace sluice::stages {

void refuse_label(const std::string& path, const std::string& label, std::uint64_t image, std::size_t classes,
                  const std::string& hint) {
  throw DataError(fmt::format("{}: label {} of image {}, expected 0 to {}{}{}", path, label, image,
                              (classes ? classes : most_classes) - 1,
                              classes ? fmt::format(": there are {} classes", classes) : "", hint));
}

}  // namespace sluice::stages
