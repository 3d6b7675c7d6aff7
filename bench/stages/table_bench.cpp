// A table as text to a data set in memory, through the graph, beside what it is made of: a plain loop of fast_float
// (std::from_chars where that is not installed) over the same bytes in memory, on one thread; the source alone; and the
// stages one after the other on one thread.
//
// The table is Fashion-MNIST in the layout of Kaggle, made here: a header, label,pixel1,...,pixel784, and 60,000 rows.
// `as fractions` is the same divided by 255, to seven digits. The rows of all are compared with the pixels.
//
//   table_bench [--data DIR] [--threads 2] [--rounds 11] [--keep FILE]
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#if __has_include(<fast_float/fast_float.h>)
#include <fast_float/fast_float.h>
#endif

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/collect_table.hpp>
#include <sluice/stages/cut_table.hpp>
#include <sluice/stages/data_files.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/parse.hpp>
#include <sluice/stages/parse_table.hpp>
#include "bench/support/guarded.hpp"
#include "bench/support/in_turn.hpp"

namespace sluice::bench {
namespace {

using namespace stages;

#if __has_include(<fast_float/fast_float.h>)
constexpr const char* reader = "fast_float";
using fast_float::from_chars;
#else
constexpr const char* reader = "std::from_chars";
using std::from_chars;
#endif

// A file that goes when it is no longer needed.
struct OwnFile {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("sluice_table_bench_{}.csv", ::getpid());
  ~OwnFile() { std::filesystem::remove(path); }
};

struct Items {
  std::vector<std::uint8_t> pixels, labels;
};

Items read_idx(const DataFiles& files) {
  Items all;
  const auto read = [](auto parse, const std::string& path, std::vector<std::uint8_t>& to) {
    Inflate inflate{.path = path};
    parse.paths = {path};
    const auto pull_all = [&] {
      for (Elements e; parse.pull(e);) to.insert(to.end(), e.data, e.data + e.count * e.item_bytes());
    };
    for (Chunk chunk; inflate(chunk);) parse.push(chunk), pull_all();
    parse.finish();
    pull_all();
  };
  read(ParseImages{}, files.train_images.name(), all.pixels);
  read(ParseLabels{}, files.train_labels.name(), all.labels);
  return all;
}

std::string csv(const Items& items, const std::function<std::string(std::uint8_t)>& written) {
  const std::size_t columns = items.pixels.size() / items.labels.size();
  std::vector<std::string> texts;
  for (unsigned value = 0; value < 256; ++value) texts.push_back("," + written(static_cast<std::uint8_t>(value)));
  std::string text = "label";
  for (std::size_t i = 1; i <= columns; ++i) text += fmt::format(",pixel{}", i);
  text += '\n';
  for (std::size_t row = 0; row < items.labels.size(); ++row) {
    text += std::to_string(items.labels[row]);
    for (std::size_t i = 0; i < columns; ++i) text += texts[items.pixels[row * columns + i]];
    text += '\n';
  }
  return text;
}

// One number after the other, whatever is between them.
void plain_loop(const std::string& text, std::vector<float>& values) {
  const char *at = text.data() + text.find('\n') + 1, *const end = text.data() + text.size();
  for (float* to = values.data(); at < end; ++to) at = from_chars(at, end, *to).ptr + 1;
}

//  inflate -> cut -> parse -> collect
void by_graph(const std::string& path, std::size_t threads, CollectTable& table) {
  Graph g("table", Threads(threads));
  const auto chunks = g.source("inflate", Inflate{.path = path}, capacity(2));
  const auto text = g.expand("cut", CutTable{.paths = {path}}, chunks, capacity(2 * threads));
  const auto rows = g.map("parse", ParseTable{.kept = true}, text, unlimited);
  g.sink("collect", std::ref(table), rows);
  g.run();
}

void by_hand(const std::vector<Chunk>& chunks, CollectTable& table) {
  CutTable cut{.paths = {"table"}};
  const ParseTable parse{.kept = true};
  TableText text;
  TableRows rows;
  const auto pull_all = [&] {
    while (cut.pull(text)) parse(text, rows), table(rows);
  };
  for (const Chunk& chunk : chunks) cut.push(chunk), pull_all();
  cut.finish();
  pull_all();
  table.finish();
}

void check(const CollectTable& table, const Items& items, const std::function<float(std::uint8_t)>& value) {
  const std::size_t columns = items.pixels.size() / items.labels.size();
  const TableClasses classes = table.totals.labels.classes(*table.totals.layout);
  const Column<std::uint16_t> labels = table.labels(classes);
  if (!std::equal(labels.begin(), labels.end(), items.labels.begin(), items.labels.end()))
    throw std::runtime_error("the labels are others");
  for (std::size_t row = 0; row < table.size(); ++row)
    for (std::size_t i = 0; i < columns; ++i) {
      const std::uint8_t* const at = table.rows()[row];
      const float found =
          table.type() == Pixel::uint8 ? static_cast<float>(at[i]) : reinterpret_cast<const float*>(at)[i];
      if (found != value(items.pixels[row * columns + i])) throw std::runtime_error("the rows are others");
    }
}

struct Table {
  std::string name;
  std::function<std::string(std::uint8_t)> written;
  std::function<float(std::uint8_t)> value;
};

void measure(const Table& which, const Items& items, std::size_t threads, std::size_t rounds, const std::string& keep) {
  const OwnFile file;
  const std::string path = file.path.string(), text = csv(items, which.written);
  std::ofstream(path, std::ios::binary) << text;
  if (!keep.empty()) std::ofstream(keep, std::ios::binary) << text;
  std::vector<Chunk> chunks;
  Inflate source{.path = path};
  for (Chunk chunk; source(chunk);) chunks.push_back(chunk);

  std::vector<float> values(items.pixels.size() + items.labels.size());
  CollectTable table;
  table.totals.files = path;
  const auto fresh = [&] { table.reset(); };
  by_graph(path, threads, table);
  check(table, items, which.value);

  const InTurn t({{reader, [&] { plain_loop(text, values); }},
                  {"graph", [&] { by_graph(path, threads, table); }, fresh},
                  {"source",
                   [&] {
                     Inflate inflate{.path = path};
                     for (Chunk chunk; inflate(chunk);) continue;
                   }},
                  {"cut, parse, collect", [&] { by_hand(chunks, table); }, fresh},
                  {"cut",
                   [&] {
                     CutTable cut{.paths = {path}};
                     TableText piece;
                     for (const Chunk& chunk : chunks) {
                       cut.push(chunk);
                       while (cut.pull(piece)) continue;
                     }
                   }}},
                 rounds);
  fmt::print("{}: {:.1f} MB, {} rows, {} threads in the graph\n", which.name, static_cast<double>(text.size()) / 1e6,
             items.labels.size(), threads);
  fmt::print("{:<20} {:>8} {:>8} {:>22}\n", "", "ms", "MB/s", fmt::format("/ ({} / {})", reader, threads));
  for (const char* name : {reader, "graph", "source", "cut, parse, collect", "cut"})
    fmt::print("{:<20} {:>8.1f} {:>8.0f} {:>22.3f}\n", name, t.seconds(name) * 1e3,
               static_cast<double>(text.size()) / t.seconds(name) / 1e6,
               t.ratio(name, reader) * static_cast<double>(threads));
}

int run(int argc, char** argv) {
  DataFilesWanted wanted;
  std::string keep;
  std::size_t threads = 2, rounds = 11;
  CLI::App app{"A table as text to a data set in memory, beside a loop that reads its numbers"};
  app.add_option("--data", wanted.folder, "Folder of the images and labels");
  app.add_option("--threads", threads, "Threads")->capture_default_str();
  app.add_option("--rounds", rounds, "Rounds that count")->capture_default_str();
  app.add_option("--keep", keep, "A file for the table of whole numbers, to measure others by");
  CLI11_PARSE(app, argc, argv);
  const Items items = read_idx(find_data_files(wanted));
  const auto fraction = [](std::uint8_t value) { return fmt::format("{:.7f}", value / 255.0); };
  measure({"whole numbers", [](std::uint8_t value) { return std::to_string(value); },
           [](std::uint8_t value) { return static_cast<float>(value); }},
          items, threads, rounds, keep);
  measure({"as fractions", fraction,
           [&](std::uint8_t value) {
             const std::string text = fraction(value);
             float number = 0;
             std::from_chars(text.data(), text.data() + text.size(), number);
             return number;
           }},
          items, threads, rounds, "");
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("table_bench", sluice::bench::run, argc, argv);
}
