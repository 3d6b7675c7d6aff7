#include "apps/flags/manual.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <utility>

namespace sluice::apps {
namespace {

constexpr const char* date = "November 29, 2026";  // when what the pages say changed last

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

// Characters as they are, a hyphen as one that can be searched for and copied.
std::string characters(const std::string& text, bool code = false) {
  std::string all;
  bool open = false;
  for (const char c : text) {
    switch (c) {
      case '\\':
        all += "\\e";
        break;
      case '-':
        all += "\\-";
        break;
      case '~':
        all += "\\(ti";
        break;
      case '^':
        all += "\\(ha";
        break;
      case '\'':
        all += code ? "\\(aq" : "'";
        break;
      case '`':
        all += code ? "\\(ga" : (open = !open) ? "\\(oq" : "\\(cq";
        break;
      default:
        all += c;
    }
  }
  return all;
}

// No control line, whatever it begins with.
std::string text_line(const std::string& line) {
  return (line.starts_with('.') || line.starts_with('\'') ? "\\&" : "") + line + "\n";
}

// Prose, each sentence on a line of its own, as mdoc wants it.
std::string prose(const std::string& text) {
  std::string all;
  std::size_t begin = 0;
  for (std::size_t dot = text.find(". "); dot != std::string::npos; dot = text.find(". ", dot + 1))
    if (dot + 2 < text.size() && is_upper(text[dot + 2])) {
      all += text_line(characters(text.substr(begin, dot + 1 - begin)));
      begin = dot + 2;
    }
  return all + text_line(characters(text.substr(begin)));
}

// Words behind a macro: none is another macro, or a delimiter.
std::string words(const std::string& text) {
  std::string all;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    const bool macro = word.size() <= 3 && (is_upper(word[0]) || word[0] == '%');
    const bool delimiter = word.size() == 1 && std::ispunct(static_cast<unsigned char>(word[0]));
    all += (all.empty() ? "" : " ") + std::string(macro || delimiter ? "\\&" : "") + characters(word);
  }
  return all;
}

std::string page_name(const Flags& command) {
  return "sluice-" + command.get_name();
}

std::string in_upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string begin(const std::string& page, const std::string& does, const std::string& version) {
  std::string what = does;
  if (what.ends_with('.')) what.pop_back();
  if (what.size() > 1 && !is_upper(what[1])) what[0] = static_cast<char>(std::tolower(what[0]));
  return fmt::format(
      ".\\\" Made of the table of flags: sluice help --man\n.Dd {}\n.Dt {} 1\n.Os {}\n.Sh NAME\n.Nm {}\n.Nd {}\n", date,
      in_upper_case(page), version, page, words(what));
}

// "Fl h , Fl -help", "Fl -epochs Ar N"
std::string written(const CLI::Option* flag) {
  std::string text;
  for (const std::string& name : flag->get_snames()) text += "Fl " + name + " , ";
  text += "Fl -" + characters(flag->get_lnames().front());
  return Flags::has_value(flag) ? text + " Ar " + words(flag->get_type_name()) : text;
}

// "(default: 10; environment: SLUICE_EPOCHS)"
std::string behind(const Flags& command, const CLI::Option* flag) {
  const std::string value = command.default_of(flag), variable = command.variable_of(flag);
  if (value.empty() && variable.empty()) return "";
  const std::string text = value.empty() ? "(" : "(default: " + value + (variable.empty() ? ")" : "; ");
  return text_line(characters(text) + (variable.empty() ? "" : "environment:")) +
         (variable.empty() ? "" : ".Ev " + variable + " )\n");
}

std::string options(const Flags& command) {
  std::string text = ".Sh OPTIONS\n";
  if (const auto all = command.arguments(); !all.empty()) {
    text += ".Bl -tag -width Ds\n";
    for (const CLI::Option* a : all)
      text += fmt::format(".It Ar {}\n{}", words(a->get_name()), prose(command.description_of(a)));
    text += ".El\n";
  }
  for (const std::string& group : command.groups()) {
    text += fmt::format(".Ss {}\n.Bl -tag -width Ds\n", words(group));
    for (const CLI::Option* flag : command.flags_of(group))
      text += ".It " + written(flag) + "\n" + prose(command.description_of(flag)) + behind(command, flag);
    text += ".El\n";
  }
  return text;
}

std::string lines(const Flags::Section& section) {
  if (section.lines.empty()) return "";
  const std::string macro = section.title == "Environment" ? "Ev " : section.title == "Files" ? "Pa " : "";
  std::string text = ".Bl -tag -width Ds\n";
  for (const auto& [name, what] : section.lines) text += ".It " + macro + words(name) + "\n" + prose(what);
  return text + ".El\n";
}

// What the help says under titles of its own, in the manual's order; what the command does not, the program may.
std::string sections(const Flags& program, const Flags& command) {
  constexpr std::array<std::pair<const char*, const char*>, 3> all{
      {{"Environment", "ENVIRONMENT"}, {"Files", "FILES"}, {"Exit codes", "EXIT STATUS"}}};
  std::string text;
  for (const auto& [title, name] : all)
    for (const Flags* one : {&command, &program}) {
      const auto& its = one->sections();
      const auto found = std::find_if(its.begin(), its.end(), [&, t = title](const auto& s) { return s.title == t; });
      if (found == its.end()) continue;
      text += fmt::format(".Sh {}\n{}{}", name, found->text.empty() ? "" : prose(found->text), lines(*found));
      break;
    }
  return text;
}

std::string examples(const Flags& command) {
  std::string text = ".Sh EXAMPLES\n";
  for (const Flags::Example& e : command.examples())
    text += fmt::format("{}{}:\n.Bd -literal -offset indent\n{}.Ed\n",
                        e.what == command.examples().front().what ? "" : ".Pp\n",
                        characters(static_cast<char>(std::toupper(e.what[0])) + e.what.substr(1)),
                        text_line(characters("$ " + e.command, true)));
  return text;
}

std::string see_also(const std::string& page, const std::vector<const Flags*>& commands) {
  std::vector<std::string> pages{"sluice"};
  for (const Flags* command : commands) pages.push_back(page_name(*command));
  std::erase(pages, page);
  std::sort(pages.begin(), pages.end());
  std::string text = ".Sh SEE ALSO\n";
  for (const std::string& one : pages) text += ".Xr " + one + " 1" + (one == pages.back() ? "\n" : " ,\n");
  return text;
}

std::string notes(const Flags& command) {
  std::string text;
  for (const std::string& note : command.notes()) text += ".Pp\n" + prose(note);
  return text;
}

}  // namespace

