// What the commands are asked to do: the values of their flags, as plain data.
//
// Nothing here knows of a parser: a job can be made from Options that a test or a benchmark fills in. Each value says
// what it means where it is empty or 0; effective_...() is what it comes to. The flags that fill them in are declared
// in apps/flags/declarations.cpp.
// Order and thread-safety: plain values. Errors: UsageError of effective_decoder() for one that was not built in.
//
//   Options options{.epochs = 3, .batch_size = 64};
//   Training training(data.train, training_settings(options), Threads(options.effective_threads()), initial);
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/codec.hpp>
#include <sluice/stages/data_files.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/synthesize.hpp>
#include "apps/pictures/gallery.hpp"

namespace sluice::apps {

// A flag as it took effect.
struct SpeltFlag {
  std::string name{};                 // --batch-size; empty: an argument that is no flag
  std::vector<std::string> values{};  // none: the flag has none, or no default that could be given
  bool bare = false;                  // it has no value
  bool path = false;                  // the values are paths
  bool by_hand = false;               // and not by a variable or a default
  bool given = false;                 // by hand or by a variable
};

struct Options {
  stages::DataFilesWanted files;
  std::string images_key, labels_key;  // of arrays in .npz files: KEY, or TRAIN,TEST; empty: by their names
  std::string label_column;            // of a table, or of labels of several numbers; empty: by its name
  std::string ignore_columns;          // of a table, with commas between
  std::string header = "auto";         // of a table: auto, yes or no
  std::string separator = "auto";      // of a table: auto, tab, or a character
  std::string missing = "auto";        // cells of a table: auto, error, zero, mean or skip
  std::size_t classes = 0;             // 0: counted from the labels
  std::string decoder = "auto";        // auto, zlib or libdeflate
  std::size_t decoder_memory = stages::usual_decoder_memory >> 20;  // MiB
  bool stream = false;                                              // the data stay in their files
  bool no_index = false;                                            // index files are passed over
  std::string index_cache;         // the folder in which they lie; empty: beside the files
  std::size_t shuffle_buffer = 0;  // rows; 0: as many as 16 MiB hold, at least a batch
  std::size_t lanes = 1;           // in which a set that stays in its files is read
  std::size_t epochs = 10;
  std::size_t batch_size = 256;    // rows
  std::string preset = "chapter";  // what the flags below are where they are not given
  std::string optimizer = "sgd";   // sgd, momentum, nesterov, adam or adamw
  double lr = 0.1;
  double momentum = 0.9;               // of momentum and nesterov
  double beta1 = 0.9;                  // of adam and adamw
  double beta2 = 0.999;                // of the same
  double weight_decay = 0;             // of the weights, not of the bias
  std::string schedule = "constant";   // constant, linear, cosine or step
  std::string warmup = "0";            // N steps or Ne epochs
  double average = 0;                  // share of the steps, at the end, over which the weights are averaged; 0: none
  std::string class_weight = "equal";  // equal or balanced
  std::string validation;  // share of the training set, or K/N of it, or files; empty: none, or those of the next
  stages::InputFiles validation_images, validation_labels;
  std::size_t patience = 0;      // epochs without a better one, until the run ends; 0: it does not
  std::string keep = "last";     // last or best
  std::string best_by = "loss";  // loss or accuracy, of the validation
  std::uint64_t seed = 0;
  std::size_t threads = 0;                         // 0: as many as this process may use
  std::size_t shards = 0;                          // 0: follows from threads and batch size
  std::vector<std::string> concurrency, capacity;  // STAGE=N
  std::string isa;                                 // empty: the best that the machine has
  std::string checkpoint;                          // file; empty: none
  std::string checkpoint_every;                    // N steps or Ne epochs; empty: every epoch
  std::string resume;                              // auto, no or a file; empty: auto
  std::string output;
  bool json = false, quiet = false, dot = false, svg = false;
  std::string drawn = "all";        // of the graphs
  std::optional<bool> progress;     // nothing: as stderr is
  std::string log_format = "text";  // text or jsonl
  bool profile = false;
  std::string trace, picture, report;  // files; empty: none
  std::size_t trace_steps = 1000;
  std::string class_names;       // NAME,NAME,... or @FILE
  std::string scale;             // of the pixels; empty: what is usual for their type, or the model's own
  bool standardize = false;      // each pixel to mean 0 and deviation 1
  std::string model;             // of eval and predict
  bool dump_flags = false;       // run nothing, print the command that repeats the run
  std::string command;           // train, graph, eval or predict
  std::vector<SpeltFlag> spelt;  // all of these as flags

