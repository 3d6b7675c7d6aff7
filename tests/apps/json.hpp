// Trains, and reads the one JSON object that `--json` prints.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/apps/program.hpp"

namespace sluice::apps::testing {

using nlohmann::json;

// The result of a run that has to end well.
inline json trained(const Arguments& arguments) {
  const Result r = sluice(arguments + Arguments{"--json", "--quiet"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.signal, 0);
  EXPECT_EQ(r.err, "");
  const json object = json::parse(r.out, nullptr, false);
  EXPECT_TRUE(object.is_object()) << r.out;
  return object;
}

// What must be the same however the work is divided: the weights, and every number that is no time.
inline json results_of(json object) {
  for (auto& epoch : object["epochs"]) epoch.erase("seconds"), epoch.erase("samples_per_second");
  json results;
  for (const char* key :
       {"epochs", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "weights_sha256", "data"})
    results[key] = object[key];
  return results;
}

}  // namespace sluice::apps::testing
