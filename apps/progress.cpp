#include "apps/progress.hpp"

#include <fmt/core.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
constexpr std::chrono::milliseconds between_redraws(100);

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

std::size_t width_of_stderr() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const int columns = std::atoi(std::string(environment("COLUMNS")).c_str());
  return columns > 0 ? static_cast<std::size_t>(columns) : 80;
}

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

void say(const std::string& text) {
  std::fputs(text.c_str(), stderr);
}

std::string log_event(const std::string& name, const ordered_json& facts) {
  ordered_json all = {{"schema", 1}, {"event", name}};
  all.update(facts);
  return all.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ProgressStyle progress_style(std::optional<bool> wanted, bool quiet, const std::string& log_format) {
  using Form = ProgressStyle::Form;
  ProgressStyle style;
  const bool terminal = ::isatty(STDERR_FILENO) && environment("TERM") != "dumb";
  if (quiet)
    style.form = Form::none;
  else if (wanted == false)
    style.form = Form::none;
  else if (log_format == "jsonl")
    style.form = Form::jsonl;
  else
    style.form = terminal || wanted == true ? Form::line : Form::lines;
  style.colour = terminal && environment("NO_COLOR").empty();
  std::setlocale(LC_CTYPE, "");
  style.utf8 = std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
  return style;
}

void say_message(const ProgressStyle& style, const std::string& text) {
  say(style.form == ProgressStyle::Form::jsonl ? log_event("message", {{"message", text}})
                                               : fmt::format("sluice: {}\n", text));
}

void say_warning(const ProgressStyle& style, const std::string& text) {
  say(style.form == ProgressStyle::Form::jsonl ? log_event("warning", {{"message", text}})
                                               : fmt::format("sluice: warning: {}\n", text));
}

std::string progress_line(const ProgressStyle& style, std::size_t width, std::size_t epoch, std::size_t epochs,
                          double part, const std::optional<EpochLine>& last, double samples_per_second,
                          double seconds_left) {
  // What matters least comes last and is cut first; the bar takes what is left, between 10 and 30 columns.
  const std::string head = fmt::format("epoch {}/{} ", epoch, epochs);
  std::string tail;
  const auto add = [&, least = head.size() + 12](const std::string& text) {
    if (least + tail.size() + text.size() <= width) tail += text;
  };
  if (last) {
    add(fmt::format("  loss {:.4f}", last->train_loss));
    add(fmt::format("  accuracy {:.4f}", last->train_accuracy));
    add(fmt::format("  test {:.4f}", last->test_accuracy));
  }
  if (samples_per_second > 0) add("  " + short_rate(samples_per_second));
  if (seconds_left > 0) add("  ETA " + clock_time(seconds_left));
  if (width < head.size() + 12) return head.substr(0, width);
  const std::size_t bar = std::clamp<std::size_t>(width - head.size() - tail.size() - 2, 10, 30);
  const auto done = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(bar));
  std::string full, empty;
  for (std::size_t i = 0; i < bar; ++i)
    (i < done ? full : empty) += style.utf8 ? (i < done ? "━" : "─") : (i < done ? "#" : "-");
  if (style.colour) full = "\x1b[32m" + full + "\x1b[0m";
  return head + (style.utf8 ? "" : "[") + full + empty + (style.utf8 ? "" : "]") + tail;
}

Progress::Progress(const ProgressStyle& style, std::size_t epochs, std::size_t rows, double done)
    : style_(style), epochs_(epochs), rows_(rows), done_before_(done) {
  if (style_.form != ProgressStyle::Form::line) return;
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

void Progress::starts(const ordered_json& facts) {
  event("start", facts);
}

void Progress::epoch_begins(std::size_t number, std::function<std::size_t()> rows_done) {
  const std::lock_guard lock(mutex_);
  if (epoch_ == 0) began_ = Clock::now();
  epoch_ = number;
  rows_done_ = std::move(rows_done);
}

void Progress::epoch_ends(const EpochLine& e) {
  const std::lock_guard lock(mutex_);
  rows_done_ = nullptr;
  last_ = e;
  switch (style_.form) {
    case ProgressStyle::Form::none:
      break;
    case ProgressStyle::Form::line:
      if (e.number == epochs_) redraw();
      break;
    case ProgressStyle::Form::lines:
      say(
          fmt::format("epoch={}/{} train_loss={:.4f} train_accuracy={:.4f} test_loss={:.4f} test_accuracy={:.4f} "
                      "seconds={:.4f} samples_per_second={:.0f}\n",
                      e.number, epochs_, e.train_loss, e.train_accuracy, e.test_loss, e.test_accuracy, e.seconds,
                      e.samples_per_second));
      break;
    case ProgressStyle::Form::jsonl:
      event("epoch", {{"epoch", e.number},
                      {"epochs", epochs_},
                      {"train_loss", e.train_loss},
                      {"train_accuracy", e.train_accuracy},
                      {"test_loss", e.test_loss},
                      {"test_accuracy", e.test_accuracy},
                      {"seconds", e.seconds},
                      {"samples_per_second", e.samples_per_second}});
  }
}

void Progress::status() {
  const std::lock_guard lock(mutex_);
  const std::size_t done = rows_done_ ? rows_done_() : epoch_ == 0 ? 0 : rows_;
  if (style_.form == ProgressStyle::Form::jsonl)
    return event("status", {{"epoch", epoch_}, {"epochs", epochs_}, {"rows_done", done}, {"rows", rows_}});
  erase();
  say(fmt::format("sluice: epoch {} of {}, {} of {} rows{}\n", epoch_, epochs_, done, rows_,
                  last_ ? fmt::format("; epoch {}: train loss {:.4f}, test accuracy {:.4f}", last_->number,
                                      last_->train_loss, last_->test_accuracy)
                        : ""));
}

void Progress::warning(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (style_.form == ProgressStyle::Form::none) return;
  erase();
  say_warning(style_, text);
}

void Progress::saved(const ordered_json& facts) {
  event("checkpoint", facts);
}

void Progress::ends(const ordered_json& facts) {
  const std::lock_guard lock(mutex_);
  if (drawn_) say("\n");
  drawn_ = false;
  over_ = true;
  event("end", facts);
}

// With the lock held.
void Progress::redraw() {
  if (epoch_ == 0) return;
  const double before = static_cast<double>(epoch_ - 1) + (rows_done_ ? 0.0 : 1.0);
  const double part =
      rows_done_ ? static_cast<double>(rows_done_()) / static_cast<double>(std::max<std::size_t>(1, rows_)) : 0;
  const double done = before + std::min(part, 1.0);
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  const double now = done - done_before_;  // in this run
  const double rate = now * static_cast<double>(rows_) / std::max(seconds, 1e-9);
  const double left = now > 0 ? seconds / now * (static_cast<double>(epochs_) - done) : 0;
  say("\r\x1b[K" + progress_line(style_, width_of_stderr(), epoch_, epochs_, done / static_cast<double>(epochs_), last_,
                                 rate, left));
  drawn_ = true;
}

void Progress::erase() {
  if (std::exchange(drawn_, false)) say("\r\x1b[K");
}

void Progress::event(const char* name, const ordered_json& facts) {
  if (style_.form != ProgressStyle::Form::jsonl) return;
  say(log_event(name, facts));
}

}  // namespace sluice::apps
