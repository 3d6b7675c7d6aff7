// What an epoch of training, or a test, came to.
//
// Plain values; means() is a pure function: sums over rows -> their means, 0 of no rows. Errors: none.
//
//   const Epoch epoch{.number = 1, .train = means(sums), .test = evaluation.run(weights), .seconds = 0.03};
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/stages/accumulator.hpp>

namespace sluice::apps {

// Means over the rows of an epoch or of a data set.
struct Metrics {
  double loss = 0;
  double accuracy = 0;
  std::size_t count = 0;  // rows
};

// sums: of "loss", "hits" and "count", as stages::Accumulate has them.
Metrics means(const stages::Accumulator& sums);

// A complete epoch.
struct Epoch {
  std::size_t number = 0;  // from 1 on
  Metrics train, test;
  double seconds = 0;                                                         // of training alone
  std::optional<Metrics> validation{};                                        // where a part is held out
  double rate() const { return static_cast<double>(train.count) / seconds; }  // samples per second
};

// By which of the validation's an epoch is the best one.
enum class BestBy { loss, accuracy };

// The place of the best one, the first of them where there are several; nothing where none has a validation.
std::optional<std::size_t> best_of(const std::vector<Epoch>& epochs, BestBy by);

// {"epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds"}, and where there is a validation
// "validation_loss" and "validation_accuracy".
nlohmann::ordered_json to_json(const Epoch& epoch);

}  // namespace sluice::apps
