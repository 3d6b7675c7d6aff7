// The same search of log files done five ways, in turn: by a Sluice graph, by tbb::parallel_pipeline, by a bare oneTBB
// flow graph, by threads and mutexes, and by a plain loop on one thread, which is what the work itself costs.
//
//  read -> search -> hits
//
// Of 40 files of 5 MB, made beforehand and so in the page cache, it finds the lines with a text that one line in 10,000
// has, in order: file, line, text. In two kinds of files, with one message a file or many:
//
//   gzip    a message is the name of a file; who searches it decompresses it, 64 KiB at a time
//   plain   a message is a block of 64 KiB at most, cut at the end of a line; the blocks are read in order, and the
//           number of a line is known only when those before it have been counted
//
// The functions that read, decompress, search and collect are the same for all, and so is how many messages may be
// under way: two a thread (but for the threads, which have one each). Every run is a process of its own. What it found
// is compared with what was put into the files when they were made.
//
// Printed: the time from the first thread's start to the last hit, the processor time of the whole process and its peak
// memory, each as a median over the rounds, and its ratio to the best of those on several threads, the median of the
// ratios within a round.
//
//   log_search_bench [--threads 2] [--rounds 9] [--files 40]
#include <fcntl.h>
#include <fmt/core.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "bench/support/guarded.hpp"
#include "bench/support/in_turn.hpp"
#include "bench/support/own_process.hpp"

namespace sluice::bench {
namespace {

namespace flow = tbb::flow;

constexpr std::size_t file_bytes = 5'000'000, block_bytes = 64 * 1024;
constexpr std::size_t under_way_a_thread = 2;  // messages; more is slower for all, as blocks leave the caches
constexpr std::string_view needle = "lease lost";

// ---- the files

std::string path_of(const std::string& folder, std::size_t file, bool gzip) {
  return fmt::format("{}/{:03}.log{}", folder, file, gzip ? ".gz" : "");
}

std::string hit_line(std::size_t file, std::uint64_t line, std::string_view text) {
  return fmt::format("{:03}.log:{}:{}\n", file, line, text);
}

// Writes both kinds of every file. Returns the lines to be found, as they are to be printed.
std::string make_files(const std::string& folder, std::size_t files) {
  constexpr std::array<std::string_view, 4> levels{"INFO ", "INFO ", "DEBUG", "WARN "};
  constexpr std::array<std::string_view, 6> parts{"api", "store", "queue", "billing", "auth", "mailer"};
  constexpr std::array<std::string_view, 8> events{"request served",   "lease renewed",  "lease granted",
                                                   "cache miss",       "cache hit",      "message sent",
                                                   "connection reset", "retry scheduled"};
  std::string expected;
  for (std::size_t file = 0; file < files; ++file) {
    std::mt19937_64 random(file);
    std::string text;
    std::uint64_t line = 0, time = 1'700'000'000'000 + file * 3'600'000;
    while (text.size() < file_bytes) {
      const std::uint64_t bits = random();
      time += bits % 7;
      ++line;
      const bool found = random() % 10'000 == 0;
      const std::string said =
          fmt::format("{} {} {}[{}] {} id={:012x} shard={} took={}us", time, found ? "ERROR" : levels[bits >> 8 & 3],
                      parts[(bits >> 10) % parts.size()], 1000 + (bits >> 13 & 63),
                      found ? needle : events[bits >> 19 & 7], random() >> 16, bits >> 22 & 127, (bits >> 29) % 90'000);
      text += said;
      text += '\n';
      if (found) expected += hit_line(file, line, said);
    }
    const std::string name = path_of(folder, file, false);
    std::FILE* const plain = std::fopen(name.c_str(), "wb");
    if (!plain) throw std::runtime_error(name + ": cannot be written");
    const bool all = std::fwrite(text.data(), 1, text.size(), plain) == text.size();
    if ((std::fclose(plain) != 0) | !all) throw std::runtime_error(name + ": cannot be written");
    const gzFile zipped = gzopen(path_of(folder, file, true).c_str(), "wb6");
    const bool written = zipped && gzwrite(zipped, text.data(), static_cast<unsigned>(text.size())) > 0;
    if (!zipped || (gzclose(zipped) != Z_OK) | !written) throw std::runtime_error(name + ".gz: cannot be written");
  }
  return expected;
}

class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / "log_search_XXXXXX").string()) {
    if (!mkdtemp(path_.data())) throw std::runtime_error(path_ + ": cannot be made");
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// ---- what all do alike

class File {
 public:
  explicit File(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error(path + ": cannot be opened");
  }
  ~File() { close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::size_t read(char* to, std::size_t bytes) {
    const ssize_t n = ::read(fd_, to, bytes);
    if (n < 0) throw std::runtime_error("a file cannot be read");
    return static_cast<std::size_t>(n);
  }

 private:
  int fd_;
};

struct Hit {
  std::uint64_t line;  // lines before it in what was searched
  std::string text;
};

struct Found {
  std::size_t file = 0;
  std::uint64_t lines = 0;
  std::vector<Hit> hits{};
};

// Searches whole lines, and adds to what was found in those before.
void search(const char* begin, const char* end, Found& found) {
  const auto rest = [&](const char* from) { return static_cast<std::size_t>(end - from); };
  const char* counted = begin;
  while (const void* const at = memmem(counted, rest(counted), needle.data(), needle.size())) {
    const char* const hit = static_cast<const char*>(at);
    const void* const before = memrchr(counted, '\n', static_cast<std::size_t>(hit - counted));
    const void* const behind = memchr(hit, '\n', rest(hit));
    const char* const first = before ? static_cast<const char*>(before) + 1 : counted;
    const char* const last = behind ? static_cast<const char*>(behind) : end;
    found.lines += static_cast<std::uint64_t>(std::count(counted, first, '\n'));
    found.hits.push_back({found.lines, std::string(first, last)});
    if (!behind) return;
    ++found.lines;
    counted = last + 1;
  }
  found.lines += static_cast<std::uint64_t>(std::count(counted, end, '\n'));
}

// How much of a text is whole lines; all of the last one.
std::size_t whole_lines(const char* text, std::size_t size, bool last) {
  const void* const newline = memrchr(text, '\n', size);
  if (last || size == 0) return size;
  if (!newline) throw std::runtime_error("a line is longer than a block");
  return static_cast<std::size_t>(static_cast<const char*>(newline) + 1 - text);
}

// Takes what was found in order, and says it as it is to be printed.
class Hits {
 public:
  void take(const Found& found) {
    if (found.file != file_) file_ = found.file, lines_ = 0;
    for (const Hit& hit : found.hits) text_ += hit_line(file_, lines_ + hit.line + 1, hit.text);
    lines_ += found.lines;
  }
  const std::string& text() const { return text_; }

