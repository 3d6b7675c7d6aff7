#include <sluice/stages/collect_table.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace sluice::stages {

void CollectTable::operator()(const TableRows& in) {
  totals.add(in);
  // Also where its rows were all left out: where pieces begin and end changes nothing.
  if (in.type == Pixel::float32) type_ = Pixel::float32;
  if (in.count == 0) return;
  runs_.push_back({rows_.size(), in.count, in.type, in.owner});
  const std::size_t bytes = features() * (in.type == Pixel::uint8 ? 1 : sizeof(float));
  for (std::size_t i = 0; i < in.count; ++i) rows_.push_back(in.data + i * bytes);
  for (std::size_t i = 0; i < in.labels.size(); ++i) codes_.push_back(totals.label(in, i));
}

void CollectTable::finish() {
  totals.finish();
  if (type_ == Pixel::float32) widen();
}

void CollectTable::reset() {
  totals.reset();
  type_ = Pixel::uint8;
  rows_.clear();
  codes_.clear();
  runs_.clear();
}

std::vector<Shared<Bytes>> CollectTable::owners() const {
  std::vector<Shared<Bytes>> all;
  for (const Run& run : runs_)
    if (all.empty() || all.back().get() != run.owner.get()) all.push_back(run.owner);
  return all;
}

Column<std::uint16_t> CollectTable::labels(const TableClasses& classes) const {
  const ClassOfCode class_of = totals.labels.class_of_code(classes, totals.files, *totals.layout);
  Column<std::uint16_t> all;
  all.reserve(codes_.size());
  for (const std::uint32_t code : codes_) all.push_back(class_of(code));
  return all;
}

void CollectTable::widen() {
  const std::size_t bytes = features() * sizeof(float);
  for (Run& run : runs_) {
    if (run.type == Pixel::float32) continue;
    const Shared<Bytes> before = run.owner;  // until they are copied
    const std::uint8_t* const from = rows_[run.first];
    std::uint8_t* const place = memory_->place(run.count * bytes, run.owner);
    std::copy_n(from, run.count * features(), reinterpret_cast<float*>(place));
    for (std::size_t i = 0; i < run.count; ++i) rows_[run.first + i] = place + i * bytes;
    run.type = Pixel::float32;
  }
}

DataSet make_data_set(CollectTable table, const TableClasses& classes) {
  CollectLabels labels{.files = table.totals.files, .labels = table.labels(classes)};
  const ItemCounts counts{table.size()};
  labels.counts = counts;
  CollectImages images{.files = table.totals.files,
                       .shape = {.count = table.size(),
                                 .columns = table.totals.layout->features.size(),
                                 .type = table.type() == Pixel::uint8 ? ElementType::uint8 : ElementType::float32,
                                 .flat = true},
                       .images = std::move(table.rows_),
                       .counts = counts,
                       .owners = table.owners()};
  return make_data_set(std::move(images), std::move(labels),
                       classes.count ? std::optional(classes.count) : std::nullopt);
}

}  // namespace sluice::stages
