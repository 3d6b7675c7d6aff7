#include "apps/flags/flags.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include <sluice/stages/input_files.hpp>
#include "apps/job/usage_error.hpp"

namespace sluice::apps {
namespace {

std::string long_name(const CLI::Option* flag) {
  return flag->get_lnames().empty() ? flag->get_name() : "--" + flag->get_lnames().front();
}

// Of the files that data come in (docs/data.md).
const std::vector<std::string> endings_of_data{"-ubyte", ".npy", ".npz", ".csv", ".tsv", ".gz", ".zst", ".xz", ".bz2"};

bool is_in_name(char c) {
  return c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool has_word(const std::string& text, const std::string& word) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_in_name(text[at - 1])) && (end == text.size() || !is_in_name(text[end]))) return true;
  }
  return false;
}

bool Flags::has_value(const CLI::Option* flag) {
  return flag->get_items_expected_max() > 0;
}

bool Flags::repeatable(const CLI::Option* flag) {
  return flag->get_items_expected_max() > 1;
}

void Flags::check(CLI::Option* flag, Check check) {
  flag->check(CLI::Validator([check = std::move(check)](const std::string& text) { return check(text); }, ""));
}

FlagGroup Flags::group(const std::string& title) {
  return {*this, title};
}

Flag Flag::by_default(const std::string& words) const {
  option_->default_str("");
  flags_->defaults_in_words_[option_] = words;
  return *this;
}

Flag Flag::choices(const std::vector<std::string>& words) const {
  Flags::check(option_, one_of(words));
  flags_->choices_[option_] = words;
  return values({.words = words});
}

Flag Flag::values(const Flags::Values& values) const {
  flags_->values_[option_] = values;
  return *this;
}

Flag Flag::optional() const {
  option_->required(false);
  return *this;
}

Flag Flag::only_where(std::function<bool()> has_effect, const std::string& otherwise,
                      std::function<bool(const std::string&)> by_value) const {
  flags_->rules_.push_back({option_, std::move(has_effect), [otherwise] { return otherwise; }, std::move(by_value)});
  return *this;
}

Flag Flag::only_where(std::function<bool()> has_effect, std::function<std::string()> otherwise) const {
  flags_->rules_.push_back({option_, std::move(has_effect), std::move(otherwise), {}});
  return *this;
}

Flag Flag::presets(const std::string& value, std::vector<std::pair<std::string, std::string>> defaults) const {
  flags_->preset_ = option_;
  flags_->presets_[value] = std::move(defaults);
  return *this;
}

Flag Flag::yields_to(const Flag& other) const {
  flags_->yields_to_[option_].push_back(other.option_);
  return *this;
}

Flag Flag::excludes(const Flag& other) const {
  option_->excludes(other.option_);
  return *this;
}

std::string FlagGroup::name_of(const std::string& flag) {
  return flag.substr(0, flag.find(' '));
}

Flag FlagGroup::declared(CLI::Option* option, const std::string& flag, Check check) const {
  option->group(title_);
  if (const auto blank = flag.find(' '); blank != std::string::npos) option->type_name(flag.substr(blank + 1));
  if (check) Flags::check(option, std::move(check));
  return {*flags_, option};
}

Flag FlagGroup::inputs(const std::string& flag, stages::InputFiles& target, stages::Dash dash,
                       const std::string& what) const {
  const auto take = [&target, dash](const std::string& text) { target = stages::InputFiles::parse(text, dash); };
  return declared(flags_->add_option_function<std::string>(name_of(flag), take, what), flag, named())
      .values({.endings = endings_of_data, .list = true});
}

Flag FlagGroup::repeatable(const std::string& flag, std::vector<std::string>& target, const std::string& what,
                           Check check) const {
  return declared(flags_->add_option(name_of(flag), target, what)->allow_extra_args(false), flag, std::move(check));
}

Flag FlagGroup::bare(const std::string& flag, bool& target, const std::string& what) const {
  return declared(flags_->add_flag(flag, target, what), flag, {});
}

Flag FlagGroup::bare(const std::string& flag, std::optional<bool>& target, bool given, const std::string& what) const {
  return declared(flags_->add_flag_callback(
                      flag, [&target, given] { target = given; }, what),
                  flag, {});
}

std::string Flags::variable_of(const CLI::Option* flag) const {
  return has_value(flag) && !flag->get_positional() ? environment_name(long_name(flag)) : "";
}

std::string Flags::default_of(const CLI::Option* flag) const {
  const auto words = defaults_in_words_.find(flag);
  return words == defaults_in_words_.end() ? flag->get_default_str() : words->second;
}

std::string Flags::description_of(const CLI::Option* flag) const {
  const std::string text = flag->get_description();
  const auto found = choices_.find(flag);
  if (found == choices_.end()) return text;
  const std::vector<std::string>& words = found->second;
  const auto named = [&](const std::string& word) { return has_word(text, word); };
  return std::all_of(words.begin(), words.end(), named) ? text : fmt::format("{} ({})", text, fmt::join(words, ", "));
}

Flags::Values Flags::values_of(const CLI::Option* flag) const {
  const auto found = values_.find(flag);
  Values values = found == values_.end() ? Values{} : found->second;
  const std::string name = flag->get_positional() ? flag->get_name() : flag->get_type_name();
  values.files = has_word(name, "FILE"), values.folders = has_word(name, "DIR");
  return values;
}

bool Flags::takes_no_value(const std::string& flag) const {
  const CLI::Option* const option = get_option_no_throw(flag);
  return option && !has_value(option);
}

