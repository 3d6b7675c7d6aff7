#include "tests/apps/json.hpp"

#include <gtest/gtest.h>
#include <sstream>

#include <ostream>

namespace nlohmann {

void PrintTo(const json& value, std::ostream* out) {
  *out << value;
}

}  // namespace nlohmann

namespace sluice::apps::testing {

json parsed_json(const std::string& text) {
  return json::parse(text, nullptr, false);
}

json trained(const Arguments& arguments) {
  const Result r = sluice(arguments + Arguments{"--json", "--quiet"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.signal, 0);
  std::istringstream said(r.err);
  for (std::string line; std::getline(said, line);) EXPECT_TRUE(line.starts_with("sluice: warning: ")) << line;
  const json object = parsed_json(r.out);
  EXPECT_TRUE(object.is_object()) << r.out;
  return object;
}

json results_of(json object) {
  for (auto& epoch : object["epochs"]) epoch.erase("seconds"), epoch.erase("samples_per_second");
  json results;
  for (const char* key :
       {"epochs", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "weights_sha256", "data"})
    results[key] = object[key];
  return results;
}

}  // namespace sluice::apps::testing
