// What the classes of a data set are called: what the user says, else what is stored with a model, else Fashion-MNIST's
// ten where it is that, else "class 0", "class 1", ...
//
// wanted: "NAME,NAME,..." or "@FILE" with a name on each line; empty: the default.
// Errors: std::invalid_argument for a file that cannot be read, an empty name, and more or fewer names than classes;
// find_class_names() says the same as UsageError, and of stored names as stages::DamagedError that names their file.
//
//   report.class_names = find_class_names(options.class_names, {}, "", test.classes, is_fashion_mnist).names;
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
inline constexpr const char* class_names_key = "sluice.class_names";
std::vector<std::string> stored_names(const stages::Metadata& metadata, const char* key, std::size_t count);
std::vector<std::string> stored_class_names(const stages::Metadata& metadata, std::size_t classes);

struct ClassNames {
  std::vector<std::string> names;  // one for each class
  bool known = false;              // somebody called them so: they are not numbers
};
// stored: with a model, in the file stored_in.
// words: what a table calls its classes; none: it does not.
ClassNames find_class_names(const std::string& wanted, const stages::Metadata& stored, const std::string& stored_in,
                            std::size_t classes, bool fashion_mnist, const std::vector<std::string>& words = {});

}  // namespace sluice::apps
