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

std::string ImagesWanted::text() const {
  return rows ? size_text(planes, rows, columns, false) : fmt::format("{}", pixels);
}

void check_images(const Rows& in, const ImagesWanted& wanted, const std::string& images) {
  const ItemShape& shape = in.shape;
  const bool same_shape =
      !wanted.rows || shape.flat ||
      (shape.planes == wanted.planes && shape.rows == wanted.rows && shape.columns == wanted.columns);
  if (wanted.pixels == 0 || (shape.pixels() == wanted.pixels && same_shape)) return;
  throw DataError(fmt::format("{}: images of {}, expected {} pixels{}: was the model trained on others?", images,
                              pixels_text(shape), wanted.text(),
                              wanted.model.empty() ? "" : ", as " + wanted.model + " was trained on"));
}

void Unlabelled::operator()(const Rows& in, Batch& out) const {
  check_images(in, wanted, images);
  out.rows.assign(in.at.begin(), in.at.end());
  out.labels.clear();
  out.upcoming.clear();
  out.owners.assign(in.owners.begin(), in.owners.end());
  out.first = in.first;
  out.pixels = static_cast<std::size_t>(in.shape.pixels());
  const PictureShape picture = picture_shape(in.shape);
  out.columns = picture.columns, out.planes = picture.planes;
  out.type = in.type;
}

void Join::operator()(const LabelledRows& in, Batch& out) const {
  check_as_many(in, file_by_file, images, labels);
  const auto& [its, of_them] = in;
  Unlabelled{.wanted = wanted, .images = images}(its, out);
  for (std::size_t i = 0; i < its.count(); ++i) out.labels.push_back(label_of(of_them.type, of_them.at[i]));
}

}  // namespace sluice::stages
