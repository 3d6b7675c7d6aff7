// What the classes of a data set are called: Fashion-MNIST's ten, what the user says, or "class 0", "class 1", ...
//
// wanted: "NAME,NAME,..." or "@FILE" with a name on each line; empty: the default.
// Errors: std::invalid_argument for a file that cannot be read, an empty name, and more or fewer names than classes.
//
//   report.class_names = class_names(options.class_names, test.classes, is_fashion_mnist);
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sluice::apps {

// fashion_mnist: whether the data set is Fashion-MNIST, whose ten names are known.
std::vector<std::string> class_names(const std::string& wanted, std::size_t classes, bool fashion_mnist);

}  // namespace sluice::apps
