// What a training run says on stderr while it goes on: a line that is redrawn, a line for each epoch, or an event as
// JSON, as the style of the log has it (apps/terminal/log.hpp).
//
//   line    redrawn: epoch, bar, loss, accuracy, samples/s, time left; cut to the terminal's width
//   lines   epoch=3/10 train_loss=0.5130 train_accuracy=0.8257 ...
//   jsonl   {"schema":1,"event":"epoch",...}, and start, checkpoint, status, end
//
// ASCII where the locale is not UTF-8.
// Order and thread-safety: one thread calls, but status(); the line is redrawn by a thread of its own, ten times a
// second, which calls the function given to epoch_begins(). Errors: none.
//
//   Progress progress(style, state);
//   progress.epoch_begins(1, [&] { return rows_so_far; });
//   progress.epoch_ends(state.training.epochs.back());
//   progress.ends(state, false);
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

#include "apps/job/metrics.hpp"
#include "apps/job/state.hpp"
#include "apps/terminal/log.hpp"

namespace sluice::apps {

// The line that is redrawn, in at most `width` columns. part: of the whole run, 0 to 1; last: the last complete epoch.
std::string progress_line(const LogStyle& style, std::size_t width, std::size_t epoch, std::size_t epochs, double part,
                          const std::optional<Epoch>& last, double samples_per_second, double seconds_left);

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  // Says how the run starts: from the state that it is given then, which an earlier run may have come to. now: what the
  // time left is told by.
  Progress(const LogStyle& style, const RunState& state, std::function<Clock::time_point()> now = Clock::now);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void epoch_begins(std::size_t number, std::function<std::size_t()> rows_done);
  void epoch_ends(const Epoch& epoch);
  // Where the run is, for whoever asks, from any thread; over the redrawn line.
  void status();
  void warning(const std::string& text);
  void saved(const std::string& checkpoint, const RunState& state);
  // Once: nothing is said behind it. The line stays as it is last.
  void ends(const RunState& state, bool interrupted);
  void fails(const RunState& state, const std::string& error);

 private:
  void redraw();
  void erase();
  void event(const char* name, const nlohmann::ordered_json& facts);
  void end(const nlohmann::ordered_json& facts);

  const LogStyle style_;
  const std::size_t epochs_, rows_;
  const double done_before_;  // epochs
  const std::function<Clock::time_point()> now_;
  std::mutex mutex_;  // of everything below
  std::condition_variable changed_;
  std::size_t epoch_ = 0;
  std::function<std::size_t()> rows_done_;
  std::optional<Epoch> last_;
  Clock::time_point began_{};  // the first epoch of this run
  bool drawn_ = false, over_ = false;
  std::thread thread_;
};

}  // namespace sluice::apps