 private:
  std::size_t file_ = 0;
  std::uint64_t lines_ = 0;
  std::string text_;
};

struct Task {
  std::string folder;
  std::size_t files, threads;
};

// A job is what is to be done, without saying on which thread: next() and take() are called in order, one at a time.
class GzipFiles : public Hits {
 public:
  using Item = std::size_t;  // which file

  explicit GzipFiles(const Task& task) : task_(task) {}
  bool next(Item& file) {
    file = next_++;
    return file < task_.files;
  }
  void work(const Item& file, Found& found) const {
    found.file = file;
    found.lines = 0;
    found.hits.clear();
    File in(path_of(task_.folder, file, true));
    const auto packed = std::make_unique_for_overwrite<char[]>(block_bytes);
    const auto text = std::make_unique_for_overwrite<char[]>(block_bytes);
    std::size_t kept = 0;
    z_stream zlib{};
    if (inflateInit2(&zlib, 15 + 16) != Z_OK) throw std::runtime_error("no memory for zlib");
    for (int state = Z_OK; state != Z_STREAM_END;) {
      zlib.next_out = reinterpret_cast<Bytef*>(text.get() + kept);
      zlib.avail_out = static_cast<unsigned>(block_bytes - kept);
      while (zlib.avail_out > 0 && state == Z_OK) {
        if (zlib.avail_in == 0) {
          zlib.next_in = reinterpret_cast<Bytef*>(packed.get());
          zlib.avail_in = static_cast<unsigned>(in.read(packed.get(), block_bytes));
        }
        state = inflate(&zlib, Z_NO_FLUSH);
      }
      if (state != Z_OK && state != Z_STREAM_END) throw std::runtime_error("a file is no gzip");
      const std::size_t size = block_bytes - zlib.avail_out;
      const std::size_t lines = whole_lines(text.get(), size, state == Z_STREAM_END);
      search(text.get(), text.get() + lines, found);
      kept = size - lines;
      memmove(text.get(), text.get() + lines, kept);
    }
    inflateEnd(&zlib);
  }

 private:
  const Task& task_;
  std::size_t next_ = 0;
};

class PlainBlocks : public Hits {
 public:
  struct Item {
    std::size_t file = 0, size = 0;
    std::unique_ptr<char[]> text{};
  };

