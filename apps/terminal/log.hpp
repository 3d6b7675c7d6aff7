// What this program says on stderr: text for people, or events as JSON for programs.
//
//   a terminal      a line of progress that is redrawn, and messages
//   anything else   a line for each epoch, and messages
//   jsonl           {"schema":1,"event":"epoch",...}: a line for each of start, epoch, checkpoint, status, warning,
//                   message, profile, error and end
//
// Order and thread-safety: any thread; a text is written in one call. A stderr that cannot be written changes nothing.
//
//   const LogStyle style = log_style(options.progress, options.quiet, options.log_format);
//   say_message(style, "report in run.html");   // sluice: report in run.html
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace sluice::apps {

// Columns of the terminal that this descriptor is, else of COLUMNS, else 80.
std::size_t columns_of_terminal(int descriptor);

// Writes to the standard error; whether anybody can read it changes nothing.
void say(const std::string& text);

// "sluice: text", and the end of the line; whatever is in the text, it is one line without commands to a terminal.
std::string log_line(const std::string& text);

// One object of the log, a line.
std::string log_event(const std::string& name, const nlohmann::ordered_json& facts);

struct LogStyle {
  enum class Form { none, line, lines, jsonl };  // of the progress; messages are text in all but the last
  Form form = Form::lines;
  bool utf8 = false, colour = false;  // colour: only on a terminal, and not with NO_COLOR
  bool silent = false;                // another process says it
};

// From the flags, the environment and what stderr is. progress: --progress or --no-progress, if given.
LogStyle log_style(std::optional<bool> progress, bool quiet, const std::string& log_format);

// Of a line of progress: a bar of so many columns (and two more in ASCII), of which this part is done, 0 to 1.
std::string progress_bar(const LogStyle& style, double part, std::size_t columns);

// A line beside the progress: "sluice: text", or as an event.
void say_message(const LogStyle& style, const std::string& text);
void say_warning(const LogStyle& style, const std::string& text);

}  // namespace sluice::apps
