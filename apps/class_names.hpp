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

#include <sluice/stages/model_file.hpp>

namespace sluice::apps {

// fashion_mnist: whether the data set is Fashion-MNIST, whose ten names are known.
std::vector<std::string> class_names(const std::string& wanted, std::size_t classes, bool fashion_mnist);

// With a model, as `sluice.class_names` in its metadata: a JSON array. Empty where none are stored; what is there and
// is no name for each class is a std::invalid_argument.
std::string names_to_store(const std::vector<std::string>& names);
std::vector<std::string> stored_class_names(const stages::Metadata& metadata, std::size_t classes);

}  // namespace sluice::apps
