#include <sluice/stages/join.hpp>

#include <fmt/core.h>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/label.hpp>

namespace sluice::stages {

std::string not_as_many(const std::string& images, const std::string& labels) {
  return fmt::format(
      "{} and {} have different numbers of images and labels, expected as many: do the two belong "
      "together?",
      images, labels);
}

void check_as_many(const LabelledRows& in, bool file_by_file, const std::string& images, const std::string& labels) {
  const auto& [rows, of_rows] = in;
  if (rows.count() == of_rows.count() && (!file_by_file || rows.begins == of_rows.begins)) return;
  throw DataError(not_as_many(images, labels));
}

void check_pixels(const Rows& in, std::size_t pixels, const std::string& images) {
  if (pixels == 0 || in.shape.pixels() == pixels) return;
  throw DataError(fmt::format("{}: images of {} x {} pixels, expected {} pixels: was the model trained on others?",
                              images, in.shape.rows, in.shape.columns, pixels));
}

void Unlabelled::operator()(const Rows& in, Batch& out) const {
  check_pixels(in, pixels, images);
  out.rows.assign(in.at.begin(), in.at.end());
  out.labels.clear();
  out.upcoming.clear();
  out.owners.assign(in.owners.begin(), in.owners.end());
  out.first = in.first;
  out.pixels = static_cast<std::size_t>(in.shape.pixels());
  out.columns = static_cast<std::size_t>(in.shape.columns);
  out.type = in.type;
}

void Join::operator()(const LabelledRows& in, Batch& out) const {
  check_as_many(in, file_by_file, images, labels);
  const auto& [its, of_them] = in;
  Unlabelled{.pixels = pixels, .images = images}(its, out);
  for (std::size_t i = 0; i < its.count(); ++i) out.labels.push_back(label_of(of_them.type, of_them.at[i]));
}

}  // namespace sluice::stages
