// The flags, by the parser alone and by the program: environment, help, what has no effect, the command line that
// repeats a run.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include <sluice/stages/input_files.hpp>
#include <sluice/stages/model_file.hpp>
#include "apps/flags/command_line.hpp"
#include "apps/flags/environment.hpp"
#include "apps/job/class_names.hpp"
#include "apps/job/usage_error.hpp"
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

using Variables = std::map<std::string, std::string>;
using Command = CommandLine::Command;

CommandLine parsed(const Arguments& arguments, const Variables& variables = {}, std::size_t columns = 80) {
  std::vector<const char*> argv{"sluice"};
  for (const std::string& a : arguments) argv.push_back(a.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data(),
                            {.version = [] { return std::string("sluice 0\n"); },
                             .environment =
                                 [&](const std::string& name) {
                                   const auto found = variables.find(name);
                                   return found == variables.end() ? "" : found->second;
                                 },
                             .columns = columns});
}

// The error of a command line; empty: there is none.
std::string error_of(const Arguments& arguments, const Variables& variables = {}) {
  try {
    parsed(arguments, variables);
    return "";
  } catch (const UsageError& error) {
    return error.what();
  }
}

std::string help_of(const std::string& command, std::size_t columns = 80) {
  return parsed(command.empty() ? Arguments{"--help"} : Arguments{command, "--help"}, {}, columns).text;
}

