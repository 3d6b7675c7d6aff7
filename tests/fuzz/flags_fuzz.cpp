// The command line: a word on each line, or a variable: SLUICE_NAME=value. Whatever the words: a usage error in one
// line, a text, or a command whose options are all within their ranges.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "apps/flags/command_line.hpp"
#include "apps/flags/overrides.hpp"
#include "apps/job/options.hpp"
#include "apps/job/usage_error.hpp"
#include "tests/fuzz/support.hpp"

namespace sluice::fuzz {
namespace {

using apps::CommandLine;
using apps::Options;
using apps::UsageError;

void check_error(const UsageError& error) {
  const std::string text = error.what();
  expect(!text.empty() && text.find('\n') == std::string::npos, "an error is one line", text);
}

bool within(std::uint64_t n, std::uint64_t least, std::uint64_t most) {
  return n >= least && n <= most;
}

void check(const Options& o) {
  expect(within(o.epochs, 1, 1'000'000), "--epochs");
  expect(within(o.batch_size, 1, 1 << 20), "--batch-size");
  const auto rate = static_cast<float>(o.lr);
  expect(std::isfinite(rate) && rate > 0, "--lr");
  expect(o.classes == 0 || within(o.classes, 2, 256), "--classes");
  expect(within(o.effective_threads(), 1, 1024), "--threads");
  stages::DataShape shape;
  shape.rows = shape.columns = 28, shape.classes = 10;
  expect(within(o.effective_shards(shape), 1, 4096), "--shards");
  expect(within(o.trace_steps, 1, 10'000'000), "--trace-steps");
  expect(o.decoder == "auto" || o.decoder == "zlib" || o.decoder == "libdeflate", "--decoder");
  expect(o.log_format == "text" || o.log_format == "jsonl", "--log-format");
  const Options::Every every = o.effective_every();
  expect((every.steps > 0) != (every.epochs > 0), "--checkpoint-every");
  for (const apps::SpeltFlag& flag : o.spelt)
    expect(flag.name != "--checkpoint-every" || !o.checkpoint.empty(), "--checkpoint-every needs --checkpoint");
  expect(!(o.dot && o.svg), "--dot or --svg");
}

void check(const apps::SynthOptions& o) {
  expect(!o.folder.empty(), "DIR");
  expect(within(o.train, 1, UINT32_MAX) && within(o.test, 1, UINT32_MAX), "--train, --test");
  expect(within(o.images.rows, 1, 8192) && within(o.images.columns, 1, 8192), "--rows, --columns");
  expect(within(o.images.classes, 2, 256), "--classes");
  expect(o.threads <= 1024, "--threads");
}

//  numbers -> work -> total
void override_a_graph(const Options& options) {
  Graph graph("small");
  auto numbers = graph.source("numbers.a", [] { return std::optional<int>(); });
  auto work = graph.map(
      "work", [](const int& n) { return n; }, numbers, unlimited);
  graph.sink(
      "total", [](const int&) {}, work);
  try {
    override_stages(options, {&graph});
  } catch (const UsageError& error) {
    check_error(error);
  }
}

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  std::vector<std::string> words;
  std::map<std::string, std::string> variables;
  std::string text(data, data + size);
  std::erase(text, '\0');  // no word has one
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (const auto equals = word.find('='); word.starts_with("SLUICE_") && equals != std::string::npos)
      variables[word.substr(0, equals)] = word.substr(equals + 1);
    else
      words.push_back(word);
    begin = end + 1;
  }
  std::vector<const char*> argv{"sluice"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  const auto argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);

  CommandLine line;
  try {
    line = sluice::apps::parse_command_line(
        argc, argv.data(),
        {.version = [] { return std::string("sluice 0\n"); },
         .environment = [&](const std::string& name) { return variables.contains(name) ? variables.at(name) : ""; }});
  } catch (const UsageError& error) {
    check_error(error);
    return 0;
  }
  switch (line.command) {
    case CommandLine::Command::none:
      expect(!line.text.empty(), "what is no command is a text");
      expect(!line.wrong || std::all_of(words.begin(), words.end(), [](const auto& word) { return word == "--"; }),
             "only a command line without words is wrong without an error");
      break;
    case CommandLine::Command::train:
    case CommandLine::Command::eval:
    case CommandLine::Command::predict:
    case CommandLine::Command::graph:
    case CommandLine::Command::sweep:
      check(line.options);
      if (!line.options.concurrency.empty() || !line.options.capacity.empty()) override_a_graph(line.options);
      break;
    case CommandLine::Command::fetch:
      expect(within(line.fetch.timeout, 1, 86'400), "--timeout");
      for (const std::string& mirror : line.fetch.mirrors) expect(mirror.size() > 8, "--mirror", mirror);
      for (const std::string& digest : line.fetch.digests) expect(digest.size() > 65, "--sha256", digest);
      break;
    case CommandLine::Command::synth:
      check(line.synth);
      break;
    case CommandLine::Command::index:
      expect(!line.index.files.empty(), "there is something to index");
      break;
    case CommandLine::Command::inspect:
      expect(!line.inspect.files.empty(), "there is something to inspect");
      break;
  }
  return 0;
}
