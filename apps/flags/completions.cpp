#include "apps/flags/completions.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace sluice::apps {
namespace {

using Values = Flags::Values;

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

// As one word of a shell.
std::string quoted(const std::string& text) {
  return "'" + replaced(text, "'", "'\\''") + "'";
}
std::string quoted_for_fish(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

// What a flag is for, in a line: up to where the description goes into details.
std::string brief(const std::string& description) {
  for (std::size_t end = description.find_first_of(".;:"); end != std::string::npos;
       end = description.find_first_of(".;:", end + 1)) {
    const bool ends = end + 1 == description.size() || description[end + 1] == ' ';
    if (ends && description.find(' ') < end) return description.substr(0, end);  // more than a word
  }
  return description;
}

std::string long_flag(const CLI::Option* flag) {
  return "--" + flag->get_lnames().front();
}

std::vector<const CLI::Option*> flags_of(const Flags& command) {
  std::vector<const CLI::Option*> all;
  for (const std::string& group : command.groups())
    for (const CLI::Option* flag : command.flags_of(group)) all.push_back(flag);
  return all;
}

// "-h --help"
std::vector<std::string> names(const CLI::Option* flag) {
  std::vector<std::string> all;
  for (const std::string& name : flag->get_snames()) all.push_back("-" + name);
  all.push_back(long_flag(flag));
  return all;
}

bool any_file(const Values& values) {
  return values.files && values.endings.empty() && values.words.empty();
}

std::vector<std::string> quoted_all(const std::vector<std::string>& words) {
  std::vector<std::string> all;
  for (const std::string& word : words) all.push_back(quoted(word));
  return all;
}

// ---- bash ----------------------------------------------------------------------------------------------------------

constexpr const char* bash_functions = R"(# Completion of sluice for bash, printed by: sluice completions bash

# Offers folders, and files whose names end in one of the arguments.
_sluice_files() {
  local ending
  compopt -o filenames
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(
    compgen -P "$before" ${before:+-S /} -d -- "$word"
    for ending; do compgen -P "$before" -f -X "!*$ending" -- "$word"; done
  )
}

# Offers the arguments but the first, which follows each of them.
_sluice_words() {
  [[ $1 ]] && compopt -o nospace
  mapfile -t COMPREPLY < <(compgen -P "$before" -S "$1" -W "${*:2}" -- "$word")
}

# Behind a comma, what comes next of a list. What stands before it is as it was typed, and will be quoted again.
_sluice_list() {
  [[ $word == *,* ]] || return
  word=${word//\\/} word=${word#[\"\']}
  before=$before${word%,*}, word=${word##*,}
  compopt -o nospace
}

_sluice() {
  local word=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} before=
  COMPREPLY=()
  # bash takes --flag=value for three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $flag == = ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
    if [[ $flag != --* ]]; then
      compopt +o default
      return
    fi
  fi
  if ((COMP_CWORD == 1)); then
    compopt +o default
    if [[ $word == -* ]]; then _sluice_words '' @PROGRAM@; else _sluice_words '' @COMMANDS@; fi
    return
  fi
  # The value of a flag. Where nothing is offered, bash offers files, unless it is told not to.
  case "${COMP_WORDS[1]} $flag" in
)";

// What offers the value; empty: bash does.
std::string bash_action(const Values& values) {
  if (any_file(values)) return "";
  std::string action;
  if (values.list) action += "_sluice_list; ";
  if (!values.words.empty())
    action += fmt::format("_sluice_words {} {}; ", quoted(values.behind), fmt::join(quoted_all(values.words), " "));
  if (values.files || values.folders)
    action += fmt::format("_sluice_files {}; ", fmt::join(quoted_all(values.endings), " "));
  else
    action += "compopt +o default; ";
  return replaced(action, " ; ", "; ");
}

// A branch of `case` for each action, in the order of their first flags.
using Branches = std::vector<std::pair<std::string, std::vector<std::string>>>;
void add(Branches& branches, const std::string& action, const std::string& pattern) {
  const auto found = std::find_if(branches.begin(), branches.end(), [&](const auto& b) { return b.first == action; });
  if (found == branches.end())
    branches.push_back({action, {pattern}});
  else
    found->second.push_back(pattern);
}

std::string bash(const Flags& program, const std::vector<const Flags*>& commands) {
  std::vector<std::string> command_names, program_flags;
  for (const CLI::Option* flag : flags_of(program))
    for (const std::string& name : names(flag)) program_flags.push_back(name);
  Branches values;
  std::string flags, arguments;
  for (const Flags* command : commands) {
    const std::string name = command->get_name();
    command_names.push_back(name);
    std::vector<std::string> its;
    for (const CLI::Option* flag : flags_of(*command)) {
      for (const std::string& one : names(flag)) its.push_back(one);
      if (Flags::has_value(flag))
        add(values, bash_action(command->values_of(flag)), fmt::format("'{} {}'", name, long_flag(flag)));
    }
    flags += fmt::format("      {}) _sluice_words '' {} ;;\n", name, fmt::join(its, " "));
    // Of several, all: which of them comes next, flags between them hide.
    std::string any;
    for (const CLI::Option* argument : command->arguments()) any += bash_action(command->values_of(argument));
    if (!command->arguments().empty()) arguments += fmt::format("    {}) {};;\n", name, any);
  }
  std::string text = replaced(replaced(bash_functions, "@PROGRAM@", fmt::format("{}", fmt::join(program_flags, " "))),
                              "@COMMANDS@", fmt::format("{}", fmt::join(command_names, " ")));
  for (const auto& [action, patterns] : values)
    text += fmt::format("    {})\n      {}return ;;\n", fmt::join(patterns, " | "), action);
  return text + "  esac\n  if [[ $word == -* ]]; then\n    compopt +o default\n    case ${COMP_WORDS[1]} in\n" + flags +
         "    esac\n    return\n  fi\n  # What stands without a flag.\n  case ${COMP_WORDS[1]} in\n" + arguments +
         "    *) compopt +o default ;;\n  esac\n} && complete -o default -F _sluice sluice\n";
}

// ---- zsh -----------------------------------------------------------------------------------------------------------

// As part of a specification of _arguments, in which a colon ends it.
std::string zsh_part(const std::string& text) {
  return replaced(replaced(replaced(replaced(text, "\\", "\\\\"), ":", "\\:"), "[", "\\["), "]", "\\]");
}

std::string zsh_files(const Values& values) {
  if (!values.files) return "_files -/";
  if (values.endings.empty()) return "_files";
  return fmt::format("_files -g \"*({})(-.)\"", fmt::join(values.endings, "|"));
}

std::string zsh_action(const Values& values) {
  const bool files = values.files || values.folders;
  if (values.words.empty()) return !files ? " " : (values.list ? "_sequence " : "") + zsh_files(values);
  const std::string list = fmt::format("{}", fmt::join(values.words, " "));
  if (files) return fmt::format(R"z(_alternative "words\:word\:({})" 'files\:file\:{}')z", list, zsh_files(values));
  if (values.list) return "_sequence compadd - " + list;
  return values.behind.empty() ? "(" + list + ")" : fmt::format("compadd -S \"{}\" - {}", values.behind, list);
}

// "(--quiet)": what is not offered behind the flag; "*": it may come again.
std::string zsh_before(const CLI::Option* flag) {
  if (Flags::repeatable(flag)) return "*";
  const std::string name = long_flag(flag);
  if (name == "--help" || name == "--version") return "(- *)";
  std::vector<std::string> others;
  for (const CLI::Option* other : flag->get_excludes()) others.push_back(long_flag(other));
  std::sort(others.begin(), others.end());
  return others.empty() ? "" : fmt::format("({})", fmt::join(others, " "));
}

std::string zsh_flag(const Flags& command, const CLI::Option* flag) {
  const std::string what = "[" + zsh_part(brief(command.description_of(flag))) + "]";
  const std::string value = fmt::format(":{}:{}", zsh_part(flag->get_type_name()), zsh_action(command.values_of(flag)));
  std::string text;
  for (const std::string& name : names(flag))
    text += fmt::format("      {}\n",
                        quoted(zsh_before(flag) + name + (Flags::has_value(flag) ? "=" + what + value : what)));
  return text;
}

std::string zsh(const Flags& program, const std::vector<const Flags*>& commands) {
  std::string text =
      "#compdef sluice\n# Completion of sluice for zsh, printed by: sluice completions zsh\n\n"
      "_sluice_commands() {\n  local -a commands=(\n";
  for (const Flags* command : commands)
    text += "    " + quoted(command->get_name() + ":" + brief(command->get_description())) + "\n";
  text +=
      "  )\n  _describe -t commands command commands\n}\n\n_sluice() {\n  local curcontext=$curcontext state line\n"
      "  local -A opt_args\n  local -a flags=(\n";
  for (const CLI::Option* flag : flags_of(program)) text += zsh_flag(program, flag);
  text +=
      "  )\n  _arguments -C $flags '1:command:_sluice_commands' '*::argument:->argument' && return\n"
      "  [[ $state == argument ]] || return\n  curcontext=${curcontext%:*}-$line[1]:\n  flags=()\n  case $line[1] in\n";
  for (const Flags* command : commands) {
    text += fmt::format("    {}) flags=(\n", command->get_name());
    for (const CLI::Option* flag : flags_of(*command)) text += zsh_flag(*command, flag);
    int place = 0;
    for (const CLI::Option* a : command->arguments())
      text += "      " +
              quoted(fmt::format("{}:{}:{}", Flags::repeatable(a) ? "*" : std::to_string(++place),
                                 zsh_part(a->get_name()), zsh_action(command->values_of(a)))) +
              "\n";
    text += "    ) ;;\n";
  }
  return text +
         "    *) return 1 ;;\n  esac\n  _arguments $flags\n}\n\n"
         "# Found by compinit, or read by source.\n"
         "if [[ $funcstack[1] == _sluice ]]; then _sluice \"$@\"; else compdef _sluice sluice; fi\n";
}

// ---- fish ----------------------------------------------------------------------------------------------------------

constexpr const char* fish_functions = R"(# Completion of sluice for fish, printed by: sluice completions fish

# Whether this is the command.
function __sluice_is
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"
end

# What is typed of a value, with what stands before it in this word: --flag=, or what a comma ends. Without quotes, which
# come again.
function __sluice_word
    commandline -ct | string replace -r -- '^--[^=]*=' '' | string replace -r -- '^["\']' '' | string replace -ar -- '\\\\(.)' '$1'
end

# Behind what stands before the last comma, each of the arguments.
function __sluice_list
    set -l before (__sluice_word | string match -r -- '^.*,')
    printf '%s\n' "$before"$argv
end

# Files, first those whose names end in one of the arguments, and folders; with list before them, as __sluice_list.
function __sluice_files
    set -l word (__sluice_word)
    set -l before ''
    if test "$argv[1]" = list
        set before (string match -r -- '^.*,' $word)
        set word (string replace -r -- '^.*,' '' $word)
        set -e argv[1]
    end
    set -l all (complete -C "__sluice_no_command $word" | string replace -r -- '\t.*' '')
    set -l first
    for ending in $argv
        set -a first (string match -- "*$ending" $all)
    end
    set -a first (string match -- '*/' $all)
    if set -q first[1]
        set all $first
    end
    set -q all[1]
    and printf '%s\n' "$before"$all
end

complete -c sluice -f
)";

std::string fish_action(const Values& values) {
  if (any_file(values)) return "-r -F";
  std::string text;
  if (!values.words.empty()) {
    std::vector<std::string> words;
    for (const std::string& word : values.words) words.push_back(word + values.behind);
    text += values.list ? fmt::format("(__sluice_list {})", fmt::join(words, " "))
                        : fmt::format("{}", fmt::join(words, " "));
  }
  if (values.files || values.folders) {
    text += text.empty() ? "" : " ";
    text += !values.files
                ? "(__fish_complete_directories)"
                : fmt::format("(__sluice_files{} {})", values.list ? " list" : "", fmt::join(values.endings, " "));
  }
  return text.empty() ? "-x" : fmt::format("-k -x -a {}", quoted_for_fish(text));
}

std::string fish_flag(const Flags& command, const CLI::Option* flag, const std::string& where) {
  std::string text = "complete -c sluice -n " + where;
  for (const std::string& name : flag->get_snames()) text += " -s " + name;
  text += " -l " + flag->get_lnames().front();
  if (Flags::has_value(flag)) text += " " + fish_action(command.values_of(flag));
  return text + " -d " + quoted_for_fish(brief(command.description_of(flag))) + "\n";
}

std::string fish(const Flags& program, const std::vector<const Flags*>& commands) {
  std::string text = fish_functions;
  for (const CLI::Option* flag : flags_of(program)) text += fish_flag(program, flag, "'__sluice_is \"\"'");
  for (const Flags* command : commands)
    text += fmt::format("complete -c sluice -n '__sluice_is \"\"' -a {} -d {}\n", command->get_name(),
                        quoted_for_fish(brief(command->get_description())));
  for (const Flags* command : commands) {
    const std::string where = "'__sluice_is " + command->get_name() + "'";
    for (const CLI::Option* flag : flags_of(*command)) text += fish_flag(*command, flag, where);
    for (const CLI::Option* argument : command->arguments())
      text += fmt::format("complete -c sluice -n {} {}\n", where, fish_action(command->values_of(argument)));
  }
  return text;
}

}  // namespace

std::string completions(const std::string& shell, const Flags& program, const std::vector<const Flags*>& commands) {
  return shell == "bash" ? bash(program, commands) : shell == "zsh" ? zsh(program, commands) : fish(program, commands);
}

}  // namespace sluice::apps
