// What a run says on stderr while it goes on: a line that is redrawn, a line for each epoch, or an event as JSON.
//
//   a terminal      one line, redrawn: epoch, bar, loss, accuracy, samples/s, time left; cut to the terminal's width
//   anything else   epoch=3/10 train_loss=0.5130 train_accuracy=0.8257 ... a line for each epoch
//   jsonl           {"schema":1,"event":"epoch",...} a line for each of start, epoch, checkpoint, status, warning,
//   message,
//                   profile, error, end
// Colour only on a terminal, and not with NO_COLOR; ASCII where the locale is not UTF-8.
// Order and thread-safety: one thread calls, but status(); the line is redrawn by a thread of its own, ten times a
// second, which calls the function given to epoch_begins(). A stderr that cannot be written changes nothing.
//
//   Progress progress(progress_style(options.progress, options.quiet, options.log_format), 10, 60'000);
//   progress.epoch_begins(1, [&] { return rows_so_far; });
//   progress.epoch_ends({...});
//   progress.ends();
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace sluice::apps {

// Writes to the standard error; whether anybody can read it changes nothing.
void say(const std::string& text);

// One object of the log, a line.
std::string log_event(const std::string& name, const nlohmann::ordered_json& facts);

struct ProgressStyle {
  enum class Form { none, line, lines, jsonl };
  Form form = Form::lines;
  bool utf8 = false, colour = false;
};

// From the flags, the environment and what stderr is. wanted: --progress or --no-progress, if given.
ProgressStyle progress_style(std::optional<bool> wanted, bool quiet, const std::string& log_format);

// A line beside the progress: "sluice: text", or as an event.
void say_message(const ProgressStyle& style, const std::string& text);
void say_warning(const ProgressStyle& style, const std::string& text);

struct EpochLine {
  std::size_t number = 0;
  double train_loss = 0, train_accuracy = 0, test_loss = 0, test_accuracy = 0;
  double seconds = 0, samples_per_second = 0;
};

// The line that is redrawn, in at most `width` columns. part: of the whole run, 0 to 1; last: the last complete epoch.
std::string progress_line(const ProgressStyle& style, std::size_t width, std::size_t epoch, std::size_t epochs,
                          double part, const std::optional<EpochLine>& last, double samples_per_second,
                          double seconds_left);

class Progress {
 public:
  // done: epochs that an earlier run did, a part of one among them.
  Progress(const ProgressStyle& style, std::size_t epochs, std::size_t rows, double done = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void starts(const nlohmann::ordered_json& facts);
  void epoch_begins(std::size_t number, std::function<std::size_t()> rows_done);
  void epoch_ends(const EpochLine& epoch);
  // Where the run is, for whoever asks, from any thread; over the redrawn line.
  void status();
  void warning(const std::string& text);
  void saved(const nlohmann::ordered_json& facts);  // a checkpoint
  void ends(const nlohmann::ordered_json& facts);   // the line stays as it is last

 private:
  using Clock = std::chrono::steady_clock;
  void redraw();
  void erase();
  void event(const char* name, const nlohmann::ordered_json& facts);

  const ProgressStyle style_;
  const std::size_t epochs_, rows_;
  const double done_before_;  // epochs
  std::mutex mutex_;          // of everything below
  std::condition_variable changed_;
  std::size_t epoch_ = 0;
  std::function<std::size_t()> rows_done_;
  std::optional<EpochLine> last_;
  Clock::time_point began_ = Clock::now();
  bool drawn_ = false, over_ = false;
  std::thread thread_;
};

}  // namespace sluice::apps
