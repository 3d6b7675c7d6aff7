#include "apps/job/settings.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "apps/job/input.hpp"
#include "apps/job/usage_error.hpp"

namespace sluice::apps {

void check_index_folder(const std::string& folder) {
  std::error_code none;
  if (!folder.empty() && !std::filesystem::is_directory(folder, none))
    throw UsageError(fmt::format("--index-cache {}: is no folder", folder));
}

stages::Optimizer optimizer(const Options& o, std::size_t steps_an_epoch) {
  using Optimizer = stages::Optimizer;
  using Schedule = stages::Schedule;
  using OfOptimizer = std::pair<const char*, Optimizer::Kind>;
  using OfSchedule = std::pair<const char*, Schedule::Kind>;
  const auto kind = [](const auto& kinds, const std::string& name) {
    return std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& one) { return one.first == name; })->second;
  };
  constexpr OfOptimizer optimizers[] = {{"sgd", Optimizer::Kind::sgd},
                                        {"momentum", Optimizer::Kind::momentum},
                                        {"nesterov", Optimizer::Kind::nesterov},
                                        {"adam", Optimizer::Kind::adam},
                                        {"adamw", Optimizer::Kind::adamw}};
  constexpr OfSchedule schedules[] = {{"constant", Schedule::Kind::constant},
                                      {"linear", Schedule::Kind::linear},
                                      {"cosine", Schedule::Kind::cosine},
                                      {"step", Schedule::Kind::step}};
  Optimizer result{.kind = kind(optimizers, o.optimizer),
                   .rate = o.lr,
                   .momentum = o.momentum,
                   .beta1 = o.beta1,
                   .beta2 = o.beta2,
                   .weight_decay = o.weight_decay};
  const Options::Every warmup = Options::Every::of(o.warmup);
  if (warmup.epochs >= o.epochs)
    throw UsageError(fmt::format("--warmup {}: expected fewer than the {} of --epochs", o.warmup, o.epochs));
  const std::uint64_t total = std::uint64_t{o.epochs} * steps_an_epoch;
  if (total > 0) {
    result.schedule = {.kind = kind(schedules, o.schedule),
                       .warmup = warmup.epochs ? warmup.epochs * steps_an_epoch : warmup.steps,
                       .total = total};
    if (result.schedule.warmup >= total)
      throw UsageError(fmt::format("--warmup {}: expected fewer than the {} steps of the run", o.warmup, total));
  }
  // At least the last step.
  if (o.average > 0)
    result.average_from =
        total -
        std::min(total, std::max<std::uint64_t>(1, static_cast<std::uint64_t>(o.average * static_cast<double>(total))));
  return result;
}

TrainingSettings training_settings(const Options& o, std::size_t images) {
  if (o.lanes > o.batch_size)
    throw UsageError(
        fmt::format("--lanes {}: more than the {} of a batch, expected a row of each in every step (--batch-size)",
                    o.lanes, o.batch_size == 1 ? "1 row" : fmt::format("{} rows", o.batch_size)));
  if (images > 0 && o.lanes > images)
    throw UsageError(
        fmt::format("--lanes {}: more than the {} rows to train on, expected a row for each", o.lanes, images));
  if (o.stream && o.lanes < o.ranks)
    throw UsageError(
        fmt::format("--stream with {} processes: expected --lanes {} or more, one for each (8 leave room for "
                    "more; the result depends on it){}",
                    o.ranks, o.ranks, o.lanes > 1 ? fmt::format(", not {}", o.lanes) : ""));
  return {.batch_size = o.batch_size,
          .optimizer = optimizer(o, (images + o.batch_size - 1) / o.batch_size),
          .seed = o.seed,
          .shuffle_buffer = o.shuffle_buffer,
          .lanes = o.lanes,
          .shards = o.shards,
          .last_epoch = o.epochs,
          .keeps_state = o.keeps_state(),
          .rank = o.rank,
          .ranks = o.ranks,
          .exchange = o.exchange == "gather"   ? stages::ExchangeWay::gather
                      : o.exchange == "slices" ? stages::ExchangeWay::slices
                                               : stages::ExchangeWay::automatic};
}

namespace {

// The column of labels of several numbers, counted from 0, where one is asked for by its number, counted from 1.
std::optional<std::size_t> label_column_number(const Options& o) {
  std::size_t number = 0;
  const char* const end = o.label_column.data() + o.label_column.size();
  const auto [behind, error] = std::from_chars(o.label_column.data(), end, number);
  return error == std::errc() && behind == end && number > 0 ? std::optional(number - 1) : std::nullopt;
}

}  // namespace

