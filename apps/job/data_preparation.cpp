#include "apps/job/data_preparation.hpp"

#include "apps/job/load.hpp"
#include "apps/job/scan.hpp"

namespace sluice::apps {

std::unique_ptr<DataPreparation> data_preparation(bool stream, const stages::DataFiles& files,
                                                  const DataSettings& settings, const Threads& threads) {
  if (stream) return std::make_unique<FileScan>(files, settings, threads);
  return std::make_unique<Loading>(files, settings, threads);
}

void check_alike(const stages::DataShape& train, const stages::DataShape& test, const DataSettings& settings) {
  stages::check_same_size(train, test);
  if (!settings.scale_is_given) stages::check_same_scale(train, test);
}

JobData data_to_come(bool stream, const stages::DataFiles& files, const DataSettings& settings,
                     const stages::DataShape& shape, std::size_t train_images) {
  static const stages::DataSet none;
  JobData data{LabelledSet(shape, train_images), LabelledSet(shape, 0), {}};
  data.train.images = files.train_images, data.train.labels = files.train_labels;
  data.test.images = files.test_images, data.test.labels = files.test_labels;
  for (LabelledSet* set : {&data.train, &data.test}) {
    set->decoder = settings.read.decoder, set->index = settings.read.index;
    set->decoder_memory = settings.read.decoder_memory;
  }
  static const stages::FeatureTransform unknown;
  if (settings.transforms())
    for (LabelledSet* set : {&data.train, &data.test}) set->transform_by(unknown);
  if (!stream) data.train.in_memory = data.test.in_memory = &none;
  return data;
}

}  // namespace sluice::apps
