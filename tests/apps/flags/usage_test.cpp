// Wrong use of the program: exit code 2, one line on stderr that names the flag and the way out, nothing on stdout.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/zip_member.hpp>
#include "tests/apps/data.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

void expect_usage_error(const Arguments& arguments, const std::vector<std::string>& parts) {
  std::string command;
  for (const auto& a : arguments) command += a + " ";
  SCOPED_TRACE(command);
  const Result r = sluice(arguments);
  EXPECT_EQ(r.code, 2) << r.err;
  EXPECT_EQ(r.out, "");
  EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
  EXPECT_TRUE(r.err.starts_with("sluice: ")) << r.err;
  for (const auto& part : parts) EXPECT_TRUE(contains(r.err, part)) << "missing: " << part << "\nin: " << r.err;
}

TEST(Usage, AnUnknownFlagGetsTheNearestOne) {
  expect_usage_error({"train", "--epochz", "3"}, {"--epochz: no such flag", "did you mean '--epochs'?"});
  expect_usage_error({"train", "--bacth-size=3"}, {"--bacth-size: no such flag", "did you mean '--batch-size'?"});
  expect_usage_error({"graph", "--dto"}, {"--dto: no such flag", "did you mean '--dot'?"});
  expect_usage_error({"graph", "--lime"}, {"--lime: no such flag", "expected one of", "--dot"});
  expect_usage_error({"--versoin"}, {"--versoin: no such flag", "did you mean '--version'?"});
}

TEST(Usage, AFlagOfAnotherCommandSaysWhereItBelongs) {
  expect_usage_error({"graph", "--json"}, {"--json: no such flag of sluice graph", "belongs to sluice train"});
  expect_usage_error({"train", "--dot"}, {"--dot: no such flag of sluice train", "belongs to sluice graph"});
  expect_usage_error({"synth", "--lr=3"}, {"--lr: no such flag of sluice synth", "belongs to sluice train"});
  expect_usage_error({"train", "--version"}, {"--version", "stands alone: sluice --version"});
}

TEST(Usage, AnUnknownCommandGetsTheNearestOne) {
  expect_usage_error({"trian"}, {"trian: no such command", "did you mean 'train'?"});
  expect_usage_error({"grpah"}, {"grpah: no such command", "did you mean 'graph'?"});
  expect_usage_error({"serve"}, {"serve: no such command",
                                 "expected one of train, eval, predict, graph, sweep, inspect, index, fetch, synth"});
}

TEST(Usage, AFlagOfACommandBeforeTheCommandSaysWhereItBelongs) {
  expect_usage_error({"--epochs", "3", "train"}, {"--epochs", "sluice train --epochs"});
  expect_usage_error({"--epochs", "3"}, {"--epochs", "sluice train --epochs"});
}

TEST(Usage, AnArgumentThatIsNoFlagIsAnError) {
  expect_usage_error({"train", "data"}, {"data: unexpected argument", "sluice train --help"});
}

TEST(Usage, AnUnknownStageGetsTheNearestOne) {
  const SmallData data;
  for (const char* flag : {"--capacity", "--concurrency"})
    for (const Arguments& command : {data.train(), Arguments{"graph", "--data", data.folder().path()}}) {
      expect_usage_error(command + Arguments{flag, "fowrad=3"}, {flag, "no stage 'fowrad'", "did you mean 'forward'?"});
      expect_usage_error(command + Arguments{flag, "inflate.train-imags=3"}, {flag, "no stage 'inflate.train-imags'"});
      expect_usage_error(command + Arguments{flag, "pump=3"}, {flag, "no stage 'pump'", "expected one of", "forward"});
    }
}

TEST(Usage, AnOverrideHasTheFormStageEqualsNumber) {
  const SmallData data;
  for (const char* flag : {"--capacity", "--concurrency"}) {
    for (const char* text : {"forward", "=3", "=", ""})
      expect_usage_error(data.train() + Arguments{flag, text}, {flag, "expected STAGE=N"});
    for (const char* text :
         {"forward=", "forward=0", "forward=-1", "forward=x", "forward=1.5", "forward=99999999999999"})
      expect_usage_error(data.train() + Arguments{flag, text}, {flag, text, "not a whole number from 1 to "});
  }
}

TEST(Usage, AnOverrideThatALaterOneReplacesIsAnError) {
  const SmallData data;
  expect_usage_error(data.train() + Arguments{"--capacity", "plan=3", "--capacity", "plan=4"},
                     {"--capacity plan=3", "has no effect"});
  expect_usage_error(data.train() + Arguments{"--capacity", "parse.test-images=3", "--capacity", "parse=4"},
                     {"--capacity parse.test-images=3", "has no effect"});
  const Result r = sluice(data.train() + Arguments{"--capacity", "parse=4", "--capacity", "parse.test-images=3"});
  EXPECT_EQ(r.code, 0) << r.err;
}

