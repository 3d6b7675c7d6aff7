// Checkpoints with the right checksum that no run has written: each is refused in one short line, and none takes the
// stack, minutes or a number for what it is not.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/model_file.hpp>
#include "apps/job/checkpoint.hpp"
#include "tests/support/files.hpp"

namespace sluice::apps::testing {
namespace {

using test::expect_error;
using test::Folder;

std::string epochs(const std::string& seconds, const std::string& epoch = "1",
                   const std::string& test = R"({"loss":0.5,"accuracy":0.5,"count":20})") {
  return R"([{"epoch":)" + epoch + R"(,"train":{"loss":0.5,"accuracy":0.5,"count":60},"test":)" + test +
         R"(,"seconds":)" + seconds + "}]";
}

// A checkpoint in the second epoch, with this field changed.
Checkpoint loaded(const Folder& folder, const std::string& field, const std::string& value) {
  stages::Metadata state{{"sluice.checkpoint", "1"}, {"sluice.job", R"({"--lr":0.1})"}, {"sluice.epoch", "2"},
                         {"sluice.rows", "40.0"},    {"sluice.loss", "12.5"},           {"sluice.hits", "31.0"},
                         {"sluice.seconds", "0.25"}, {"sluice.epochs", epochs("1.0")}};
  state["sluice." + field] = value;
  stages::save_model(folder.path("c"), stages::random_model(3, 2, 1), state);
  return load_checkpoint(folder.path("c"));
}

void refused(const std::string& field, const std::string& value, std::string_view what) {
  const Folder folder;
  const std::string path = folder.path("c");
  const std::string text = expect_error<stages::DataError>([&] { loaded(folder, field, value); }, {path + ": ", what});
  EXPECT_LT(text.size(), path.size() + 300) << text;
}

TEST(CheckpointBounds, ANumberOfAnotherKindIsNotConverted) {
  EXPECT_EQ(loaded(Folder(), "epoch", "2").state.epoch(), 2u);
  for (const char* value : {"-2", "2.0", "2.5", "true", "18446744073709551616"})
    refused("epoch", value, "sluice.epoch is ");
  for (const char* field : {"rows", "loss", "hits", "seconds"}) {
    refused(field, "true", "expected a number");
    refused(field, "1e999", "is no JSON");
  }
  for (const std::string& damaged : {epochs("true"), epochs("1.0", "-1"), epochs("1.0", "1", "{}")})
    refused("epochs", damaged, "cannot be read");
  refused("epochs", epochs("1.0", "7"), "do not belong together");
  refused("epochs", R"({"a":1})", "expected an array");
}

TEST(CheckpointBounds, SumsThatNoRunComesToAreRefused) {
  for (const char* value : {"-1.0", "41.0", "1.5"}) refused("hits", value, "do not belong together");
  refused("seconds", "-1.0", "do not belong together");
}

TEST(CheckpointBounds, AJobIsNeitherDeepNorLong) {
  refused("job", R"({"--lr":)" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}", "nested more than");
  std::string job = "{";
  for (int i = 0; i < 300; ++i) job += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  refused("job", job + "}", "more than 256 names");
}

TEST(CheckpointBounds, WhatAFileSaysMakesNoLines) {
  refused("checkpoint", "1\n2\x1b[m", "of version 1?2?[m, expected 1");
  EXPECT_EQ(differences({{"--seed", "a\nb"}}, {{"--seed", 1}}),
            std::vector<Difference>{{"--seed is 1, there it was a?b"}});
}

}  // namespace
}  // namespace sluice::apps::testing