  explicit PlainBlocks(const Task& task) : task_(task) {}
  bool next(Item& block) {
    if (!block.text) block.text = std::make_unique_for_overwrite<char[]>(block_bytes);
    for (;;) {
      if (!file_) {
        if (next_ == task_.files) return false;
        file_ = std::make_unique<File>(path_of(task_.folder, next_++, false));
      }
      const std::size_t kept = rest_.size();
      memcpy(block.text.get(), rest_.data(), kept);
      const std::size_t n = file_->read(block.text.get() + kept, block_bytes - kept);
      block.file = next_ - 1;
      block.size = whole_lines(block.text.get(), kept + n, n == 0);
      rest_.assign(block.text.get() + block.size, kept + n - block.size);
      if (n == 0) file_.reset();
      if (block.size > 0) return true;
    }
  }
  void work(const Item& block, Found& found) const {
    found.file = block.file;
    found.lines = 0;
    found.hits.clear();
    search(block.text.get(), block.text.get() + block.size, found);
  }

 private:
  const Task& task_;
  std::size_t next_ = 0;
  std::unique_ptr<File> file_;
  std::string rest_;  // of the block before
};

// ---- the five ways

template <class Job>
void by_sluice(Job& job, std::size_t threads, std::size_t under_way) {
  using Item = typename Job::Item;
  Graph g("log search", Threads(threads));
  auto items = g.source<Item>(
      "read", [&](Item& item) { return job.next(item); }, capacity(under_way));
  auto found = g.map<Found>(
      "search", [&](const Item& item, Found& f) { job.work(item, f); }, items, unlimited);
  g.sink(
      "hits", [&](const Found& f) { job.take(f); }, found);
  g.run();
}

// A message and what is found in it, for those who must keep their memory themselves.
template <class Job>
struct Place {
  std::size_t number = 0;
  typename Job::Item item{};
  Found found{};
};

template <class Job>
void by_pipeline(Job& job, std::size_t threads, std::size_t under_way) {
  using P = Place<Job>*;
  std::vector<Place<Job>> ring(under_way);  // as they leave in order, whoever had the place before has left
  std::size_t number = 0;
  const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, threads);
  tbb::task_arena arena(static_cast<int>(threads));
  arena.execute([&] {
    tbb::parallel_pipeline(
        under_way,
        tbb::make_filter<void, P>(tbb::filter_mode::serial_in_order, [&](tbb::flow_control& control) -> P {
          const P place = &ring[number++ % ring.size()];
          if (job.next(place->item)) return place;
          control.stop();
          return nullptr;
        }) & tbb::make_filter<P, P>(tbb::filter_mode::parallel, [&](P place) {
          job.work(place->item, place->found);
          return place;
        }) & tbb::make_filter<P, void>(tbb::filter_mode::serial_in_order, [&](P place) { job.take(place->found); }));
  });
}

template <class Job>
void by_flow(Job& job, std::size_t threads, std::size_t under_way) {
  using P = Place<Job>*;
  std::vector<Place<Job>> ring(under_way + 1);  // the source makes one more, which waits at the limiter
  std::size_t number = 0;
  const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, threads);
  tbb::task_arena arena(static_cast<int>(threads));
  arena.execute([&] {
    flow::graph graph;
    flow::input_node<P> read(graph, [&](tbb::flow_control& control) -> P {
      const P place = &ring[number % ring.size()];
      place->number = number++;
      if (job.next(place->item)) return place;
      control.stop();
      return nullptr;
    });
    flow::limiter_node<P> limiter(graph, under_way);
    flow::function_node<P, P> searched(graph, flow::unlimited, [&](P place) {
      job.work(place->item, place->found);
      return place;
    });
    flow::sequencer_node<P> ordered(graph, [](P place) { return place->number; });
    flow::function_node<P> hits(graph, flow::serial, [&](P place) {
      job.take(place->found);
      return flow::continue_msg();
    });
    flow::make_edge(read, limiter);
    flow::make_edge(limiter, searched);
    flow::make_edge(searched, ordered);
    flow::make_edge(ordered, hits);
    flow::make_edge(hits, limiter.decrementer());
    read.activate();
    graph.wait_for_all();
  });
}

// What is found too early waits for its turn, however much that is.
template <class Job>
void by_threads(Job& job, std::size_t threads, std::size_t) {
  std::mutex reading, taking;
  std::size_t number = 0, taken = 0;
  std::map<std::size_t, Found> early;
  std::vector<std::jthread> all;
  for (std::size_t t = 0; t < threads; ++t)
    all.emplace_back([&] {
      Place<Job> mine;
      for (;;) {
        {
          const std::lock_guard lock(reading);
          if (!job.next(mine.item)) return;
          mine.number = number++;
        }
        job.work(mine.item, mine.found);
        const std::lock_guard lock(taking);
        if (mine.number != taken) {
          early.emplace(mine.number, std::move(mine.found));
          continue;
        }
        job.take(mine.found);
        ++taken;
        while (!early.empty() && early.begin()->first == taken) {
          job.take(early.begin()->second);
          early.erase(early.begin());
          ++taken;
        }
      }
    });
}

template <class Job>
void by_loop(Job& job, std::size_t, std::size_t) {
  Place<Job> only;
  while (job.next(only.item)) {
    job.work(only.item, only.found);
    job.take(only.found);
  }
}

// ---- a run

const std::vector<std::string> ways{"sluice", "parallel_pipeline", "flow graph", "threads", "loop"};
constexpr std::size_t contenders = 4;  // those on several threads: all but the loop

template <class Job>
int child(const std::string& way, const Task& task) {
  using Run = void (*)(Job&, std::size_t, std::size_t);
  constexpr std::array<Run, 5> runs{by_sluice<Job>, by_pipeline<Job>, by_flow<Job>, by_threads<Job>, by_loop<Job>};
  const auto which = static_cast<std::size_t>(std::find(ways.begin(), ways.end(), way) - ways.begin());
  Job job(task);
  const double wall = timed([&] { runs.at(which)(job, task.threads, under_way_a_thread * task.threads); });
  fmt::print("{} {}\n{}", wall, peak_mib(), job.text());
  return 0;
}

// The columns of the table, each by round.
struct Series {
  std::array<std::vector<double>, 3> columns;  // wall in ms, CPU in ms, peak in MiB
};

void measure(const std::string& kind, const Task& task, std::size_t rounds, const std::string& expected) {
  std::vector<Series> series(ways.size());
  for (std::size_t round = 0; round <= rounds; ++round)  // the first warms up
    for (std::size_t k = 0; k < ways.size(); ++k) {
      const std::size_t i = round % 2 ? k : ways.size() - 1 - k;
      const OwnProcess p = in_own_process(
          {"--child", kind, ways[i], task.folder, std::to_string(task.files), std::to_string(task.threads)});
      const std::size_t head = p.output.find('\n');
      if (head == std::string::npos || p.output.compare(head + 1, std::string::npos, expected) != 0)
        throw std::runtime_error(fmt::format("{}, {}: what was found is not what is in the files", ways[i], kind));
      if (round == 0) continue;
      char* rest = nullptr;
      series[i].columns[0].push_back(std::strtod(p.output.c_str(), &rest) * 1e3);
      series[i].columns[1].push_back(p.cpu * 1e3);
      series[i].columns[2].push_back(std::strtod(rest, nullptr));
    }

  std::array<std::size_t, 3> best{};
  for (std::size_t column = 0; column < best.size(); ++column)
    for (std::size_t i = 1; i < contenders; ++i)
      if (median(series[i].columns[column]) < median(series[best[column]].columns[column])) best[column] = i;
  fmt::print("{:<18} {:>9} {:>7} {:>9} {:>7} {:>9} {:>7}\n", kind, "wall ms", "/ best", "CPU ms", "/ best", "peak MiB",
             "/ best");
  for (std::size_t i = 0; i < ways.size(); ++i) {
    fmt::print("{:<18}", ways[i]);
    for (std::size_t column = 0; column < best.size(); ++column) {
      const auto& mine = series[i].columns[column];
      std::vector<double> ratios;
      std::transform(mine.begin(), mine.end(), series[best[column]].columns[column].begin(), std::back_inserter(ratios),
                     [](double a, double b) { return a / b; });
      fmt::print(" {:>9.1f} {:>7.3f}", median(mine), median(ratios));
    }
    fmt::print("\n");
  }
}

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 6 && arguments[0] == "--child") {
    const Task task{arguments[3], std::stoul(arguments[4]), std::stoul(arguments[5])};
    return arguments[1] == "gzip" ? child<GzipFiles>(arguments[2], task) : child<PlainBlocks>(arguments[2], task);
  }
  if (arguments.size() == 3 && arguments[0] == "--make") {
    fmt::print("{}", make_files(arguments[1], std::stoul(arguments[2])));
    return 0;
  }

  std::size_t threads = 2, rounds = 9, files = 40;
  CLI::App app{"The same search of log files done five ways"};
  app.add_option("--threads", threads, "Threads")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--rounds", rounds, "Rounds that count; of plain files three times as many")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--files", files, "Files of 5 MB")->capture_default_str()->check(CLI::Range(1, 999));
  CLI11_PARSE(app, argc, argv);

  const Folder folder;
  const std::string expected = in_own_process({"--make", folder.path(), std::to_string(files)}).output;
  const Task task{folder.path(), files, threads};
  fmt::print("{} files, {:.0f} MB of text, {} hits, {} threads\n", files, static_cast<double>(files * file_bytes) / 1e6,
             std::count(expected.begin(), expected.end(), '\n'), threads);
  measure("gzip", task, rounds, expected);
  measure("plain", task, 3 * rounds, expected);
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("log_search_bench", sluice::bench::run, argc, argv);
}