ReadItems read_settings(const Options& o) {
  check_index_folder(o.index_cache);
  return {.decoder = o.effective_decoder() == "libdeflate" ? Decoder::libdeflate : Decoder::zlib,
          .decoder_memory = o.decoder_bytes(),
          .index = {.used = !o.no_index, .folder = o.index_cache},
          .label_column = label_column_number(o)};
}

ReadTable table_settings(const Options& o) {
  using stages::Missing, stages::TableHeader;
  stages::TableWanted wanted;
  wanted.separator = o.separator == "auto" ? '\0' : o.separator == "tab" ? '\t' : o.separator.front();
  wanted.header = o.header == "auto" ? TableHeader::found : o.header == "yes" ? TableHeader::yes : TableHeader::no;
  wanted.label_column = o.label_column;
  if (!o.ignore_columns.empty()) wanted.ignored = stages::between_commas(o.ignore_columns);
  const Missing missing = o.missing == "zero"   ? Missing::zero
                          : o.missing == "mean" ? Missing::mean
                          : o.missing == "skip" ? Missing::skip
                                                : Missing::error;
  return {.wanted = std::move(wanted), .missing = missing};
}

namespace {

// These files are read more than once, so none is the standard input, which `-` is in other commands.
void check_no_dash(const Options& o) {
  const stages::DataFiles& named = o.files.named;
  std::error_code none;
  for (const auto& [flag, files] : {std::pair("--train", &named.train),
                                    {"--train-images", &named.train_images},
                                    {"--train-labels", &named.train_labels},
                                    {"--test", &named.test},
                                    {"--test-images", &named.test_images},
                                    {"--test-labels", &named.test_labels}})
    for (const std::string& path : files->paths())
      if (path == "-" && !std::filesystem::exists(path, none))
        throw UsageError(fmt::format("{} -: {} reads no standard input: name a file", flag, o.command));
}

}  // namespace

stages::DataFilesWanted data_wanted(const Options& o) {
  check_no_dash(o);
  stages::DataFilesWanted wanted = o.files;
  wanted.decoder_memory = o.decoder_bytes();
  if (!o.validation.empty() && !o.holds_out())
    wanted.named.validation = stages::InputFiles::parse(o.validation, stages::Dash::a_file);
  wanted.named.validation_images = o.validation_images, wanted.named.validation_labels = o.validation_labels;
  const auto split = [](const char* flag, const std::string& keys, const std::array<std::string*, 3>& sets) {
    const std::vector<std::string> all = stages::between_commas(keys);
    if (all.size() > sets.size())
      throw UsageError(fmt::format("{} {}: expected a key, or TRAIN,TEST or TRAIN,TEST,VALIDATION", flag, keys));
    *sets[0] = all.front(), *sets[1] = all[std::min<std::size_t>(1, all.size() - 1)];
    *sets[2] = all.size() == 2 ? "" : all.back();  // by its name, where only the others are named
  };
  split("--images-key", o.images_key,
        {&wanted.train_keys.images, &wanted.test_keys.images, &wanted.validation_keys.images});
  split("--labels-key", o.labels_key,
        {&wanted.train_keys.labels, &wanted.test_keys.labels, &wanted.validation_keys.labels});
  return wanted;
}

void check_flags_of_formats(const Options& o, const std::vector<stages::InputFiles>& files) {
  if (std::any_of(files.begin(), files.end(), waits)) return;  // nobody knows what comes
  const auto any = [&](auto is) { return std::any_of(files.begin(), files.end(), is); };
  const bool tables = any([](const stages::InputFiles& one) { return one.is_table(); });
  const bool members = any([](const stages::InputFiles& one) { return !one.member().empty(); });
  const auto given = [&](std::string_view name) {  // auto claims nothing
    return std::any_of(o.spelt.begin(), o.spelt.end(), [&](const SpeltFlag& flag) {
      return flag.by_hand && flag.name == name && flag.values != std::vector<std::string>{"auto"};
    });
  };
  for (const char* flag : {"--ignore-columns", "--header", "--separator", "--missing"})
    if (!tables && given(flag)) throw UsageError(fmt::format("{}: has no effect: none of the files is a table", flag));
  for (const char* flag : {"--images-key", "--labels-key"})
    if (!members && given(flag)) throw UsageError(fmt::format("{}: has no effect: none of the files is a .npz", flag));
  if (!tables && given("--label-column") && !label_column_number(o))
    throw UsageError(
        fmt::format("--label-column {}: the labels are an array, expected the number of a column, 1 for the first",
                    o.label_column));
}

DataSettings data_settings(const Options& o) {
  return {.classes = o.classes,
          .scale_is_given = !o.scale.empty(),
          .standardize = o.standardize,
          .digests = o.keeps_checkpoints() || !o.output.empty() || o.ranks > 1,
          .table = table_settings(o),
          .read = read_settings(o)};
}

}  // namespace sluice::apps