std::string manual(const Flags& program, const std::vector<const Flags*>& commands, const std::string& version) {
  const std::string does = program.get_description();
  std::string text = begin("sluice", does, version) +
                     ".Sh SYNOPSIS\n.Nm sluice\n.Ar COMMAND\n.Op Ar FLAG ...\n.Nm sluice\n.Fl -version\n.Nm sluice\n"
                     ".Fl -help\n.Sh DESCRIPTION\n" +
                     prose(does) + ".Pp\nThe commands, each with a page of its own:\n.Bl -tag -width Ds\n";
  for (const Flags* command : commands)
    text += ".It Xr " + page_name(*command) + " 1\n" + prose(command->get_description());
  return text + ".El\n" + notes(program) + options(program) + sections(program, program) + examples(program) +
         see_also("sluice", commands);
}

std::string manual(const Flags& program, const Flags& command, const std::vector<const Flags*>& commands,
                   const std::string& version) {
  std::string text = begin(page_name(command), command.get_description(), version) + ".Sh SYNOPSIS\n.Nm sluice\n.Cm " +
                     command.get_name() + "\n";
  for (const CLI::Option* a : command.arguments())
    text += fmt::format(".{}Ar {}{}\n", a->get_required() ? "" : "Op ", words(a->get_name()),
                        Flags::repeatable(a) ? " ..." : "");
  return text + ".Op Ar FLAG ...\n.Sh DESCRIPTION\n" + prose(command.get_description() + ".") + notes(command) +
         options(command) + sections(program, command) + examples(command) + see_also(page_name(command), commands);
}

}  // namespace sluice::apps
