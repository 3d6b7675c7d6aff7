// The flags of the program: each declared once, for every subcommand that takes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/data_files.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/synthesize.hpp>
#include "apps/flags.hpp"
#include "apps/gallery.hpp"

namespace sluice::apps {

struct Options {
  stages::DataFilesWanted files;
  std::size_t classes = 0;         // 0: counted from the labels
  std::string decoder = "auto";    // auto, zlib or libdeflate
  bool stream = false;             // the data stay in their files
  std::size_t shuffle_buffer = 0;  // rows; 0: as many as usual_shuffle_bytes hold
  std::size_t epochs = 10;
  std::size_t batch_size = 256;  // rows
  double lr = 0.1;
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
  std::optional<bool> progress;     // nothing: as stderr is
  std::string log_format = "text";  // text or jsonl
  bool profile = false;
  std::string trace, picture, report;  // files; empty: none
  std::size_t trace_steps = 1000;
  std::string class_names;  // NAME,NAME,... or @FILE
  std::string scale;        // of the pixels; empty: what is usual for their type, or the model's own
  std::string model;        // of eval and predict
  bool dump_flags = false;
  std::string command;           // train, graph, eval or predict
  std::vector<SpeltFlag> spelt;  // all of these as flags

  bool keeps_checkpoints() const { return !checkpoint.empty() || resumes_from_file(); }
  // The state between two steps is wanted also of a run that was cancelled.
  bool keeps_state() const { return keeps_checkpoints() || !report.empty(); }
  bool resumes_from_file() const { return !resume.empty() && resume != "auto" && resume != "no"; }
  struct Every {
    std::uint64_t steps = 0, epochs = 0;  // one of them is 0
  };
  Every effective_every() const;
  std::size_t effective_threads() const;
  std::size_t effective_shards() const;
  float effective_divisor(stages::IdxType stored) const;  // of the pixels in training
  std::string effective_decoder() const;                  // zlib or libdeflate
  // Rows of it for a set of so many images.
  std::size_t effective_shuffle_buffer(std::size_t image_bytes, std::size_t images) const;
};

inline constexpr std::size_t usual_shuffle_bytes = 16 * 1024 * 1024;
inline constexpr std::size_t most_threads = 1024;

struct SynthOptions {
  std::string folder;
  std::uint64_t train = 60'000, test = 10'000;  // images
  stages::SynthesisOptions images;
  std::size_t threads = 0;  // 0: as many as this process may use
  bool force = false, json = false;
};

// Of eval and predict, beside the Options that they have in common with others.
struct EvalOptions {
  std::string images, labels;  // empty: those of the folder
  bool csv = false;
};

struct PredictOptions {
  std::string images, labels;  // labels: of the gallery
  std::string gallery;         // file; empty: none
  std::size_t gallery_images = usual_gallery;
  std::size_t top_k = 1;
  bool probabilities = false;
  std::string format = "jsonl";  // or csv
};

struct InspectOptions {
  std::vector<std::string> files;
  bool json = false;
};

void add_data_flags(Flags& command, Options& options);
void add_batch_flag(Flags& command, Options& options);  // one of those of training
void add_training_flags(Flags& command, Options& options);
void add_checkpoint_flags(Flags& command, Options& options);
void add_run_flags(Flags& command, Options& options);  // some of those of the graph
void add_graph_flags(Flags& command, Options& options);
void add_kernel_flags(Flags& command, Options& options);
void add_dump_flag(Flags& command, Options& options);
void add_output_flags(Flags& command, Options& options);
void add_observe_flags(Flags& command, Options& options);
void add_eval_flags(Flags& command, Options& options, EvalOptions& of_eval);
void add_predict_flags(Flags& command, Options& options, PredictOptions& of_predict);
void add_synth_flags(Flags& command, SynthOptions& options);
void add_inspect_flags(Flags& command, InspectOptions& options);

}  // namespace sluice::apps
