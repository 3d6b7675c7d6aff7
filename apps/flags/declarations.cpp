#include "apps/flags/declarations.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include <sluice/stages/model.hpp>
#include "apps/flags/checks.hpp"
#include "apps/job/options.hpp"
#include "apps/pictures/gallery.hpp"

namespace sluice::apps {
namespace {

using Command = CommandLine::Command;
using stages::Dash;

constexpr const char* graph_title = "Graph (none of these changes a result)";
constexpr const char* images_of_any_kind =
    "Images: IDX, .npy or .npz of any type, compressed or plain; several with commas between";
constexpr std::size_t most_shards = 4096, most_lanes = 1024;
const Flags::Values model_file{.endings = {".safetensors"}};

// The stages of a command's graphs, by what stands before the dot: the maps, and those behind which there is room.
// Which of them there are depends on other flags. A test asks the graphs.
struct Stages {
  std::vector<std::string> maps, with_room;
};
const Stages stages_of_train{.maps = {"inflate", "parse", "transform", "batch", "forward", "gradient", "loss",
                                      "accuracy", "exchange", "reduce", "sgd"},
                             .with_room = {"pieces",   "inflate", "verify", "cut",   "number", "parse",  "rows",
                                           "pair",     "shuffle", "lanes",  "batch", "work",   "shard",  "loss",
                                           "accuracy", "plan",    "sums",   "due",   "slice",  "gather", "weights"}};
const Stages stages_of_eval{.maps = {"inflate", "batch", "forward", "loss", "accuracy"},
                            .with_room = {"pieces", "inflate", "verify", "parse", "rows", "pair"}};
const Stages stages_of_predict{.maps = {"inflate", "transform", "batch", "forward", "lines"},
                               .with_room = {"pieces", "inflate", "verify", "parse", "rows"}};

// A flag for each of the files of a folder that have customary names.
struct NamedFiles {
  const char* flag;
  stages::InputFiles& files;
  const char* what;
};

// A file of images and labels, beside those for the two alone.
struct NamedSet {
  const char* flag;
  stages::InputFiles& files;
  const char* what;
  std::vector<NamedFiles> parts;
};

void declare_folder(Flags& flags, std::string& folder, const char* what, const char* where_all_are_named, Dash dash,
                    const std::vector<NamedSet>& sets) {
  const FlagGroup data = flags.group("Data");
  const auto not_all_are_named = [sets] {
    return std::any_of(sets.begin(), sets.end(), [](const NamedSet& set) {
      return set.files.empty() &&
             std::any_of(set.parts.begin(), set.parts.end(), [](const NamedFiles& one) { return one.files.empty(); });
    });
  };
  const Flag all = data.file("--data DIR|FILE", folder, what)
                       .values({.endings = {".npz"}})
                       .by_default("Debian's Fashion-MNIST")
                       .only_where(not_all_are_named, where_all_are_named);
  for (const NamedSet& set : sets) {
    const Flag both = data.inputs(set.flag, set.files, dash, set.what).by_default("that of --data").yields_to(all);
    for (const NamedFiles& one : set.parts)
      data.inputs(one.flag, one.files, dash, one.what).by_default("that of --data").yields_to(all).excludes(both);
  }
}

// Where in a file images and labels are.
void declare_contents(const FlagGroup& data, Options& o) {
  data.value("--images-key KEY", o.images_key, named(),
             "Array of images in .npz files; two or three with commas between: in those to train on, to test on, to "
             "validate on")
      .by_default("by its name: x_train, train_images and the like");
  data.value("--labels-key KEY", o.labels_key, named(), "Array of labels in .npz files, as --images-key")
      .by_default("by its name: y_train, train_labels and the like");
  data.value("--label-column COLUMN", o.label_column, named(),
             "Of a table, the column of the labels: its name, or its number, 1 for the first and -1 for the last; of "
             "labels "
             "of several numbers in .npy and IDX its number")
      .by_default("the one called label, class, target or y");
  data.value("--ignore-columns COLUMNS", o.ignore_columns, named(),
             "Of a table, columns that are neither label nor feature, with commas between")
      .by_default("none");
  data.choice("--header WHETHER", o.header, {"auto", "yes", "no"},
              "Whether a table begins with the names of its columns");
  data.value("--separator CHARACTER", o.separator, separator(), "Between the cells of a table: a comma, ;, | or tab")
      .values({.words = {"auto", "tab"}});
  data.choice(
      "--missing HOW", o.missing, {"auto", "error", "zero", "mean", "skip"},
      "What becomes of cells of a table that are empty or NA: an error, 0, the mean of the column in the training "
      "set, or no row; auto is mean for a model that was trained with it, else an error");
}

Flag declare_scale(const FlagGroup& group, Options& o, const char* by_default) {
  return group
      .value("--scale SCALE", o.scale, scale(), "What pixels are multiplied by: a number, or 1 through one, as 1/255")
      .by_default(by_default);
}

Flag declare_class_names(const FlagGroup& group, Options& o, const char* what, const char* by_default) {
  return group.value("--class-names NAMES", o.class_names, named(), what).by_default(by_default);
}

void declare_threads(const FlagGroup& group, std::size_t& threads) {
  group.value("--threads N", threads, whole(1, most_threads), "Threads to run on")
      .by_default("as many as the CPUs that this process may use");
}

void declare_decoder_memory(const FlagGroup& data, std::size_t& mebibytes) {
  data.value("--decoder-memory MIB", mebibytes, whole(1, 4096),
             "What a window of zstd or a dictionary of xz may take: a file that needs more is refused");
}

// What decompresses.
void declare_decoder(const FlagGroup& data, Options& o) {
  data.choice(
      "--decoder NAME", o.decoder, {"auto", "zlib", "libdeflate"},
      "What decompresses gzip: auto (libdeflate, where it was built with it), zlib (in chunks; with it other "
      "compressed files are read in chunks, too) or libdeflate (in pieces, or whole files: about twice as fast)");
  declare_decoder_memory(data, o.decoder_memory);
  const auto looked_for = [&o] { return o.decoder != "zlib"; };
  const char* const otherwise = "with --decoder zlib";
  const Flag none = data.bare("--no-index", o.no_index, "Use no index files (sluice index)");
  none.only_where(looked_for, otherwise);
  data.file("--index-cache DIR", o.index_cache, "Folder in which index files are looked for, one for each data set")
      .by_default("beside each file")
      .excludes(none)
      .only_where(looked_for, otherwise);
}

void declare_data(Flags& flags, Options& o) {
  stages::DataFiles& files = o.files.named;
  declare_folder(
      flags, o.files.folder,
      "Folder of train-images-idx3-ubyte and its siblings, of NAME_train.csv and NAME_test.csv, or of others "
      "(docs/data.md), compressed or plain; or a .npz file of all",
      "where all files are named", Dash::a_file,
      {{"--train FILE",
        files.train,
        "Rows to train on with their labels: CSV, TSV or .npz, compressed or plain; several with commas between",
        {{"--train-images FILE", files.train_images, images_of_any_kind},
         {"--train-labels FILE", files.train_labels, "Their labels"}}},
       {"--test FILE",
        files.test,
        "Rows to test on, with their labels",
        {{"--test-images FILE", files.test_images, "Images to test on"},
         {"--test-labels FILE", files.test_labels, "Their labels"}}}});
  const FlagGroup data = flags.group("Data");
  declare_contents(data, o);
  declare_scale(data, o, "1/255 for uint8 images, 1 for any other type")
      .only_where([&o] { return !o.standardize; }, "with --standardize, which scales each pixel by itself");
  data.bare(
      "--standardize", o.standardize,
      "Shift and scale each pixel to mean 0 and deviation 1 over the training set; kept in the model, for eval and "
      "predict");
  data.value("--classes N", o.classes, whole(2, stages::most_classes), "Number of classes, 2 to 65536")
      .by_default("counted from the labels");
  declare_decoder(data, o);
}

void declare_stream(Flags& flags, Options& o) {
  const FlagGroup data = flags.group("Data");
  data.bare("--stream", o.stream,
            "Hold no data set in memory, whatever its size: decompress the files anew in every epoch, while training "
            "goes on");
  data.value("--shuffle-buffer ROWS", o.shuffle_buffer, whole(1, UINT32_MAX),
             "Images of which one at random comes next; the larger, the better they are mixed")
      .by_default("as many as 16 MiB hold, and at least a batch")
      .only_where([&o] { return o.stream; }, "without --stream");
  data.value("--lanes L", o.lanes, whole(1, most_lanes),
             "Read the training set in L parts side by side, each with its share of the shuffle buffer; a step takes "
             "its rows from them in turn. What comes out depends on L, but not on what files the rows lie in; sluice "
             "index "
             "spares a lane the rows before its own")
      .only_where([&o] { return o.stream; }, "without --stream");
}

void declare_batch_size(const FlagGroup& training, Options& o) {
  training.value("--batch-size ROWS", o.batch_size, whole(1, 1 << 20), "Rows of a step");
}

// The optimiser, of which the graphs are: what it keeps takes memory.
void declare_optimizer(const FlagGroup& training, Options& o) {
  training.choice(
      "--optimizer NAME", o.optimizer, {"sgd", "momentum", "nesterov", "adam", "adamw"},
      "What a step does with the gradient: sgd, with momentum, with Nesterov's, or Adam, whose weight decay "
      "is part of the gradient, or not (adamw); these two want a rate of 0.001 to 0.01");
  training.value("--average SHARE", o.average, up_to_one(),
                 "Test and keep the mean of the weights after each step of this share of the run, its last; 0: the "
                 "weights themselves");
}

// A flag of some optimisers, which says of another what it takes.
void declare_of_optimizers(const FlagGroup& training, const char* flag, double& value, Check check, const Options& o,
                           std::vector<std::string> optimizers, const char* what) {
  const auto taken = [&o, optimizers] {
    return std::find(optimizers.begin(), optimizers.end(), o.optimizer) != optimizers.end();
  };
  const auto otherwise = [&o] {
    const bool adam = o.optimizer.starts_with("adam"), none = o.optimizer == "sgd";
    return fmt::format("with --optimizer {}, which takes {}--weight-decay", o.optimizer,
                       adam   ? "--beta1, --beta2 and "
                       : none ? ""
                              : "--momentum and ");
  };
  training.value(flag, value, std::move(check), what).only_where(taken, otherwise);
}

void declare_training(Flags& flags, Options& o) {
  const FlagGroup training = flags.group("Training");
  training
      .choice("--preset NAME", o.preset, {"chapter", "best"},
              "What the flags of this group are where nobody gives them: chapter, as the defaults here say, or best: "
              "--optimizer adam --lr 0.01 --schedule cosine. --dump-flags shows them all")
      .presets("best", {{"--optimizer", "adam"}, {"--lr", "0.01"}, {"--schedule", "cosine"}});
  training.value("--epochs N", o.epochs, whole(1, 1'000'000), "Times to go through the training set");
  declare_batch_size(training, o);
  declare_optimizer(training, o);
  training.value("--lr RATE", o.lr, positive(), "Learning rate");
  declare_of_optimizers(training, "--momentum SHARE", o.momentum, below_one(), o, {"momentum", "nesterov"},
                        "Of the step before that is taken again");
  declare_of_optimizers(training, "--beta1 SHARE", o.beta1, below_one(), o, {"adam", "adamw"},
                        "Of the mean gradient that is kept from step to step");
  declare_of_optimizers(training, "--beta2 SHARE", o.beta2, below_one(), o, {"adam", "adamw"},
                        "Of the mean squared gradient that is kept from step to step");
  training.value("--weight-decay RATE", o.weight_decay, not_negative(),
                 "What of each weight, but none of the bias, is added to its gradient");
  training.choice("--schedule NAME", o.schedule, {"constant", "linear", "cosine", "step"},
                  "What becomes of the learning rate until the last step: it stays, falls to 0 in a line or by a "
                  "cosine, or is a tenth of itself after each third of the steps");
  training.value("--warmup N|Ne", o.warmup, steps_or_epochs(0),
                 "Steps, or epochs, in which the learning rate rises from nothing; the schedule follows");
  training.value("--seed N", o.seed, whole(0, UINT64_MAX),
                 "Of the initial weights, the shuffling, and what --validation holds out");
  training
      .choice("--class-weight HOW", o.class_weight, {"equal", "balanced"},
              "What a row counts for in the gradient: as much as any other, or the less the more rows its class has")
      .only_where([&o] { return !o.stream; }, "with --stream, which does not know the classes' rows beforehand");
}

// sweep: of the one that compares by it.
Flag declare_validation(Flags& flags, Options& o, const SweepOptions* sweep = nullptr) {
  const FlagGroup validation = flags.group("Validation (the test set never decides anything)");
  const auto there = [&o, sweep] { return o.validates() || (sweep && sweep->folds > 0); };
  const char* const none = "without --validation, by which to choose";
  const Flag part =
      validation
          .value("--validation SHARE|K/N|FILE", o.validation, held_out(),
                 "Hold out this share of the training set, or the K-th of N equal parts of it, of each class "
                 "the same, by --seed, and train on the rest; or take the rows of a file, as --test does. The "
                 "model is scored by them after every epoch")
          .values({.endings = {".csv", ".tsv", ".npz", ".gz", ".zst", ".xz", ".bz2"}})
          .by_default("nothing is held out")
          .only_where([&o] { return !o.stream; }, "with --stream, which holds no rows to validate on");
  const auto held = [&o] { return !o.stream; };
  const char* const streamed = "with --stream, which holds no rows to validate on";
  for (const auto& [flag, files, what] :
       {std::tuple("--validation-images FILE", &o.validation_images, "Images to validate on, as --test-images"),
        {"--validation-labels FILE", &o.validation_labels, "Their labels"}}) {
    const Flag one = validation.inputs(flag, *files, Dash::a_file, what)
                         .by_default("those of --validation")
                         .excludes(part)
                         .yields_to(part)
                         .only_where(held, streamed);
    part.yields_to(one);
  }
  validation
      .value("--patience N", o.patience, whole(0, 1'000'000),
             "End the run when no epoch of the last N was better than the best before; 0: never")
      .only_where(there, none);
  validation
      .choice("--keep WHICH", o.keep, {"last", "best"}, "The model that is the result: of the last or the best epoch")
      .only_where(there, none);
  validation
      .choice("--best-by WHAT", o.best_by, {"loss", "accuracy"}, "By which of the validation's an epoch is better")
      .only_where([&o, sweep, there] { return o.patience > 0 || o.keep == "best" || (sweep && there()); },
                  "without --patience or --keep best");
  return part;
}

void declare_checkpoints(Flags& flags, Options& o) {
  const FlagGroup checkpoints = flags.group("Checkpoints");
  const Flag file = checkpoints.file(
      "--checkpoint FILE", o.checkpoint,
      "Keep the state of the training here, as safetensors: the same command goes on from it, with the same bits as "
      "if it had never ended, whatever ended it. The one before is kept as FILE.previous, and used where FILE is "
      "damaged; with --stream, FILE.pieces tells what need not be decompressed again. What decides the result has to "
      "stay the same: the data and how they are read, the flags of training, --validation and --keep, --classes, "
      "--scale, "
      "--standardize, --stream, --shuffle-buffer and --lanes; --epochs may grow, unless --schedule or --average "
      "depends on it");
  file.values(model_file);
  checkpoints
      .value("--checkpoint-every N|Ne", o.checkpoint_every, steps_or_epochs(1),
             "Steps between two checkpoints, or epochs: 10e; there is one more at the end, and when SIGINT, SIGTERM or "
             "SIGHUP ends the run")
      .by_default("1e")
      .only_where([&o] { return !o.checkpoint.empty(); }, "without --checkpoint FILE");
  checkpoints
      .value("--resume auto|FILE|no", o.resume, named(),
             "auto: go on from --checkpoint, if it is there; no: begin anew and replace it; FILE: begin from this one, "
             "which is only read, unless --checkpoint is there (./no for one of that name)")
      .values({.words = {"auto", "no"}, .endings = model_file.endings})
      .by_default("auto")
      .only_where([&o] { return o.keeps_checkpoints(); }, "without --checkpoint FILE, unless it names a file itself",
                  Options::names_file);
}

void declare_run(Flags& flags, Options& o, const Stages& stages) {
  const FlagGroup graph = flags.group(graph_title);
  declare_threads(graph, o.threads);
  graph.repeatable("--concurrency STAGE=N", o.concurrency, "At most N bodies of a map at once; repeatable")
      .values({.words = stages.maps, .behind = "="});
  graph.repeatable("--capacity STAGE=N", o.capacity, "Messages that may lie behind a stage; repeatable")
      .values({.words = stages.with_room, .behind = "="});
}

void declare_shards(Flags& flags, Options& o) {
  flags.group(graph_title)
      .value("--shards N", o.shards, whole(1, most_shards), "Parts of a batch that are worked on at once")
      .by_default("follows from --threads, --batch-size and the images");
}

void declare_ranks(Flags& flags, Options& o) {
  const FlagGroup ranks = flags.group("Several processes (mpirun -np N sluice train ...)");
  ranks.choice(
      "--exchange WAY", o.exchange, {"auto", "gather", "slices"},
      "How the sums of a step get to all: gather: each gets what the others have; slices: each adds up a slice "
      "and hands it on; auto: by how many processes and bytes there are");
  ranks
      .choice("--one-copy WHEN", o.one_copy, {"auto", "yes", "no"},
              "One process of each host loads the data, and the others see its copy: auto: where as many copies as "
              "there are processes would take more than half of the memory that is free")
      .only_where([&o] { return !o.stream; }, "with --stream, which holds no data");
  ranks.value("--exchange-timeout SECONDS", o.exchange_timeout, whole(1, 86'400),
              "End all processes when one is waited for as long; when the data are loaded, ten times as long");
}

void declare_kernels(Flags& flags, Options& o) {
  flags.group(graph_title)
      .value("--isa LEVEL", o.isa, named(),
             "Instruction set of the kernels: see --version for this machine's; portable is many times slower")
      .by_default("the best");
}

void declare_output(Flags& flags, Options& o) {
  const FlagGroup output = flags.group("Output");
  output.file("--output FILE", o.output, "Write the model here, as safetensors, when it is complete")
      .values(model_file);
  output.bare("--json", o.json, "Print the result as one JSON object");
  output.bare("--quiet", o.quiet,
              "On stderr only errors, warnings, interruptions, and what is asked for by --profile or SIGUSR1");
  const Flag progress =
      output
          .bare("--progress", o.progress, true,
                "Redraw one line on stderr, which is what is done on a terminal; else a line for each epoch")
          .only_where([&o] { return !o.quiet; }, "with --quiet")
          .only_where([&o] { return o.log_format != "jsonl"; }, "with --log-format jsonl, which has no such line");
  output.bare("--no-progress", o.progress, false, "Say nothing of epochs").excludes(progress);
  output
      .choice("--log-format NAME", o.log_format, {"text", "jsonl"},
              "Of the log on stderr: text, or jsonl: an object for each of start, epoch, checkpoint, status, warning, "
              "message, profile, error and end; what is wrong with the flags themselves is text")
      .yields_to(progress)
      .only_where([&o] { return o.log_format != "jsonl" || !o.quiet; }, "with --quiet")
      .only_where([&o] { return o.log_format != "jsonl" || o.progress != false; }, "with --no-progress");
}

void declare_inside(Flags& flags, Options& o) {
  const FlagGroup inside = flags.group("See inside");
  inside.bare("--profile", o.profile, "In the end, what each stage did, and what bounds the run, on stderr");
  inside
      .file("--trace FILE", o.trace,
            "Write what ran where and when, as Chrome trace events: for Perfetto, speedscope or chrome://tracing")
      .values({.endings = {".json"}});
  inside.value("--trace-steps N", o.trace_steps, whole(1, 10'000'000), "Messages of each stream that are traced")
      .only_where([&o] { return !o.trace.empty(); }, "without --trace FILE");
  inside.file("--picture FILE", o.picture, "Write the graphs as SVG: busy shares, rates, queues and the bottleneck")
      .values({.endings = {".svg"}});
  inside
      .file("--report FILE", o.report,
            "Write one HTML page: curves, confusion matrix, calibration, predictions, weights, the graphs and their "
            "bottleneck")
      .values({.endings = {".html"}})
      .only_where([&o] { return !o.stream; }, "with --stream, which does not hold the images that it shows");
  declare_class_names(inside, o,
                      "For --report, --output and --checkpoint: as many names as classes, with commas between, or "
                      "@FILE, a line each",
                      "those of Fashion-MNIST where the path of the images has 'fashion' in it")
      .only_where([&o] { return !o.report.empty() || !o.output.empty() || !o.checkpoint.empty(); },
                  "without one of --report, --output and --checkpoint, which get the names");
}

void declare_dump(Flags& flags, Options& o) {
  flags.group(help_group)
      .bare("--dump-flags", o.dump_flags,
            "Run nothing: print the command line that repeats this run exactly, in any folder and environment");
}

void declare_model(Flags& flags, Options& o) {
  const FlagGroup model = flags.group("Model");
  model.file("--model FILE", o.model, "Model or checkpoint: safetensors with the tensors weight and bias")
      .values(model_file);
  declare_scale(model, o, "the model's own; 1/255 of one that says nothing");
  declare_class_names(model, o, "As many names as classes, with commas between, or @FILE, a line each",
                      "the model's own");
}

void declare_train(Flags& flags, CommandLine& line) {
  Options& o = line.options;
  declare_data(flags, o);
  declare_stream(flags, o);
  declare_training(flags, o);
  declare_validation(flags, o);
  declare_checkpoints(flags, o);
  declare_run(flags, o, stages_of_train);
  declare_shards(flags, o);
  declare_kernels(flags, o);
  declare_ranks(flags, o);
  declare_output(flags, o);
  declare_inside(flags, o);
  declare_dump(flags, o);
  flags.note(
      "SIGINT (Ctrl-C), SIGTERM and SIGHUP end the run after the step under way or the next, with a checkpoint if "
      "there is to be one; a second one ends it at once. SIGUSR1 is answered with a line on stderr.");
  flags.section(
      "Files", "",
      {{"/usr/share/datasets/fashion-mnist", "what is read where no file is named: Debian's dataset-fashion-mnist"},
       {"FILE.previous", "of --checkpoint FILE, the one before"},
       {"FILE.pieces", "of --checkpoint FILE with --stream, what need not be decompressed again"},
       {"FILE.gzi", "of FILE.gz, its index (sluice index)"}});
  flags.example("sluice train --epochs 3 --output model.safetensors", "Fashion-MNIST, and the model as a file");
  flags.example("sluice train --checkpoint run.safetensors", "the same command again goes on from there");
  flags.example("sluice train --quiet --json > result.json", "the result for another program");
  flags.example("sluice train --epochs 1 --profile --report run.html", "what bounds the run, and a page about it");
}

void declare_eval(Flags& flags, CommandLine& line) {
  Options& o = line.options;
  declare_model(flags, o);
  declare_folder(
      flags, o.files.folder,
      "Folder of t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, of NAME_test.csv or of others "
      "(docs/data.md), compressed or plain; or a .npz file",
      "where all files are named", Dash::standard_input,
      {{"--test FILE",
        o.files.named.test,
        "Rows with their labels: CSV, TSV or .npz, compressed or plain; several with commas between; - for the "
        "standard input",
        {{"--images FILE", line.eval.images,
          "Images: IDX, .npy or .npz, compressed or plain; several with commas between; - for the standard input (not "
          "of .npz)"},
         {"--labels FILE", line.eval.labels, "Their labels"}}}});
  declare_contents(flags.group("Data"), o);
  declare_decoder(flags.group("Data"), o);
  declare_run(flags, o, stages_of_eval);
  declare_kernels(flags, o);
  const FlagGroup output = flags.group("Output");
  const Flag json = output.bare("--json", o.json, "Print the result as one JSON object");
  output.bare("--csv", line.eval.csv, "Print a line for each class, as CSV").excludes(json);
  declare_dump(flags, o);
  flags.note("docs/evaluate.md says what the numbers mean.");
  flags.note("A reader of the output that stops early is no error.");
  flags.example("sluice eval --model model.safetensors", "loss, accuracy, and what is taken for what");
}

void declare_predict(Flags& flags, CommandLine& line) {
  Options& o = line.options;
  PredictOptions& p = line.predict;
  const auto with_gallery = [&p] { return !p.gallery.empty(); };
  const char* const without_gallery = "without --gallery FILE";
  declare_model(flags, o);
  const FlagGroup data = flags.group("Data"), output = flags.group("Output");
  data.inputs("--images FILE", p.images, Dash::standard_input,
              "Images: IDX, .npy, .npz or CSV, compressed or plain; several with commas between; - for the standard "
              "input (not of .npz)");
  data.inputs("--labels FILE", p.labels, Dash::standard_input, "Their labels, shown in the gallery")
      .only_where(with_gallery, without_gallery);
  declare_contents(data, o);
  declare_decoder(data, o);
  declare_run(flags, o, stages_of_predict);
  declare_kernels(flags, o);
  output.choice("--format NAME", p.format, {"jsonl", "csv"}, "jsonl: an object for each image; csv");
  output.value("--top-k N", p.top_k, whole(1, stages::most_classes), "The N most likely classes of each image");
  output.bare("--probabilities", p.probabilities, "The probability of every class, in order");
  output
      .file("--gallery FILE", p.gallery,
            "Write a picture of the first images and what they are taken for, as PNG or SVG by the name's end")
      .values({.endings = {".png", ".svg"}});
  output.value("--gallery-images N", p.gallery_images, whole(1, most_gallery), "Images of the gallery, at most")
      .only_where(with_gallery, without_gallery);
  declare_dump(flags, o);
  flags.note(
      "A reader of the output that stops early is no error. Each batch is written as soon as it is there, also one "
      "that a pipe has only begun.");
  flags.example("zcat data/t10k-i*.gz | sluice predict --model model.safetensors --images -",
                "a line for each image, in order");
}

void declare_graph(Flags& flags, CommandLine& line) {
  Options& o = line.options;
  declare_data(flags, o);
  declare_stream(flags, o);
  declare_batch_size(flags.group("Training"), o);
  declare_optimizer(flags.group("Training"), o);
  declare_run(flags, o, stages_of_train);
  declare_shards(flags, o);
  flags.group("Several processes")
      .value("--ranks N", o.ranks, whole(1, 65'536),
             "Draw the graphs of the first of so many (mpirun -np N sluice train)");
  const FlagGroup output = flags.group("Output");
  output.choice("--graph NAME", o.drawn, {"all", "load", "train", "evaluate"}, "Of this one only");
  const Flag dot = output.bare("--dot", o.dot, "As input for Graphviz: one graph, with a cluster for each of them");
  output.bare("--svg", o.svg, "As a picture").excludes(dot);
  declare_dump(flags, o);
  for (const char* flag : {"--preset", "--epochs", "--lr", "--momentum", "--beta1", "--beta2", "--weight-decay",
                           "--schedule", "--warmup", "--seed", "--class-weight", "--isa"})
    flags.without(flag, "has no effect on the graphs: sluice train takes it");
  flags.example("sluice graph --threads 8 --batch-size 512", "what 8 threads would work on");
  flags.example("sluice graph --svg > graph.svg", "the same as a picture");
  flags.example("sluice graph --graph train --dot", "one of them, for whatever reads Graphviz's language");
}

void declare_inspect(Flags& flags, CommandLine& line) {
  flags.argument("FILE", line.inspect.files,
                 "Data of any format (IDX, .npy, .npz, CSV), compressed or plain, a model or a checkpoint");
  declare_decoder_memory(flags.group("Data"), line.inspect.decoder_memory);
  flags.group("Output").bare("--json", line.inspect.json, "Print one JSON object");
  flags.note(
      "The exit code is 3 if a file is not sound. A table is sound where train can read it, with the right flags: "
      "words "
      "are no damage, and which columns have some is said (columns_of_words, numbers_and_words), and so is what train "
      "has to be told (train_asks). Labels are not looked at.");
  flags.example("sluice inspect data/*.gz", "whether a download is whole");
  flags.example("sluice inspect --json model.safetensors", "of a model: its shape, its checksum, its metadata");
}

void declare_sweep(Flags& flags, CommandLine& line) {
  Options& o = line.options;
  SweepOptions& sweep = line.sweep;
  declare_data(flags, o);
  const FlagGroup training = flags.group("Training (several values with commas between, or 0..4: a grid of jobs)");
  Options of_train;
  Flags train("", "train");
  declare_training(train, of_train);
  for (const CLI::Option* flag : train.flags_of("Training")) {
    SweepOptions::Flag& swept = sweep.flags.emplace_back(SweepOptions::Flag{"--" + flag->get_lnames().front()});
    training
        .value(fmt::format("{} {}[,...]", swept.name, flag->get_type_name()), swept.values, named(),
               train.description_of(flag))
        .values({.words = train.values_of(flag).words, .list = true})
        .by_default(train.default_of(flag));
  }
  const Flag validation = declare_validation(flags, o, &sweep);
  const FlagGroup jobs = flags.group("Jobs");
  const auto chooses = [&] { return o.validates() || sweep.folds > 0; };
  const Flag folds =
      jobs.value(
              "--folds K", sweep.folds, whole(2, 1000),
              "Cross-validation: each configuration K times, each time with another K-th of the training set held out")
          .by_default("none")
          .excludes(validation)
          .yields_to(validation);
  validation.yields_to(folds);
  jobs.value("--random N", sweep.random, whole(1, 1'000'000),
             "N configurations of all, drawn at random, the same each time")
      .by_default("all");
  jobs.bare(
          "--halving", sweep.halving,
          "Successive halving: all jobs for a few epochs, then again and again the better third of the configurations "
          "for three times as many")
      .only_where(chooses, "without --validation or --folds, by which to choose");
  jobs.file("--state FILE", sweep.state, "Keep here what is done: the same command goes on from it")
      .by_default("nothing is kept");
  declare_threads(jobs, o.threads);
  declare_kernels(flags, o);
  const FlagGroup output = flags.group("Output");
  output.bare("--json", o.json, "Print the result as one JSON object");
  output.file("--csv FILE", sweep.csv, "Write a line for each job").values({.endings = {".csv"}});
  output.file("--report FILE", o.report, "Write one HTML page: curves of all jobs, spread over seeds, heat map, table")
      .values({.endings = {".html"}});
  output.bare("--quiet", o.quiet, "On stderr only errors, warnings and interruptions");
  const Flag progress =
      output
          .bare("--progress", o.progress, true,
                "Redraw a table on stderr, which is what is done on a terminal; else a line for each job")
          .only_where([&o] { return !o.quiet; }, "with --quiet");
  output.bare("--no-progress", o.progress, false, "Say nothing of jobs").excludes(progress);
  for (const char* flag : {"--stream", "--shuffle-buffer", "--lanes"})
    flags.without(flag, "a sweep holds its data in memory, once for all jobs");
  for (const char* flag : {"--checkpoint", "--checkpoint-every", "--resume"})
    flags.without(flag, "a sweep keeps what is done in --state FILE");
  flags.note(
      "Each job is the `sluice train` of its flags, to the last bit. A flag that has no effect in some combinations is "
      "left out of these. Nothing is chosen by the test set: without --validation or --folds there is no best job.");
  flags.example("sluice sweep --optimizer sgd,adam --lr 0.01,0.1 --validation 0.1",
                "a grid of four, and the best of it");
  flags.example("sluice sweep --preset chapter,best --seed 0..4", "mean and spread over five seeds");
}

void declare_fetch(Flags& flags, CommandLine& line) {
  Options& o = line.options;
  FetchOptions& fetch = line.fetch;
  // Which there are, only apps/fetch knows; a test asks it.
  flags.argument("NAME", fetch.name, "Data set, one of those of --list")
      .optional()
      .values({.words = {"fashion-mnist", "mnist", "kmnist", "qmnist", "emnist", "cifar-10"}});
  flags.argument("DIR", fetch.folder, "Folder to fetch it into, a new one or not; NAME, if it is left out").optional();
  const FlagGroup data = flags.group("Data"), output = flags.group("Output");
  const auto fetches = [&fetch] { return !fetch.list; };
  const char* const otherwise = "with --list, which fetches nothing";
  data.bare("--list", fetch.list,
            "Fetch nothing: say which sets there are, with their files, sizes, digests and mirrors");
  data.repeatable(
          "--mirror URL", fetch.mirrors,
          "Folder on the web that has the files, https://HOST/FOLDER/, in place of those of --list; repeatable: "
          "the first is asked first",
          https_url())
      .by_default("those of --list")
      .only_where(fetches, otherwise);
  data.repeatable(
          "--sha256 NAME=DIGEST", fetch.digests,
          "SHA-256 of a file in place of the one that was published, for a mirror that has another, one compressed "
          "anew, say; up to twice as many bytes are taken; repeatable",
          file_and_sha256())
      .by_default("those of --list")
      .only_where(fetches, otherwise);
  data.value("--timeout SECONDS", fetch.timeout, whole(1, 86'400),
             "Try the next mirror when there is no connection for so long, or less than 1 KiB/s comes")
      .only_where(fetches, otherwise);
  data.bare("--force", fetch.force, "Replace files that are there and are others").only_where(fetches, otherwise);
  output.bare("--json", o.json, "Print what there is now, or the list, as one JSON object");
  output.bare("--quiet", o.quiet, "On stderr only errors and interruptions").only_where(fetches, otherwise);
  const Flag progress =
      output
          .bare("--progress", o.progress, true,
                "Redraw one line on stderr, which is what is done on a terminal; else a line for each file")
          .only_where([&o] { return !o.quiet; }, "with --quiet")
          .only_where(fetches, otherwise);
  output.bare("--no-progress", o.progress, false, "Say nothing of progress")
      .excludes(progress)
      .only_where(fetches, otherwise);
  flags.note(
      "Nothing else in this program asks a network. A file gets its name when its SHA-256 is the one that the source "
      "named by --list has published, or --sha256; until then it is FILE.part, from where the same command goes on, "
      "whatever ended it. Only https is asked, proxies and certificates are those of curl (https_proxy, NO_PROXY; "
      "CURL_CA_BUNDLE, SSL_CERT_DIR, SSL_CERT_FILE), and messages have neither the user and the password of a URL nor "
      "what follows its question mark.");
  flags.example("sluice fetch --list", "which data sets there are, and what is known of their files");
  flags.example("sluice fetch fashion-mnist", "into the folder fashion-mnist, for sluice train --data fashion-mnist");
}

void declare_synth(Flags& flags, CommandLine& line) {
  SynthOptions& o = line.synth;
  const FlagGroup data = flags.group("Data"), output = flags.group("Output");
  flags.argument("DIR", o.folder, "Folder for the four files; made if it is not there");
  data.value("--train N", o.train, whole(1, UINT32_MAX), "Images to train on");
  data.value("--test N", o.test, whole(1, UINT32_MAX), "Images to test on");
  data.value("--rows N", o.images.rows, whole(1, 8192), "Rows of an image, in pixels");
  data.value("--columns N", o.images.columns, whole(1, 8192), "Columns of an image, in pixels");
  data.value("--classes N", o.images.classes, whole(2, 256), "Number of classes");
  data.value("--seed N", o.images.seed, whole(0, UINT64_MAX), "Of everything that is made up");
  declare_threads(flags.group("Work"), o.threads);
  output.bare("--force", o.force, "Replace files that are there already");
  output.bare("--json", o.json, "Print what was written as one JSON object");
  flags.section("Files", "", {{"DIR/train-images-idx3-ubyte.gz", "and its three siblings: what is written"}});
  flags.example("sluice synth made-up --train 6000 --test 1000", "a data set to train on");
  flags.example("sluice train --data made-up --epochs 1", "and to train on it");
}

void declare_index(Flags& flags, CommandLine& line) {
  flags.argument("FILE", line.index.files, "gzip-compressed").values({.endings = {".gz"}});
  const FlagGroup output = flags.group("Output");
  output.file("--index-cache DIR", line.index.folder, "Folder to write into, one for each data set")
      .by_default("beside each file");
  output.bare("--json", line.index.json, "Print what was written as one JSON object");
  flags.note(
      "An index tells where pieces of a file begin, so that all threads decompress it from the beginning: train, eval, "
      "predict and inspect use FILE.gzi (for FILE.gz) where it is. One that is damaged, or of another file, changes no "
      "result; the file is then read without it. It takes about a tenth of the file's size, and as much memory where "
      "it is used. The format is that of gztool, whose own are used as well (gztool -s 1). An older index at its place "
      "is replaced, nothing else is. A file of bgzip or pigz -i needs none.");
  flags.section("Files", "", {{"FILE.gzi", "of FILE.gz, its index, beside it or in the folder of --index-cache"}});
  flags.example("sluice index data/*.gz", "and train, eval and predict decompress on all threads at once");
}

void declare_help(Flags& flags, CommandLine& line) {
  std::vector<std::string> names;
  for (const Declaration& command : declarations()) names.emplace_back(command.name);
  flags.argument("COMMAND", line.help.command, "One of those of sluice; without it all of them are listed")
      .optional()
      .values({.words = names});
  flags.group("Output").bare("--man", line.help.manual, "As a page of the manual, in mdoc: for man -l");
  flags.example("sluice help train", "what sluice train --help prints");
  flags.example("sluice help --man train > sluice-train.1", "its page of the manual, for man -l sluice-train.1");
}

void declare_completions(Flags& flags, CommandLine& line) {
  flags.argument("SHELL", line.shell, "The shell that they are for").choices({"bash", "zsh", "fish"});
  flags.note(
      "Where sluice is installed, the shells find them by themselves. Otherwise: in ~/.bashrc, source <(sluice "
      "completions bash); in ~/.zshrc, behind compinit, source <(sluice completions zsh); for fish, sluice completions "
      "fish > ~/.config/fish/completions/sluice.fish.");
  flags.example("source <(sluice completions bash)", "for this shell");
}

constexpr Declaration commands[] = {
    {Command::train, "train", "Train, test after every epoch, print the result", declare_train},
    {Command::eval, "eval", "Loss, accuracy, calibration and confusion of a model over images and their labels",
     declare_eval},
    {Command::predict, "predict", "The class of every image, a line each", declare_predict},
    {Command::graph, "graph", "Print the graphs of the job, their effective settings and their bounds", declare_graph},
    {Command::sweep, "sweep", "Train many jobs over the same data side by side, and compare them", declare_sweep},
    {Command::inspect, "inspect", "Say what files are, and whether they are sound through to their last byte",
     declare_inspect},
    {Command::index, "index", "Write where pieces of gzip files begin, to decompress them on all threads",
     declare_index},
    {Command::fetch, "fetch", "Fetch a known data set from the web, verified by its published digests", declare_fetch},
    {Command::synth, "synth", "Write a data set of made-up images, to train on", declare_synth},
    {Command::none, "help", "Print the help of a command", declare_help},
    {Command::none, "completions", "Print what a shell needs to complete commands, flags and their values",
     declare_completions},
};

}  // namespace

std::span<const Declaration> declarations() {
  return commands;
}

void declare_program(Flags& program, const Surroundings& surroundings) {
  program
      .set_version_flag("--version", surroundings.version,
                        "Print version, compiler, oneTBB, decoders and the instruction sets of this machine")
      ->group(help_group);
  program.require_subcommand(0, 1);
  program.note("Results are on stdout; progress, log and errors are on stderr.");
  program.section(
      "Environment",
      "Each flag with a value has a variable of the environment, SLUICE_BATCH_SIZE for --batch-size: a default for all "
      "commands, which a flag beats. An empty one counts as unset, one whose flag has no effect here is passed over, "
      "one of a flag that is repeatable has commas between. --no-env takes nothing from the environment. A flag "
      "that is given and has no effect is an error.",
      {{"NO_COLOR", "no colours on a terminal"},
       {"COLUMNS", "how wide help and progress are, where no terminal says it"}});
  program.section("Exit codes", "",
                  {{"0", "done"},
                   {"1", "failed"},
                   {"2", "wrong use"},
                   {"3", "data, model or checkpoint missing, damaged or not matching"},
                   {"128 + signal", "ended by one"}});
  program.example("sluice train", "Fashion-MNIST, 10 epochs");
  program.example("sluice train --data data --epochs 20 --lr 0.05 --output model.safetensors",
                  "a data set in a folder, and the model as a file");
  program.example("SLUICE_THREADS=2 sluice train --epochs 1", "a default of the environment");
  program.example("sluice graph", "what runs, and how much memory may lie between");
}

}  // namespace sluice::apps