// All that the help of the program lists.
std::vector<std::string> commands() {
  const std::string help = help_of("");
  std::vector<std::string> all;
  for (const std::string& line : lines(help.substr(help.find("\nCommands\n") + 10))) {
    if (line.empty()) break;
    if (line[2] != ' ') all.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  EXPECT_GE(all.size(), 4u);
  return all;
}
std::vector<std::string> program_and_commands() {
  std::vector<std::string> all = commands();
  all.insert(all.begin(), "");
  return all;
}

// The flags with a value that a help lists, each with its entry in one line.
std::map<std::string, std::string> entries(const std::string& help) {
  std::map<std::string, std::string> all;
  std::string flag;
  for (const std::string& line : lines(help)) {
    std::smatch match;
    if (std::regex_search(line, match, std::regex("^  (?:-h, )?(--[a-z0-9-]+)")))
      all[flag = match[1]] = line;
    else if (!flag.empty() && line.starts_with("     "))
      all[flag] += " " + line.substr(line.find_first_not_of(' '));
    else
      flag.clear();
  }
  return all;
}

TEST(Environment, TheNameOfAVariableFollowsFromTheFlag) {
  EXPECT_EQ(environment_name("--lr"), "SLUICE_LR");
  EXPECT_EQ(environment_name("--batch-size"), "SLUICE_BATCH_SIZE");
}

TEST(Environment, AVariableIsADefaultThatAFlagBeats) {
  const Variables variables{{"SLUICE_THREADS", "3"}, {"SLUICE_BATCH_SIZE", "17"}, {"SLUICE_LR", "0.5"}};
  const Options o = parsed({"train", "--lr", "0.25"}, variables).options;
  EXPECT_EQ(o.threads, 3u);
  EXPECT_EQ(o.batch_size, 17u);
  EXPECT_EQ(o.lr, 0.25);
  EXPECT_EQ(parsed({"graph"}, variables).options.batch_size, 17u);
  EXPECT_EQ(parsed({"synth", "d"}, variables).synth.threads, 3u);
}

// Whatever flags there will be: a value that none of them takes names the variable, where the help says there is one.
TEST(Environment, EveryVariableOfTheHelpIsRead) {
  std::size_t variables = 0;
  for (const std::string& command : commands()) {
    const std::string help = help_of(command);
    for (const auto& [flag, entry] : entries(help)) {
      const std::string variable = environment_name(flag);
      std::string read;
      const auto look = [&](const std::string& name) {
        if (name == variable) read = name;
        return std::string();
      };
      std::vector<const char*> argv{"sluice", command.c_str()};
      const bool argument = !contains(help, "Usage: sluice " + command + " [");
      if (argument) argv.push_back(command == "completions" ? "bash" : "argument");
      parse_command_line(static_cast<int>(argv.size()), argv.data(), {.environment = look});
      EXPECT_EQ(read.empty(), !contains(entry, "env " + variable)) << command << " " << entry;
      if (!read.empty()) ++variables;
    }
  }
  EXPECT_GT(variables, 30u);
}

// Whichever of two that exclude one another is given, the variable of the other is passed over.
TEST(Environment, AVariableGivesWayToAFlagThatExcludesIt) {
  const Variables share{{"SLUICE_VALIDATION", "0.1"}};
  const Options files = parsed({"train", "--validation-images", "a", "--validation-labels", "b"}, share).options;
  EXPECT_FALSE(files.holds_out());
  EXPECT_TRUE(files.validates_by_files());
  EXPECT_TRUE(parsed({"sweep", "--folds", "3"}, share).options.validation.empty());
  EXPECT_EQ(parsed({"sweep", "--validation", "0.2"}, {{"SLUICE_FOLDS", "3"}}).sweep.folds, 0u);
  EXPECT_EQ(
      parsed({"train", "--validation", "0.2"}, {{"SLUICE_VALIDATION_IMAGES", "a"}}).options.validation_images.empty(),
      true);
}

TEST(Environment, APresetIsADefaultThatAVariableBeats) {
  EXPECT_EQ(parsed({"train"}, {{"SLUICE_PRESET", "best"}}).options.optimizer, "adam");
  const Options o = parsed({"train", "--preset", "best"}, {{"SLUICE_LR", "0.5"}, {"SLUICE_BETA1", "0.8"}}).options;
  EXPECT_EQ(o.optimizer, "adam");
  EXPECT_EQ(o.lr, 0.5);
  EXPECT_EQ(o.beta1, 0.8);
  EXPECT_EQ(parsed({"train", "--preset", "best", "--optimizer", "sgd"}, {}).options.optimizer, "sgd");
}

TEST(Environment, AnEmptyVariableCountsAsUnset) {
  EXPECT_EQ(parsed({"train"}, {{"SLUICE_EPOCHS", ""}, {"SLUICE_OUTPUT", ""}}).options.epochs, 10u);
}

TEST(Environment, AWrongValueNamesTheVariable) {
  EXPECT_EQ(error_of({"train"}, {{"SLUICE_THREADS", "abc"}}),
            "SLUICE_THREADS: 'abc' is not a whole number from 1 to 1024");
  EXPECT_TRUE(contains(error_of({"train"}, {{"SLUICE_DECODER", "zlb"}}), "SLUICE_DECODER: 'zlb'"));
  EXPECT_EQ(error_of({"train", "--threads", "2"}, {{"SLUICE_THREADS", "abc"}}), "") << "a flag beats it";
  EXPECT_EQ(error_of({"inspect", "f"}, {{"SLUICE_THREADS", "abc"}}), "") << "inspect has no --threads";
}

TEST(Environment, AWrongValueThatIsFoundLaterNamesTheVariableToo) {
  const SmallData data;
  const auto with = [&](const std::string& variable, const Arguments& more = {}) {
    return run(Arguments{"env", variable, sluice_path()} + data.train() + more);
  };
  for (const auto& [variable, part] : {std::pair{"SLUICE_THREADS=abc", "SLUICE_THREADS: 'abc'"},
                                       {"SLUICE_ISA=sse9", "--isa is set by SLUICE_ISA"},
                                       {"SLUICE_CAPACITY=fowrad=3", "--capacity is set by SLUICE_CAPACITY"},
                                       {"SLUICE_OUTPUT=/nowhere/m", "--output is set by SLUICE_OUTPUT"}}) {
    const Result r = with(variable);
    EXPECT_EQ(r.code, 2) << r.err;
    EXPECT_TRUE(contains(r.err, part)) << r.err;
  }
  EXPECT_FALSE(contains(with("SLUICE_EPOCHS=1", {"--isa", "sse9"}).err, "SLUICE_"));
  const Result none = run({"env", "SLUICE_DATA=nowhere", sluice_path(), "train"});
  EXPECT_EQ(none.code, 3);
  EXPECT_TRUE(contains(none.err, "--data is set by SLUICE_DATA")) << none.err;
  data.folder().write("train-images-idx3-ubyte.gz", "damaged");
  const Result damaged = run({"env", "SLUICE_DATA=" + data.folder().path(), sluice_path(), "train"});
  EXPECT_EQ(damaged.code, 3);
  EXPECT_TRUE(contains(damaged.err, "--data is set by SLUICE_DATA")) << damaged.err;
}

TEST(Environment, AVariableIsNotBlamedForAFlagWhoseNameBeginsLikeIts) {
  CommandLine line;
  line.from_environment = {{"--trace", "t.json"}, {"--class-names", "a,b"}};
  EXPECT_FALSE(contains(explained("--trace-steps: is wrong", line), "SLUICE_"));
  EXPECT_FALSE(contains(explained("--no-trace: is wrong", line), "SLUICE_"));
  EXPECT_TRUE(contains(explained("--trace: is wrong", line), "--trace is set by SLUICE_TRACE"));
  EXPECT_TRUE(contains(explained("without --class-names", line), "--class-names is set by SLUICE_CLASS_NAMES"));
}

TEST(Environment, ARepeatableFlagHasCommasInItsVariable) {
  const Variables variables{{"SLUICE_CAPACITY", "a=1,b=2"}};
  EXPECT_EQ(parsed({"train"}, variables).options.capacity, (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_EQ(parsed({"train", "--capacity", "c=3"}, variables).options.capacity, (std::vector<std::string>{"c=3"}));
}

TEST(Environment, WhatIsNeededMayComeFromIt) {
  const Options o = parsed({"train", "--trace-steps", "5"}, {{"SLUICE_TRACE", "t.json"}}).options;
  EXPECT_EQ(o.trace, "t.json");
  EXPECT_EQ(o.trace_steps, 5u);
}

TEST(Environment, AVariableWhoseFlagHasNoEffectIsPassedOver) {
  EXPECT_EQ(error_of({"train"}, {{"SLUICE_TRACE_STEPS", "5"}, {"SLUICE_RESUME", "no"}, {"SLUICE_CLASS_NAMES", "a,b"}}),
            "");
  EXPECT_EQ(error_of({"graph"}, {{"SLUICE_LR", "x"}}), "");
}

TEST(Environment, AVariableWhoseFlagHasAnEffectByItsOwnValueIsTaken) {
  EXPECT_EQ(parsed({"train"}, {{"SLUICE_RESUME", "run.safetensors"}}).options.resume, "run.safetensors");
  EXPECT_EQ(parsed({"train", "--resume", "other"}, {{"SLUICE_RESUME", "run.safetensors"}}).options.resume, "other");
}

// Every flag that may have none, with its variable set and what it needs missing: nothing of the value is left.
TEST(Environment, AValueThatHasNoEffectIsInNoOption) {
  const struct {
    Arguments command;
    const char *variable, *value;
    std::function<std::string(const CommandLine&)> option;
  } all[] = {
      {{"train", "--stream"}, "REPORT", "r.html", [](const auto& l) { return l.options.report; }},
      {{"train"}, "SHUFFLE_BUFFER", "7", [](const auto& l) { return std::to_string(l.options.shuffle_buffer); }},
      {{"train"}, "CHECKPOINT_EVERY", "7", [](const auto& l) { return l.options.checkpoint_every; }},
      {{"train"}, "RESUME", "no", [](const auto& l) { return l.options.resume; }},
      {{"train"}, "TRACE_STEPS", "7", [](const auto& l) { return std::to_string(l.options.trace_steps); }},
      {{"train"}, "CLASS_NAMES", "a,b", [](const auto& l) { return l.options.class_names; }},
      {{"train", "--quiet"}, "LOG_FORMAT", "jsonl", [](const auto& l) { return l.options.log_format; }},
      {{"train", "--no-progress"}, "LOG_FORMAT", "jsonl", [](const auto& l) { return l.options.log_format; }},
      {{"predict"}, "LABELS", "f", [](const auto& l) { return l.predict.labels.text(); }},
      {{"predict"}, "GALLERY_IMAGES", "7", [](const auto& l) { return std::to_string(l.predict.gallery_images); }},
  };
  for (const auto& one : all) {
    const std::string variable = std::string("SLUICE_") + one.variable;
    const CommandLine line = parsed(one.command, {{variable, one.value}});
    EXPECT_EQ(one.option(line), one.option(parsed(one.command))) << variable;
    EXPECT_TRUE(line.from_environment.empty()) << variable;
  }
  // What it needs may come from a variable as well.
  EXPECT_EQ(parsed({"train"}, {{"SLUICE_TRACE_STEPS", "7"}, {"SLUICE_TRACE", "t"}}).options.trace_steps, 7u);
  EXPECT_EQ(parsed({"predict"}, {{"SLUICE_LABELS", "f"}, {"SLUICE_GALLERY", "g.png"}}).predict.labels, "f");
}

TEST(Environment, DataThatIsNamedByHandBeatsTheVariablesOfItsFiles) {
  const Variables variables{{"SLUICE_TRAIN_IMAGES", "a"}, {"SLUICE_TEST_IMAGES", "b"}};
  const CommandLine line = parsed({"train", "--data", "d", "--train-images", "c"}, variables);
  EXPECT_EQ(line.options.files.named.train_images, "c");
  EXPECT_TRUE(line.options.files.named.test_images.empty());
  EXPECT_EQ(parsed({"train"}, variables).options.files.named.test_images, "b");
}

TEST(Environment, NoEnvTakesNothingFromIt) {
  const Variables variables{{"SLUICE_EPOCHS", "3"}, {"SLUICE_THREADS", "abc"}};
  const CommandLine line = parsed({"train", "--no-env"}, variables);
  EXPECT_EQ(line.options.epochs, 10u);
  EXPECT_TRUE(line.from_environment.empty());
}

TEST(Inputs, AreSeveralFilesFromTheFlagOnAndTheStandardInputWhereItMayBe) {
  using stages::InputFiles;
  const InputFiles two(std::vector<std::string>{"a", "b"}), input = InputFiles::standard_input();
  const CommandLine line = parsed({"train", "--train-images", "a,b", "--train-labels", "-"});
  EXPECT_EQ(line.options.files.named.train_images, two);
  EXPECT_EQ(line.options.files.named.train_labels, InputFiles("-")) << "which is read in every epoch: a file";
  EXPECT_EQ(parsed({"train"}, {{"SLUICE_TRAIN_IMAGES", "a,b"}}).options.files.named.train_images, two);
  EXPECT_EQ(parsed({"eval", "--images", "-", "--labels", "a,b"}).eval.images, input);
  EXPECT_EQ(parsed({"eval", "--images", "-", "--labels", "a,b"}).eval.labels, two);
  EXPECT_EQ(parsed({"predict", "--images", "-"}).predict.images, input);
}

TEST(Help, SaysTheDefaultAndTheVariableOfEveryFlagWithAValue) {
  for (const std::string& command : commands()) {
    for (const auto& [flag, entry] : entries(help_of(command)))
      if (std::regex_search(entry, std::regex("^  " + flag + " [A-Za-z]"))) {
        EXPECT_TRUE(contains(entry, "env " + environment_name(flag) + ")")) << entry;
      }
  }
  const auto train = entries(help_of("train"));
  for (const auto& [flag, text] : {std::pair{"--epochs", "default: 10;"},
                                   {"--batch-size", "default: 256;"},
                                   {"--lr", "default: 0.1;"},
                                   {"--seed", "default: 0;"},
                                   {"--decoder", "default: auto;"},
                                   {"--checkpoint-every", "default: 1e;"},
                                   {"--trace-steps", "default: 1000;"},
                                   {"--log-format", "default: text;"},
                                   {"--data", "default: Debian's Fashion-MNIST;"},
                                   {"--threads", "default: as many as the CPUs"}})
    EXPECT_TRUE(contains(train.at(flag), text)) << train.at(flag);
}

// Where the description does not name them.
TEST(Help, TheChoicesOfAFlagAreNamed) {
  EXPECT_TRUE(contains(entries(help_of("train")).at("--best-by"), "(loss, accuracy) (default: loss;"));
  EXPECT_FALSE(contains(entries(help_of("train")).at("--decoder"), "(auto, zlib"));  // its words say them
}

TEST(Help, IsACommandToo) {
  EXPECT_EQ(parsed({"help"}).text, help_of(""));
  for (const std::string& command : commands()) EXPECT_EQ(parsed({"help", command}).text, help_of(command));
  EXPECT_EQ(error_of({"help", "trian"}), "trian: no such command: did you mean 'train'?");
  EXPECT_TRUE(contains(error_of({"help", "train", "eval"}), "eval: unexpected argument"));
  EXPECT_TRUE(contains(error_of({"completions"}), "SHELL is required"));
  EXPECT_TRUE(contains(error_of({"completions", "bahs"}), "'bahs' is not one of bash, zsh, fish"));
}

TEST(Help, FitsIntoTheTerminal) {
  for (const std::size_t columns : {80u, 120u})
    for (const std::string& command : program_and_commands()) {
      const std::string help = help_of(command, columns);
      EXPECT_EQ(help.find('\t'), std::string::npos);
      for (const std::string& line : lines(help)) EXPECT_LE(line.size(), columns) << line;
    }
  EXPECT_GT(lines(help_of("train", 80)).size(), lines(help_of("train", 120)).size());
}

TEST(Help, TheProgramLooksHowWideTheTerminalIs) {
  EXPECT_EQ(run({"env", "COLUMNS=100", sluice_path(), "train", "--help"}).out, help_of("train", 100));
  EXPECT_EQ(run({"env", "COLUMNS=", sluice_path(), "train", "--help"}).out, help_of("train", 80));
}

TEST(Help, EveryGroupHasATitleAndEveryCommandExamples) {
  for (const char* title : {"\nData\n", "\nTraining\n", "\nCheckpoints\n", "\nOutput\n", "\nSee inside\n", "\nHelp\n"})
    EXPECT_TRUE(contains(help_of("train"), title)) << title;
  for (const std::string& command : program_and_commands())
    EXPECT_TRUE(contains(help_of(command), "\nExamples\n  # ")) << command;
  EXPECT_TRUE(contains(help_of(""), "\nExit codes\n  0 "));
}

// They run in a shell, one behind the other, with a small data set for that of Debian. No test asks the web.
TEST(Help, TheExamplesWork) {
  const SmallData data;
  const test::Folder folder;
  std::string script = "set -e; cd '" + folder.path() + "'; cp -r '" + data.folder().path() + "' data; export " +
                       "SLUICE_DATA='" + data.folder().path() + "'; sluice() { '" + sluice_path() + "' \"$@\"; }\n";
  std::size_t examples = 0;
  for (const std::string& command : program_and_commands()) {
    const std::string help = help_of(command);
    for (const std::string& line : lines(help.substr(help.find("\nExamples\n") + 10)))
      if (!line.starts_with("  #") && line != "  sluice fetch fashion-mnist") script += line + "\n", ++examples;
  }
  EXPECT_GE(examples, 10u);
  // bash: a function with an assignment before it
  const Result r = run({"bash", "-c", script});
  EXPECT_EQ(r.code, 0) << script << r.err;
}

TEST(Flags, OneThatHasNoEffectIsAnErrorThatSaysWhy) {
  const Arguments files{"--train-images", "a", "--train-labels", "b", "--test-images", "c", "--test-labels", "d"};
  for (const auto& [arguments, part] : std::vector<std::pair<Arguments, std::string>>{
           {{"train", "--trace-steps", "5"}, "--trace-steps: has no effect without --trace"},
           {{"train", "--checkpoint-every", "5"}, "--checkpoint-every: has no effect without --checkpoint"},
           {{"train", "--checkpoint-every", "5", "--resume", "f"}, "--checkpoint-every: has no effect without"},
           {{"train", "--resume", "no"}, "--resume: has no effect without --checkpoint"},
           {{"train", "--resume", "auto"}, "--resume: has no effect without --checkpoint"},
           {{"train", "--class-names", "a,b"}, "--class-names: has no effect without one of --report, --output"},
           {{"train", "--quiet", "--progress"}, "--progress: has no effect with --quiet"},
           {{"train", "--log-format", "jsonl", "--progress"}, "--progress: has no effect with --log-format jsonl"},
           {{"train", "--log-format", "jsonl", "--quiet"}, "--log-format: has no effect with --quiet"},
           {{"train", "--log-format", "jsonl", "--no-progress"}, "--log-format: has no effect with --no-progress"},
           {Arguments{"train", "--data", "d"} + files, "--data: has no effect where all files are named"},
           {Arguments{"graph", "--data", "d"} + files, "--data: has no effect where all files are named"},
           {{"graph", "--lr", "0.5"}, "--lr: has no effect on the graphs"},
           {{"graph", "--seed=1"}, "--seed: has no effect on the graphs"},
           {{"graph", "--epochs", "1"}, "--epochs: has no effect on the graphs"},
           {{"graph", "--isa", "portable"}, "--isa: has no effect on the graphs"},
           {{"graph", "--dot", "--svg"}, "give one of them"},
           {{"train", "--progress", "--no-progress"}, "give one of them"},
       }) {
    const std::string error = error_of(arguments);
    EXPECT_TRUE(contains(error, part)) << "missing: " << part << "\nin: " << error;
  }
}

TEST(Flags, OneWithoutAValueTakesNone) {
  for (const char* flag : {"--quiet=no", "--quiet=true", "--quiet=", "--json=false", "--stream=0", "--profile=1"}) {
    const std::string name = std::string(flag).substr(0, std::string(flag).find('='));
    EXPECT_EQ(error_of({"train", flag}), name + ": takes no value") << flag;
  }
}

TEST(Flags, OneThatHasAnEffectIsNone) {
  for (const Arguments& arguments : {Arguments{"train", "--trace", "t", "--trace-steps", "5"},
                                     {"train", "--checkpoint", "c", "--checkpoint-every", "5", "--resume", "no"},
                                     {"train", "--resume", "f"},
                                     {"train", "--class-names", "a,b", "--output", "m"},
                                     {"train", "--class-names", "a,b", "--checkpoint", "m"},
                                     {"train", "--class-names", "a,b", "--report", "m"},
                                     {"train", "--json", "--quiet", "--no-progress", "--log-format", "text"},
                                     {"train", "--data", "d", "--train-images", "a"}})
    EXPECT_EQ(error_of(arguments), "");
}

// What `sh` makes of a line, in another folder and with other defaults.
json repeated(const std::string& line, const test::Folder& elsewhere) {
  const Result r =
      run({"sh", "-c",
           "cd '" + elsewhere.path() + "'; export SLUICE_LR=9 SLUICE_EPOCHS=7 SLUICE_CLASSES=9 " +
               "SLUICE_RESUME=nowhere SLUICE_SEED=5; sluice() { '" + sluice_path() + "' \"$@\"; }\n" + line});
  EXPECT_EQ(r.code, 0) << line << "\n" << r.err;
  return parsed_json(r.out);
}

std::string dumped(const Arguments& arguments) {
  const Result r = sluice(arguments + Arguments{"--dump-flags"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.err, "");
  EXPECT_TRUE(r.out.starts_with("sluice " + arguments.front() + " --no-env --") && r.out.ends_with("\n")) << r.out;
  return r.out;
}

TEST(DumpFlags, TheLineRepeatsTheRun) {
  const SmallData data;
  const test::Folder elsewhere;
  const Arguments run =
      data.train() + Arguments{"--seed",  "11",    "--lr",     "0.3",      "--threads", "2",          "--json",
                               "--quiet", "--isa", "portable", "--shards", "3",         "--capacity", "plan=3"};
  const std::string line = dumped(run);
  for (const char* part : {"--seed 11", "--lr 0.3", "--threads 2", "--shards 3", "--isa portable", "--capacity plan=3",
                           "--epochs 2", "--batch-size 100", "--scale 1/255", "--log-format text", "--json", "--quiet"})
    EXPECT_TRUE(contains(line, std::string(" ") + part)) << line;
  EXPECT_FALSE(contains(line, "--dump-flags") || contains(line, "--trace-steps") || contains(line, "--resume")) << line;
  const json once = parsed_json(sluice(run).out), again = repeated(line, elsewhere);
  EXPECT_EQ(results_of(again), results_of(once));
  EXPECT_EQ(again["options"]["threads"], once["options"]["threads"]);
  EXPECT_EQ(again["weights_sha256"], once["weights_sha256"]);
}

TEST(DumpFlags, WhatADefaultCameToIsSpeltOutWhereAResultDependsOnIt) {
  const SmallData data;
  const std::string streamed = dumped(data.train() + Arguments{"--stream"});
  EXPECT_TRUE(contains(streamed, " --scale 1/255 ") && contains(streamed, " --shuffle-buffer 500 ")) << streamed;
  // Another machine may not have these.
  EXPECT_FALSE(contains(streamed, "--isa") || contains(streamed, " --decoder ")) << streamed;
  EXPECT_TRUE(contains(dumped(data.train() + Arguments{"--decoder", "zlib"}), " --decoder zlib "));
}

TEST(DumpFlags, NothingIsRun) {
  const SmallData data;
  dumped(data.train() + Arguments{"--output", data.path("m"), "--checkpoint", data.path("c")});
  EXPECT_FALSE(std::filesystem::exists(data.path("m")) || std::filesystem::exists(data.path("c")));
}

TEST(DumpFlags, ItsOwnErrorsAreThoseOfTheRun) {
  const SmallData data;
  EXPECT_EQ(sluice(data.train() + Arguments{"--dump-flags", "--capacity", "pump=3"}).code, 2);
  EXPECT_EQ(sluice({"train", "--data", "nowhere", "--dump-flags"}).code, 3);
}

TEST(DumpFlags, APathMayHaveAnyCharacters) {
  const test::Folder folder, elsewhere;
  const SmallData data;
  const std::string odd = "an 'odd' \"name\" $HOME `x` \\ *;\n-of 100%";
  namespace fs = std::filesystem;
  fs::copy(data.folder().path(), folder.path(odd));
  const std::string once = trained({"train", "--data", folder.path(odd), "--epochs", "1"})["weights_sha256"];
  const std::string line =
      dumped({"train", "--data", folder.path(odd), "--epochs", "1", "--json", "--output", folder.path(odd) + "/m'"});
  EXPECT_EQ(repeated(line, elsewhere)["weights_sha256"], once);
  EXPECT_TRUE(fs::exists(folder.path(odd) + "/m'"));
}

TEST(DumpFlags, PathsAreAbsolute) {
  const SmallData data;
  data.folder().write("names", "-a\nb\nc\n");
  const Result r = run({"sh", "-c",
                        "cd '" + data.folder().path() + "' && '" + sluice_path() +
                            "' train --data . --output m --report r --trace t --checkpoint c "
                            "--resume no --class-names @names --picture p --dump-flags"});
  EXPECT_EQ(r.code, 0) << r.err;
  for (const char* part : {"--output ", "--report ", "--trace ", "--checkpoint ", "--picture ", "--class-names @"})
    EXPECT_TRUE(contains(r.out, part + data.folder().path() + "/")) << part << r.out;
  EXPECT_TRUE(contains(r.out, "--resume no") && contains(r.out, "--checkpoint-every 1e")) << r.out;
  EXPECT_EQ(r.out.find(" ./"), std::string::npos);
}

TEST(DumpFlags, EachOfSeveralFilesIsAbsolute) {
  const SmallData data;
  const Result r = run({"sh", "-c",
                        "cd '" + data.folder().path() + "' && '" + sluice_path() +
                            "' train --dump-flags --train-images train-images-idx3-ubyte.gz,t10k-images-idx3-ubyte.gz "
                            "--train-labels train-labels-idx1-ubyte.gz,t10k-labels-idx1-ubyte.gz --data ."});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(contains(r.out, data.path("train-images-idx3-ubyte.gz") + "," + data.path("t10k-images-idx3-ubyte.gz")))
      << r.out;
}

TEST(DumpFlags, AValueThatBeginsLikeAFlagIsTakenBack) {
  const SmallData data;
  const test::Folder elsewhere;
  const std::string line =
      dumped(data.train() + Arguments{"--class-names=-a,b c,--d", "--output", data.path("m"), "--json"});
  repeated(line, elsewhere);
  EXPECT_EQ(stages::load_model(data.path("m")).metadata.at("sluice.class_names"), R"(["-a","b c","--d"])");
}

TEST(DumpFlags, TheEnvironmentIsSpeltOut) {
  const SmallData data;
  const Result r =
      run(Arguments{"env", "SLUICE_SEED=77", "SLUICE_CAPACITY=plan=3,shard=9", "SLUICE_TRACE_STEPS=3", sluice_path()} +
          data.train() + Arguments{"--dump-flags"});
  EXPECT_TRUE(contains(r.out, "--seed 77") && contains(r.out, "--capacity plan=3 --capacity shard=9")) << r.out;
  EXPECT_FALSE(contains(r.out, "--trace-steps")) << r.out;
}

TEST(DumpFlags, ThatOfAGraphPrintsTheSameGraph) {
  const SmallData data;
  const Arguments graph{"graph", "--data", data.folder().path(), "--threads", "3", "--dot", "--capacity", "plan=3"};
  const std::string line = dumped(graph);
  const Result again = run({"sh", "-c", "sluice() { '" + sluice_path() + "' \"$@\"; }\nSLUICE_THREADS=1\n" + line});
  EXPECT_EQ(again.out, sluice(graph).out);
  EXPECT_NE(again.out, "");
  EXPECT_FALSE(contains(line, "--lr") || contains(line, "--isa")) << line;
}

TEST(StoredWithAModel, TheCommandRepeatsTheRunWhereItsFilesAre) {
  const SmallData data;
  const json once = trained(data.train() + Arguments{"--output", data.path("m"), "--checkpoint", data.path("c")});
  for (const char* file : {"m", "c"}) {
    const std::string command = stages::load_model(data.path(file)).metadata.at("sluice.command");
    EXPECT_TRUE(contains(command, "--classes 3")) << command;
    EXPECT_EQ(repeated(command, data.folder())["weights_sha256"], once["weights_sha256"]) << "goes on from its end";
    std::filesystem::remove(data.path("c"));
    EXPECT_EQ(repeated(command, data.folder())["weights_sha256"], once["weights_sha256"]) << "from its beginning";
  }
}

TEST(StoredWithAModel, NoPathOfTheMachineIs) {
  const SmallData data;
  data.folder().write("names", "a\nb\nc\n");
  trained(data.train() + Arguments{"--output", data.path("m"), "--checkpoint", data.path("c"), "--class-names",
                                   "@" + data.path("names"), "--trace", data.path("t")});
  for (const char* file : {"m", "c"}) {
    const std::string bytes = test::contents_of(data.path(file));
    EXPECT_EQ(bytes.find(data.folder().path()), std::string::npos);
    const stages::Metadata about = stages::load_model(data.path(file)).metadata;
    EXPECT_TRUE(contains(about.at("sluice.command"), "--train-images train-images-idx3-ubyte.gz ")) << file;
    EXPECT_TRUE(contains(about.at("sluice.command"), "--class-names @names")) << file;
    const json known = parsed_json(about.at("sluice.data"));
    EXPECT_EQ(known.size(), 4u);
    EXPECT_TRUE(known["--test-labels"].get<std::string>().starts_with("sha256 ")) << known;
  }
}

TEST(StoredWithAModel, TheNamesOfTheClassesAreThoseOfTheFlag) {
  const SmallData data;
  const auto names = [&](const char* file) {
    const stages::StoredModel model = stages::load_model(data.path(file));
    return stored_class_names(model.metadata, model.model.classes);
  };
  const std::vector<std::string> wanted{"ant", "b\"ee", "cat"};
  trained(data.train() +
          Arguments{"--output", data.path("m"), "--checkpoint", data.path("c"), "--class-names", "ant, b\"ee, cat"});
  EXPECT_EQ(names("m"), wanted);
  EXPECT_EQ(names("c"), wanted);
  trained(data.train() + Arguments{"--output", data.path("none")});
  EXPECT_EQ(names("none"), std::vector<std::string>());
  trained(data.train() + Arguments{"--output", data.path("on"), "--resume", data.path("c")});
  EXPECT_EQ(names("on"), wanted) << "of the checkpoint that is gone on from";
}

TEST(StoredWithAModel, NamesThatAreNoListOfOneForEachClassAreRefused) {
  EXPECT_EQ(stored_class_names({}, 2), std::vector<std::string>());
  EXPECT_EQ(stored_class_names({{"sluice.class_names", R"(["a","b"])"}}, 2), (std::vector<std::string>{"a", "b"}));
  for (const char* text : {"", "x", "{}", "[1, 2]", R"(["a"])", R"([["a"], ["b"]])", R"(["a","b")"})
    EXPECT_THROW(stored_class_names({{"sluice.class_names", text}}, 2), std::invalid_argument) << text;
}

}  // namespace
}  // namespace sluice::apps::testing
