#include "apps/report/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
constexpr std::chrono::milliseconds between_redraws(100);

std::string short_rate(double rate) {
  return rate >= 1e6   ? fmt::format("{:.2f} M/s", rate / 1e6)
         : rate >= 1e3 ? fmt::format("{:.0f} k/s", rate / 1e3)
                       : fmt::format("{:.0f} /s", rate);
}

std::string clock_time(double seconds) {
  if (!std::isfinite(seconds) || seconds > 359'999) return "-";
  const auto s = static_cast<long>(std::ceil(seconds));
  return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
                   : fmt::format("{}:{:02}", s / 60, s % 60);
}

}  // namespace

std::string progress_line(const LogStyle& style, std::size_t width, std::size_t epoch, std::size_t epochs, double part,
                          const std::optional<Epoch>& last, double samples_per_second, double seconds_left) {
  // What matters least comes last and is cut first; the bar takes what is left, between 10 and 30 columns.
  const std::string head = fmt::format("epoch {}/{} ", epoch, epochs);
  std::string tail;
  const auto add = [&, least = head.size() + 12](const std::string& text) {
    if (least + tail.size() + text.size() <= width) tail += text;
  };
  if (last) {
    add(fmt::format("  loss {:.4f}", last->train.loss));
    add(fmt::format("  accuracy {:.4f}", last->train.accuracy));
    if (last->validation) add(fmt::format("  validation {:.4f}", last->validation->accuracy));
    add(fmt::format("  test {:.4f}", last->test.accuracy));
  }
  if (samples_per_second > 0) add("  " + short_rate(samples_per_second));
  if (seconds_left > 0) add("  ETA " + clock_time(seconds_left));
  if (width < head.size() + 12) return head.substr(0, width);
  const std::size_t bar = std::clamp<std::size_t>(width - head.size() - tail.size() - 2, 10, 30);
  return head + progress_bar(style, part, bar) + tail;
}

Progress::Progress(const LogStyle& style, const RunState& state, std::function<Clock::time_point()> now)
    : style_(style),
      epochs_(state.plan.epochs),
      rows_(state.plan.train_images),
      done_before_(static_cast<double>(state.training.epochs.size()) +
                   static_cast<double>(state.training.rows()) / static_cast<double>(state.plan.train_images)),
      now_(std::move(now)) {
  event("start", {{"train", state.plan.train_images},
                  {"validation", state.plan.validation_images},
                  {"test", state.plan.test_images},
                  {"epochs", state.plan.epochs},
                  {"epochs_done", state.training.epochs.size()},
                  {"steps_done", state.steps()},
                  {"batch_size", state.plan.batch_size},
                  {"threads", state.plan.threads},
                  {"load_seconds", state.seconds.load}});
  if (style_.form != LogStyle::Form::line) return;
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, between_redraws, [this] { return over_; })) redraw();
  });
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    if (!over_ && drawn_) say("\n");
    over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Progress::epoch_begins(std::size_t number, std::function<std::size_t()> rows_done) {
  const std::lock_guard lock(mutex_);
  if (epoch_ == 0) began_ = now_();
  epoch_ = number;
  rows_done_ = std::move(rows_done);
}

void Progress::epoch_ends(const Epoch& e) {
  const std::lock_guard lock(mutex_);
  rows_done_ = nullptr;
  last_ = e;
  switch (style_.form) {
    case LogStyle::Form::none:
      break;
    case LogStyle::Form::line:
      if (e.number == epochs_) redraw();
      break;
    case LogStyle::Form::lines:
      say(
          fmt::format("epoch={}/{} train_loss={:.4f} train_accuracy={:.4f} {}test_loss={:.4f} test_accuracy={:.4f} "
                      "seconds={:.4f} samples_per_second={:.0f}\n",
                      e.number, epochs_, e.train.loss, e.train.accuracy,
                      e.validation ? fmt::format("validation_loss={:.4f} validation_accuracy={:.4f} ",
                                                 e.validation->loss, e.validation->accuracy)
                                   : "",
                      e.test.loss, e.test.accuracy, e.seconds, e.rate()));
      break;
    case LogStyle::Form::jsonl:
      ordered_json facts = {{"epoch", e.number}, {"epochs", epochs_}};
      facts.update(to_json(e));
      facts["samples_per_second"] = e.rate();
      event("epoch", facts);
  }
}

void Progress::status() {
  const std::lock_guard lock(mutex_);
  const std::size_t done = rows_done_ ? rows_done_() : epoch_ == 0 ? 0 : rows_;
  if (style_.form == LogStyle::Form::jsonl)
    return event("status", {{"epoch", epoch_}, {"epochs", epochs_}, {"rows_done", done}, {"rows", rows_}});
  erase();
  say(fmt::format("sluice: epoch {} of {}, {} of {} rows{}\n", epoch_, epochs_, done, rows_,
                  last_ ? fmt::format("; epoch {}: train loss {:.4f}, test accuracy {:.4f}", last_->number,
                                      last_->train.loss, last_->test.accuracy)
                        : ""));
}

void Progress::warning(const std::string& text) {
  const std::lock_guard lock(mutex_);
  erase();
  say_warning(style_, text);
}

void Progress::saved(const std::string& checkpoint, const RunState& state) {
  event("checkpoint",
        {{"path", checkpoint}, {"epochs_done", state.training.epochs.size()}, {"steps_done", state.steps()}});
}

void Progress::ends(const RunState& state, bool interrupted) {
  if (style_.form == LogStyle::Form::line && state.out_of_patience()) {
    const std::lock_guard lock(mutex_);
    if (!over_) redraw();
  }
  end({{"epochs", state.training.epochs.size()},
       {"interrupted", interrupted},
       {"train_seconds", state.seconds.train},
       {"test_seconds", state.seconds.test}});
}

void Progress::fails(const RunState& state, const std::string& error) {
  end({{"epochs", state.training.epochs.size()}, {"error", error}});
}

void Progress::end(const ordered_json& facts) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(over_, true)) return;
  if (std::exchange(drawn_, false)) say("\n");
  event("end", facts);
}

// With the lock held.
void Progress::redraw() {
  if (epoch_ == 0) return;
  const double before = static_cast<double>(epoch_ - 1) + (rows_done_ ? 0.0 : 1.0);
  const double part =
      rows_done_ ? static_cast<double>(rows_done_()) / static_cast<double>(std::max<std::size_t>(1, rows_)) : 0;
  const double done = before + std::min(part, 1.0);
  const double seconds = std::chrono::duration<double>(now_() - began_).count();
  const double now = done - done_before_;  // in this run
  const double rate = now * static_cast<double>(rows_) / std::max(seconds, 1e-9);
  const double left = now > 0 ? seconds / now * (static_cast<double>(epochs_) - done) : 0;
  say("\r\x1b[K" + progress_line(style_, columns_of_terminal(STDERR_FILENO), epoch_, epochs_,
                                 done / static_cast<double>(epochs_), last_, rate, left));
  drawn_ = true;
}

void Progress::erase() {
  if (std::exchange(drawn_, false)) say("\r\x1b[K");
}

void Progress::event(const char* name, const ordered_json& facts) {
  if (style_.form != LogStyle::Form::jsonl) return;
  say(log_event(name, facts));
}

}  // namespace sluice::apps
