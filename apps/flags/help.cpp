#include "apps/flags/help.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>

namespace sluice::apps {
namespace {

constexpr std::size_t most_columns = 110;  // longer lines are hard to read

constexpr char unbroken = '\x1f';  // a blank where no line ends

// Words with single blanks between them, in lines of at most `width` columns, each behind `indent` blanks.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
  std::string all, line(indent, ' ');
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool first = line.size() == indent;
    if (!first && line.size() + 1 + word.size() > width) {
      all += line + "\n";
      line.assign(indent, ' ');
      line += word;
    } else {
      line += (first ? "" : " ") + word;
    }
  }
  all += line + "\n";
  std::replace(all.begin(), all.end(), unbroken, ' ');
  return all;
}

// "(default: 10; env SLUICE_EPOCHS)"
std::string behind(const Flags& command, const CLI::Option* flag) {
  const std::string value = command.default_of(flag), variable = command.variable_of(flag);
  std::string text = value.empty() ? "" : "default: " + value;
  if (!variable.empty()) text += (text.empty() ? "" : "; ") + ("env" + (unbroken + variable));
  return text.empty() ? "" : " (" + text + ")";
}

// A name and what it is, side by side where there is room for both.
std::string entry(const std::string& name, const std::string& text, std::size_t column, std::size_t width) {
  const std::string left = "  " + name, right = wrapped(text, column, width);
  return left.size() + 2 > column ? left + "\n" + right : left + right.substr(left.size());
}

std::string flags(const Flags& command, std::size_t width) {
  constexpr std::size_t column = 28;
  std::string text;
  if (const auto all = command.arguments(); !all.empty()) {
    text += "\n";
    for (const CLI::Option* a : all) text += entry(a->get_name(), command.description_of(a), column, width);
  }
  for (const std::string& group : command.groups()) {
    text += "\n" + group + "\n";
    for (const CLI::Option* flag : command.flags_of(group))
      text += entry(written(flag), command.description_of(flag) + behind(command, flag), column, width);
  }
  return text;
}

std::string notes_and_examples(const Flags& command, std::size_t width) {
  std::string text;
  for (const std::string& note : command.notes()) text += "\n" + wrapped(note, 0, width);
  for (const Flags::Section& section : command.sections()) {
    text += "\n" + section.title + "\n";
    if (!section.text.empty()) text += wrapped(section.text, 2, width);
    for (const auto& [name, what] : section.lines) text += entry(name, what, 16, width);
  }
  if (!command.examples().empty()) text += "\nExamples\n";
  for (const Flags::Example& e : command.examples()) text += wrapped("# " + e.what, 2, width) + "  " + e.command + "\n";
  return text;
}

// A cell of a table, which a bar would end.
std::string cell(const std::string& text) {
  std::string all;
  for (const char c : text) all += c == '|' ? std::string("\\|") : std::string(1, c);
  return all;
}

// A text as code, where there is any.
std::string code(const std::string& text) {
  return text.empty() ? "" : "`" + text + "`";
}

std::string markdown_flags(const Flags& command) {
  std::string text;
  if (const auto all = command.arguments(); !all.empty()) {
    text += "\n";
    for (const CLI::Option* a : all) text += fmt::format("- `{}`: {}\n", a->get_name(), command.description_of(a));
  }
  for (const std::string& group : command.groups()) {
    const auto all = command.flags_of(group);
    const bool values = std::any_of(all.begin(), all.end(), Flags::has_value);
    text += fmt::format("\n### {}\n\n", group);
    text += values ? "| Flag | | Default | Environment |\n|---|---|---|---|\n" : "| Flag | |\n|---|---|\n";
    for (const CLI::Option* flag : all) {
      text += fmt::format("| {} | {} |", code(cell(written(flag))), cell(command.description_of(flag)));
      if (values) text += fmt::format(" {} | {} |", cell(command.default_of(flag)), code(command.variable_of(flag)));
      text += "\n";
    }
  }
  return text;
}

std::string markdown_notes_and_examples(const Flags& command) {
  std::string text;
  for (const std::string& note : command.notes()) text += "\n" + note + "\n";
  for (const Flags::Section& section : command.sections()) {
    text += fmt::format("\n### {}\n\n{}{}", section.title, section.text, section.text.empty() ? "" : "\n");
    if (!section.text.empty() && !section.lines.empty()) text += "\n";
    for (const auto& [name, what] : section.lines) text += fmt::format("- `{}`: {}\n", name, what);
  }
  if (command.examples().empty()) return text;
  text += "\n### Examples\n\n```sh\n";
  for (const Flags::Example& e : command.examples()) text += fmt::format("# {}\n{}\n", e.what, e.command);
  return text + "```\n";
}

std::string usage(const Flags& command) {
  std::string text = "sluice " + command.get_name();
  for (const CLI::Option* argument : command.arguments()) text += " " + written_argument(argument);
  return text + " [FLAG]...";
}

}  // namespace

std::string written(const CLI::Option* flag) {
  std::string text;
  for (const std::string& name : flag->get_snames()) text += "-" + name + ", ";
  text += "--" + flag->get_lnames().front();
  return Flags::has_value(flag) ? text + " " + flag->get_type_name() : text;
}

std::string written_argument(const CLI::Option* argument) {
  const std::string text = argument->get_name() + (Flags::repeatable(argument) ? "..." : "");
  return argument->get_required() ? text : "[" + text + "]";
}

std::string help(const Flags& command, std::size_t width) {
  width = std::min(width, most_columns);
  return wrapped(command.get_description(), 0, width) + "\nUsage: " + usage(command) + "\n" + flags(command, width) +
         notes_and_examples(command, width);
}

std::string help(const Flags& program, const std::vector<const Flags*>& commands, std::size_t width) {
  width = std::min(width, most_columns);
  std::string text = wrapped(program.get_description(), 0, width) + "\nUsage: sluice COMMAND [FLAG]...\n\nCommands\n";
  for (const Flags* command : commands) text += entry(command->get_name(), command->get_description(), 15, width);
  text += "\nsluice COMMAND --help lists the flags of a command.\n" + flags(program, width);
  return text + notes_and_examples(program, width);
}

std::string markdown(const Flags& program, const std::vector<const Flags*>& commands) {
  std::string text =
      "<!-- $ build/release/apps/sluice --help-markdown -->\n"
      "<!-- This page is what that command prints: scripts/refresh docs/cli.md -->\n\n"
      "# The command line\n\n" +
      program.get_description() + "\n\n| Command | |\n|---|---|\n";
  for (const Flags* command : commands)
    text += fmt::format("| [`{0}`](#sluice-{0}) | {1} |\n", command->get_name(), cell(command->get_description()));
  text += markdown_flags(program) + markdown_notes_and_examples(program);
  for (const Flags* command : commands)
    text += fmt::format("\n## sluice {}\n\n{}\n\n    {}\n", command->get_name(), command->get_description(),
                        usage(*command)) +
            markdown_flags(*command) + markdown_notes_and_examples(*command);
  return text;
}

}  // namespace sluice::apps