  // Of several processes, one of them (apps/ranks).
  std::size_t rank = 0, ranks = 1;
  std::string exchange = "auto";             // auto, gather or slices
  std::string one_copy = "auto";             // auto, yes or no
  std::size_t exchange_timeout = 60;         // seconds
  bool told_of_time = false;                 // the launcher tells by SIGUSR1 that the time is over
  bool writes() const { return rank == 0; }  // only one of them does

  bool keeps_checkpoints() const { return !checkpoint.empty() || resumes_from_file(); }
  // The state between two steps is wanted also of a run that was cancelled.
  bool keeps_state() const { return keeps_checkpoints() || !report.empty(); }
  bool resumes_from_file() const { return names_file(resume); }
  static bool names_file(const std::string& resume) { return !resume.empty() && resume != "auto" && resume != "no"; }
  // What looks like a number is none of a file, which ./0.1 is.
  static bool names_a_part(const std::string& validation);
  bool holds_out() const { return names_a_part(validation); }  // a part of the training set
  bool validates_by_files() const { return !validation_images.empty() || (!validation.empty() && !holds_out()); }
  bool validates() const { return holds_out() || validates_by_files(); }
  // Of so many epochs is a job whose steps depend on how many are to come.
  bool epochs_decide() const { return schedule != "constant" || average > 0; }
  struct Every {
    std::uint64_t steps = 0, epochs = 0;       // one of them is 0
    static Every of(const std::string& text);  // N, or Ne
  };
  Every effective_every() const;
  std::size_t effective_threads() const;
  std::size_t effective_shards(const stages::DataShape& shape) const;
  float effective_divisor(const stages::DataShape& shape) const;  // of the pixels in training
  std::string effective_decoder() const;                          // zlib or libdeflate
  std::size_t decoder_bytes() const { return decoder_memory << 20; }
  // Rows of it for a set of so many images.
  std::size_t effective_shuffle_buffer(std::size_t image_bytes, std::size_t images) const;
};

inline constexpr std::size_t most_threads = 1024;

// What only sweep takes, beside the Options that it shares with train.
struct SweepOptions {
  struct Flag {
    std::string name{}, values{};  // with commas between, or A..B; empty: not given
  };
  std::deque<Flag> flags{};  // of training
  std::size_t random = 0;    // configurations of the grid; 0: all
  std::size_t folds = 0;     // of a cross-validation; 0: none
  bool halving = false;
  std::string state, csv;  // files; empty: none
};

struct SynthOptions {
  std::string folder;
  std::uint64_t train = 60'000, test = 10'000;  // images
  stages::SynthesisOptions images;
  std::size_t threads = 0;  // 0: as many as this process may use
  bool force = false, json = false;
};

struct FetchOptions {
  std::string name, folder;  // of the data set; where to, empty: a folder of its name
  std::vector<std::string> mirrors,
      digests;               // in place of the set's; FILE=SHA256, in place of those that were published
  std::size_t timeout = 30;  // seconds
  bool list = false, force = false;
};

// What only eval takes, beside the Options that it shares with others.
struct EvalOptions {
  stages::InputFiles images, labels;  // empty: those of the folder
  bool csv = false;
};

// The same for predict.
struct PredictOptions {
  stages::InputFiles images, labels;  // labels: of the gallery
  std::string gallery;                // file; empty: none
  std::size_t gallery_images = usual_gallery;
  std::size_t top_k = 1;
  bool probabilities = false;
  std::string format = "jsonl";  // or csv
};

struct IndexOptions {
  std::vector<std::string> files;
  std::string folder;  // to write into; empty: beside the files
  bool json = false;
};

struct InspectOptions {
  std::vector<std::string> files;
  std::size_t decoder_memory = stages::usual_decoder_memory >> 20;  // MiB
  bool json = false;
};

}  // namespace sluice::apps
