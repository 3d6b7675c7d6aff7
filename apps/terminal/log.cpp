#include "apps/terminal/log.hpp"

#include <fmt/core.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include <sluice/pipeline/printable.hpp>

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
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

std::size_t columns_of_terminal(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const int columns = std::atoi(environment("COLUMNS").data());  // a whole variable, which ends with a 0
  return columns > 0 ? static_cast<std::size_t>(columns) : 80;
}

LogStyle log_style(std::optional<bool> progress, bool quiet, const std::string& log_format) {
  using Form = LogStyle::Form;
  LogStyle style;
  const bool terminal = ::isatty(STDERR_FILENO) && environment("TERM") != "dumb";
  if (quiet || progress == false)
    style.form = Form::none;
  else if (log_format == "jsonl")
    style.form = Form::jsonl;
  else
    style.form = terminal || progress == true ? Form::line : Form::lines;
  style.colour = terminal && environment("NO_COLOR").empty();
  std::setlocale(LC_CTYPE, "");
  style.utf8 = std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
  return style;
}

std::string log_line(const std::string& text) {
  return fmt::format("sluice: {}\n", printable(text));
}

std::string progress_bar(const LogStyle& style, double part, std::size_t columns) {
  const auto done = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(columns));
  std::string full, empty;
  for (std::size_t i = 0; i < columns; ++i)
    (i < done ? full : empty) += style.utf8 ? (i < done ? "━" : "─") : (i < done ? "#" : "-");
  if (style.colour) full = "\x1b[32m" + full + "\x1b[0m";
  return (style.utf8 ? "" : "[") + full + empty + (style.utf8 ? "" : "]");
}

void say_message(const LogStyle& style, const std::string& text) {
  if (style.silent) return;
  say(style.form == LogStyle::Form::jsonl ? log_event("message", {{"message", text}}) : log_line(text));
}

void say_warning(const LogStyle& style, const std::string& text) {
  if (style.silent) return;
  say(style.form == LogStyle::Form::jsonl ? log_event("warning", {{"message", text}}) : log_line("warning: " + text));
}

}  // namespace sluice::apps