void Flags::finish() {
  const auto all = get_options();
  if (std::any_of(all.begin(), all.end(), [this](const auto* flag) { return !variable_of(flag).empty(); }))
    group(help_group).bare("--no-env", no_environment_, "Take nothing from the environment");
  set_help_flag("-h,--help", "Print this help and exit")->group(help_group);
}

void Flags::take(CLI::Option& flag, const std::string& variable, const std::string& value) {
  const std::vector<std::string> parts = repeatable(&flag) ? stages::between_commas(value) : std::vector{value};
  try {
    flag.add_result(parts);
    flag.run_callback();
  } catch (const CLI::ParseError& error) {
    std::string text = error.what();
    if (const std::string name = flag.get_name() + ": "; text.starts_with(name)) text.erase(0, name.size());
    throw UsageError(fmt::format("{}: {}", variable, text));
  }
  flag.clear();  // not given: only the target has the value
  taken_[&flag] = parts;
  from_environment_[long_name(&flag)] = value;
}

void Flags::set_default(CLI::Option& flag, const std::string& value) {
  flag.add_result(value);
  flag.run_callback();
  flag.clear();
  flag.default_str(value);
}

void Flags::apply_preset(const Environment& environment) {
  if (!preset_) return;
  const std::string variable = variable_of(preset_);
  if (environment && preset_->count() == 0)
    if (const std::string value = environment(variable); !value.empty()) take(*preset_, variable, value);
  const auto taken = taken_.find(preset_);
  const std::string value = preset_->count() > 0    ? preset_->results().front()
                            : taken != taken_.end() ? taken->second.front()
                                                    : preset_->get_default_str();
  const auto found = presets_.find(value);
  if (found == presets_.end()) return;
  for (const auto& [name, its] : found->second)
    if (CLI::Option* const flag = get_option_no_throw(name); flag && flag->count() == 0) set_default(*flag, its);
}

// Whether a flag has an effect may hang on the value of another: again and again, until no more of them have one.
void Flags::take_all(const Environment& environment) {
  for (std::size_t before = taken_.size() + 1; before != taken_.size();) {
    before = taken_.size();
    for (CLI::Option* flag : get_options([](const CLI::Option*) { return true; })) {
      const std::string variable = variable_of(flag);
      if (variable.empty() || flag->count() > 0 || taken_.contains(flag)) continue;
      const auto others = yields_to_.find(flag);
      if (others != yields_to_.end() && std::any_of(others->second.begin(), others->second.end(),
                                                    [](const CLI::Option* other) { return other->count() > 0; }))
        continue;
      const std::string value = environment(variable);
      if (value.empty()) continue;
      const Rule* rule = broken(flag);
      if (!rule || (rule->by_value && rule->by_value(value))) take(*flag, variable, value);
    }
  }
  // A flag may have no effect with its own value, or with that of a later one.
  for (CLI::Option* flag : get_options([](const CLI::Option*) { return true; }))
    if (taken_.contains(flag) && broken(flag)) {
      if (const std::string value = flag->get_default_str(); !value.empty()) take(*flag, "", value);
      taken_.erase(flag);
      from_environment_.erase(long_name(flag));
    }
}

const Flags::Rule* Flags::broken(const CLI::Option* flag) const {
  const auto rule =
      std::find_if(rules_.begin(), rules_.end(), [&](const Rule& r) { return r.flag == flag && !r.has_effect(); });
  return rule == rules_.end() ? nullptr : &*rule;
}

void Flags::complete(const Environment& environment) {
  const Environment its = no_environment_ ? Environment{} : environment;
  apply_preset(its);
  if (its) take_all(its);
  for (const CLI::Option* flag : get_options())
    if (flag->count() > 0)
      if (const Rule* rule = broken(flag))
        throw NoEffect(long_name(flag), fmt::format("{}: has no effect {}", long_name(flag), rule->otherwise()));
}

std::vector<SpeltFlag> Flags::spelt() const {
  std::vector<SpeltFlag> all;
  for (const CLI::Option* flag : get_options()) {
    if (flag->get_group() == help_group || flag->get_group().empty() || broken(flag)) continue;
    SpeltFlag spelt{.name = flag->get_positional() ? "" : long_name(flag),
                    .bare = !has_value(flag),
                    .path = flag->get_type_name() == "FILE" || flag->get_type_name() == "DIR",
                    .by_hand = flag->count() > 0,
                    .given = flag->count() > 0 || taken_.contains(flag)};
    const auto taken = taken_.find(flag);
    if (spelt.bare) {
      if (flag->count() == 0 || !flag->as<bool>()) continue;
    } else if (flag->count() > 0) {
      spelt.values = flag->results();
    } else if (taken != taken_.end()) {
      spelt.values = taken->second;
    } else if (!flag->get_default_str().empty()) {
      spelt.values = {flag->get_default_str()};
    }
    all.push_back(std::move(spelt));
  }
  return all;
}

std::vector<std::string> Flags::groups() const {
  std::vector<std::string> all;
  for (const CLI::Option* flag : get_options()) {
    const std::string& group = flag->get_group();
    if (!group.empty() && group != help_group && !flag->get_positional() &&
        std::find(all.begin(), all.end(), group) == all.end())
      all.push_back(group);
  }
  all.emplace_back(help_group);
  return all;
}

std::vector<const CLI::Option*> Flags::arguments() const {
  return get_options([](const CLI::Option* o) { return o->get_positional(); });
}

std::vector<const CLI::Option*> Flags::flags_of(const std::string& group) const {
  return get_options([&](const CLI::Option* flag) { return flag->get_group() == group && !flag->get_positional(); });
}

}  // namespace sluice::apps