TEST(Usage, WhatAStageCannotBeIsRefusedWithItsReason) {
  const SmallData data;
  expect_usage_error(data.train() + Arguments{"--concurrency", "batch=2"}, {"stage 'batch' is a source"});
  expect_usage_error(data.train() + Arguments{"--capacity", "forward=3"}, {"stage 'forward' is a map", "'shard'"});
}

TEST(Usage, ANumberOutOfItsRangeIsAnErrorThatStatesTheRange) {
  for (const char* flag : {"--epochs", "--batch-size", "--threads", "--shards"})
    for (const char* value : {"0", "-1", "x", "1.5", "", "1e3", "99999999999999999999999", " 1", "0x10"})
      expect_usage_error({"train", flag, value},
                         {flag, std::string("'") + value + "' is not a whole number from 1 to "});
  for (const char* value : {"0", "1", "65537"})
    expect_usage_error({"train", "--classes", value}, {"--classes", "from 2 to 65536"});
  for (const char* value : {"-1", "x", "18446744073709551616"})
    expect_usage_error({"train", "--seed", value}, {"--seed", "from 0 to 18446744073709551615"});
}

TEST(Usage, TheLearningRateIsAFiniteNumberAboveZero) {
  for (const char* value : {"nan", "inf", "-inf", "0", "-0.1", "x", "", "0.1x", "1e999", "1e300", "1e-300"})
    expect_usage_error({"train", "--lr", value}, {"--lr", std::string("'") + value + "' is not a number"});
}

TEST(Usage, AFlagWithoutItsValueOrGivenTwiceIsAnErrorInWords) {
  expect_usage_error({"train", "--epochs"}, {"--epochs: needs a value"});
  expect_usage_error({"train", "--output"}, {"--output: needs a value"});
  // As of a variable that is empty: the next word is none of it.
  expect_usage_error({"train", "--output", "--json"}, {"--output: needs a value, and --json is a flag"});
  expect_usage_error({"train", "--output", "--epochs=1"}, {"--output: needs a value, and --epochs=1 is a flag"});
  expect_usage_error({"train", "--output", "--", "--json"}, {"--output: needs a value"});
  expect_usage_error({"train", "--output=", "--json"}, {"--output: needs a value"});
  expect_usage_error({"train", "--data=", "--epochs", "1"}, {"--data: needs a value"});
  expect_usage_error({"train", "--epochs", "1", "--epochs", "2"}, {"--epochs: given 2 times, expected once"});
}

TEST(Usage, AnUnknownDecoderGetsTheNearestOne) {
  expect_usage_error({"train", "--decoder", "libdeflat"}, {"--decoder", "'libdeflat'", "did you mean 'libdeflate'?"});
  expect_usage_error({"train", "--decoder", ""}, {"--decoder", "auto, zlib, libdeflate"});
}

TEST(Usage, AnUnknownInstructionSetIsAnErrorThatListsThoseAvailable) {
  expect_usage_error({"train", "--isa", "sse9"}, {"--isa", "'sse9'", "portable"});
}

// An unset shell variable leaves one: it must not mean the default.
TEST(Usage, AnEmptyNameIsAnError) {
  for (const char* flag :
       {"--isa", "--output", "--data", "--train-images", "--train-labels", "--test-images", "--test-labels"})
    expect_usage_error({"train", flag, ""}, {flag, "'' is no name"});
}

TEST(Usage, WithoutACommandTheHelpIsPrintedAsAnError) {
  const Result r = sluice({});
  EXPECT_EQ(r.code, 2);
  EXPECT_EQ(r.out, "");
  EXPECT_TRUE(contains(r.err, "Usage: sluice") && contains(r.err, "train") && contains(r.err, "graph")) << r.err;
}

TEST(Usage, HelpAndVersionArePrintedOnStdout) {
  for (const Arguments& a :
       {Arguments{"--help"}, {"-h"}, {"train", "--help"}, {"graph", "--help"}, {"synth", "--help"}, {"--version"}}) {
    const Result r = sluice(a);
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    EXPECT_NE(r.out, "");
  }
  const std::string version = sluice({"--version"}).out;
  for (const char* part : {"sluice 0.", "compiler ", "oneTBB 202", "zlib 1.", "libdeflate ", "libbz2 ", "liblzma ",
                           "libzstd ", "libcurl ", "kernels ", "portable", "(used)"})
    EXPECT_TRUE(contains(version, part)) << version;
  const std::string libzip = stages::libzip_version();
  EXPECT_TRUE(contains(version, "\nlibzip " + (libzip.empty() ? "none: .npz files are not read" : libzip) + "\n"))
      << version;
}

}  // namespace
}  // namespace sluice::apps::testing
