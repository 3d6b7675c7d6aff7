#include "apps/declarations.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sluice/stages/model.hpp>
#include "apps/checks.hpp"
#include "apps/flags.hpp"
#include "apps/gallery.hpp"
#include "apps/options.hpp"

namespace sluice::apps {
namespace {

using Command = CommandLine::Command;

constexpr const char* images_of_any_kind =
    "Images, IDX of any type, gzip-compressed or plain; several with commas between; - for the standard input";
constexpr const char* graph_group = "Graph (none of these changes a result)";
constexpr std::size_t most_shards = 4096;

struct FileFlag {
  const char* flag;
  std::string& path;
  const char* what;
};

// A folder with customary names, and flags for each of its files.
void add_file_flags(Flags& command, std::string& folder, const char* what, const char* where_all_are_named,
                    const std::vector<FileFlag>& files) {
  const char* const group = "Data";
  CLI::Option* const data = command.add_option("--data", folder, what)->check(named())->type_name("DIR")->group(group);
  command.by_default(data, "Debian's Fashion-MNIST");
  command.only_where(
      data,
      [files] { return std::any_of(files.begin(), files.end(), [](const auto& file) { return file.path.empty(); }); },
      where_all_are_named);
  for (const FileFlag& file : files) {
    CLI::Option* const option =
        command.add_option(file.flag, file.path, file.what)->check(named())->type_name("FILE")->group(group);
    command.by_default(option, "that of --data");
    command.beats(data, {option});
  }
}

void add_scale_flag(Flags& command, Options& o, const char* group, const char* by_default) {
  command.by_default(
      command.add_option("--scale", o.scale, "What pixels are multiplied by: a number, or 1 through one, as 1/255")
          ->check(scale())
          ->type_name("SCALE")
          ->group(group),
      by_default);
}

CLI::Option* add_names_flag(Flags& command, Options& o, const char* group, const std::string& what,
                            const char* by_default) {
  CLI::Option* const names =
      command.add_option("--class-names", o.class_names, what)->check(named())->type_name("NAMES")->group(group);
  command.by_default(names, by_default);
  return names;
}

void add_threads_flag(Flags& command, std::size_t& threads, const char* group) {
  command.by_default(command.add_option("--threads", threads, "Threads to run on")
                         ->check(whole(1, most_threads))
                         ->type_name("N")
                         ->group(group),
                     "as many as the CPUs that this process may use");
}

void add_data_flags(Flags& command, Options& o) {
  const char* const group = "Data";
  stages::DataFiles& files = o.files.named;
  add_file_flags(command, o.files.folder,
                 "Folder of train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
                 "t10k-labels-idx1-ubyte, .gz or plain",
                 "where all four files are named",
                 {{"--train-images", files.train_images,
                   "Images to train on, IDX of any type, gzip-compressed or plain; several with commas between"},
                  {"--train-labels", files.train_labels, "Their labels"},
                  {"--test-images", files.test_images, "Images to test on"},
                  {"--test-labels", files.test_labels, "Their labels"}});
  add_scale_flag(command, o, group, "1/255 for uint8 images, 1 for any other type");
  command.by_default(command.add_option("--classes", o.classes, "Number of classes, 2 to 65536")
                         ->check(whole(2, stages::most_classes))
                         ->type_name("N")
                         ->group(group),
                     "counted from the labels");
  CLI::Option* const decoder =
      command
          .add_option(
              "--decoder", o.decoder,
              "What decompresses: auto (libdeflate, where it was built with it), zlib (in chunks) or libdeflate "
              "(whole files, about twice as fast)")
          ->check(one_of({"auto", "zlib", "libdeflate"}))
          ->type_name("NAME")
          ->capture_default_str()
          ->group(group);
  command.only_where(
      decoder, [&o] { return !o.stream || o.decoder != "libdeflate"; }, "with --stream, which decodes in chunks: zlib");
  command
      .add_flag("--stream", o.stream,
                "Hold no data set in memory, whatever its size: decompress the files anew in every epoch, while "
                "training goes on")
      ->group(group);
  CLI::Option* const buffer =
      command
          .add_option("--shuffle-buffer", o.shuffle_buffer,
                      "Images of which one at random comes next; the larger, the better they are mixed")
          ->check(whole(1, UINT32_MAX))
          ->type_name("ROWS")
          ->group(group);
  command.by_default(buffer, "as many as 16 MiB hold, and at least a batch");
  command.only_where(
      buffer, [&o] { return o.stream; }, "without --stream");
}

void add_batch_flag(Flags& command, Options& o) {
  command.add_option("--batch-size", o.batch_size, "Rows of a step")
      ->check(whole(1, 1 << 20))
      ->type_name("ROWS")
      ->capture_default_str()
      ->group("Training");
}

void add_training_flags(Flags& command, Options& o) {
  const char* const group = "Training";
  command.add_option("--epochs", o.epochs, "Times to go through the training set")
      ->check(whole(1, 1'000'000))
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  add_batch_flag(command, o);
  command.add_option("--lr", o.lr, "Learning rate")
      ->check(positive())
      ->type_name("RATE")
      ->capture_default_str()
      ->group(group);
  command.add_option("--seed", o.seed, "Of the initial weights and the shuffling")
      ->check(whole(0, UINT64_MAX))
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
}

void add_checkpoint_flags(Flags& command, Options& o) {
  const char* const group = "Checkpoints";
  command
      .add_option(
          "--checkpoint", o.checkpoint,
          "Keep the state of the training here, as safetensors: the same command goes on from it, with the "
          "same bits as if it had never ended, whatever ended it. The one before is kept as FILE.previous, and "
          "used where FILE is damaged. What decides the result has to stay the same: the data, --batch-size, --lr, "
          "--seed, --classes, --scale, --stream and --shuffle-buffer")
      ->check(named())
      ->type_name("FILE")
      ->group(group);
  CLI::Option* const every =
      command
          .add_option("--checkpoint-every", o.checkpoint_every,
                      "Steps between two checkpoints, or epochs: 10e; there is one more at the end, and when SIGINT, "
                      "SIGTERM or SIGHUP ends the run")
          ->check(steps_or_epochs())
          ->type_name("N|Ne")
          ->group(group);
  command.by_default(every, "1e");
  command.only_where(
      every, [&o] { return !o.checkpoint.empty(); }, "without --checkpoint FILE");
  CLI::Option* const resume =
      command
          .add_option("--resume", o.resume,
                      "auto: go on from --checkpoint, if it is there; no: begin anew and replace it; FILE: begin "
                      "from this one, which is only read, unless --checkpoint is there (./no for one of that name)")
          ->check(named())
          ->type_name("auto|FILE|no")
          ->group(group);
  command.by_default(resume, "auto");
  command.only_where(
      resume, [&o] { return o.keeps_checkpoints(); }, "without --checkpoint FILE, unless it names a file itself");
}

void add_output_flags(Flags& command, Options& o) {
  const char* const group = "Output";
  command.add_option("--output", o.output, "Write the model here, as safetensors, when it is complete")
      ->check(named())
      ->type_name("FILE")
      ->group(group);
  command.add_flag("--json", o.json, "Print the result as one JSON object")->group(group);
  command
      .add_flag("--quiet", o.quiet,
                "On stderr only errors, warnings, interruptions, and what is asked for by --profile or SIGUSR1")
      ->group(group);
  const auto callback = [&](const char* flag, bool value, const char* what) {
    return command
        .add_flag_callback(
            flag, [&o, value] { o.progress = value; }, what)
        ->group(group);
  };
  CLI::Option* const yes = callback(
      "--progress", true, "Redraw one line on stderr, which is what is done on a terminal; else a line for each epoch");
  callback("--no-progress", false, "Say nothing of epochs")->excludes(yes);
  CLI::Option* const format =
      command
          .add_option(
              "--log-format", o.log_format,
              "Of the log on stderr: text, or jsonl: an object for each of start, epoch, checkpoint, status, warning, "
              "message, profile, error and end; what is wrong with the flags themselves is text")
          ->check(one_of({"text", "jsonl"}))
          ->type_name("NAME")
          ->capture_default_str()
          ->group(group);
  command.beats(yes, {format});
  command.only_where(
      yes, [&o] { return !o.quiet; }, "with --quiet");
  command.only_where(
      yes, [&o] { return o.log_format != "jsonl"; }, "with --log-format jsonl, which has no such line");
  command.only_where(
      format, [&o] { return o.log_format != "jsonl" || !o.quiet; }, "with --quiet");
  command.only_where(
      format, [&o] { return o.log_format != "jsonl" || o.progress != false; }, "with --no-progress");
}

void add_observe_flags(Flags& command, Options& o) {
  const char* const group = "See inside";
  command.add_flag("--profile", o.profile, "In the end, what each stage did, and what bounds the run, on stderr")
      ->group(group);
  command
      .add_option("--trace", o.trace,
                  "Write what ran where and when, as Chrome trace events: for Perfetto or chrome://tracing")
      ->check(named())
      ->type_name("FILE")
      ->group(group);
  CLI::Option* const steps =
      command.add_option("--trace-steps", o.trace_steps, "Messages of each stream that are traced")
          ->check(whole(1, 10'000'000))
          ->type_name("N")
          ->capture_default_str()
          ->group(group);
  command.only_where(
      steps, [&o] { return !o.trace.empty(); }, "without --trace FILE");
  command.add_option("--picture", o.picture, "Write the graphs as SVG: busy shares, rates, queues and the bottleneck")
      ->check(named())
      ->type_name("FILE")
      ->group(group);
  CLI::Option* const report =
      command
          .add_option(
              "--report", o.report,
              "Write one HTML page: curves, confusion matrix, predictions, weights, the graphs and their bottleneck")
          ->check(named())
          ->type_name("FILE")
          ->group(group);
  command.only_where(
      report, [&o] { return !o.stream; }, "with --stream, which does not hold the images that it shows");
  CLI::Option* const names = add_names_flag(command, o, group,
                                            "For --report, --output and --checkpoint: as many names as classes, with "
                                            "commas between, or @FILE, a line each",
                                            "those of Fashion-MNIST where the path of the images has 'fashion' in it");
  command.only_where(
      names, [&o] { return !o.report.empty() || !o.output.empty() || !o.checkpoint.empty(); },
      "without one of --report, --output and --checkpoint, which get the names");
}

void add_run_flags(Flags& command, Options& o) {
  const char* const group = graph_group;
  add_threads_flag(command, o.threads, group);
  command.add_option("--concurrency", o.concurrency, "At most N bodies of a map at once; repeatable")
      ->type_name("STAGE=N")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--capacity", o.capacity, "Messages that may lie behind a stage; repeatable")
      ->type_name("STAGE=N")
      ->allow_extra_args(false)
      ->group(group);
}

void add_graph_flags(Flags& command, Options& o) {
  add_run_flags(command, o);
  const char* const group = graph_group;
  CLI::Option* const shards = command.add_option("--shards", o.shards, "Parts of a batch that are worked on at once")
                                  ->check(whole(1, most_shards))
                                  ->type_name("N")
                                  ->group(group);
  command.by_default(shards, "follows from --threads and --batch-size");
}

void add_kernel_flags(Flags& command, Options& o) {
  command.by_default(command
                         .add_option("--isa", o.isa,
                                     "Instruction set of the kernels: see --version for this machine's; portable is a "
                                     "hundred times slower")
                         ->check(named())
                         ->type_name("LEVEL")
                         ->group(graph_group),
                     "the best");
}

void add_dump_flag(Flags& command, Options& o) {
  command
      .add_flag("--dump-flags", o.dump_flags,
                "Run nothing: print the command line that repeats this run exactly, in any folder and environment")
      ->group(help_group);
}

void add_model_flags(Flags& command, Options& o) {
  const char* const group = "Model";
  command.add_option("--model", o.model, "Model or checkpoint: safetensors with the tensors weight and bias")
      ->check(named())
      ->type_name("FILE")
      ->group(group);
  add_scale_flag(command, o, group, "the model's own; 1/255 of one that says nothing");
  add_names_flag(command, o, group, "As many names as classes, with commas between, or @FILE, a line each",
                 "the model's own");
}

void add_eval_flags(Flags& command, Options& o, EvalOptions& e) {
  add_model_flags(command, o);
  add_file_flags(command, o.files.folder, "Folder of t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, .gz or plain",
                 "where both files are named",
                 {{"--images", e.images, images_of_any_kind}, {"--labels", e.labels, "Their labels"}});
  add_run_flags(command, o);
  add_kernel_flags(command, o);
  CLI::Option* const json = command.add_flag("--json", o.json, "Print the result as one JSON object")->group("Output");
  command.add_flag("--csv", e.csv, "Print a line for each class, as CSV")->group("Output")->excludes(json);
}

void add_predict_flags(Flags& command, Options& o, PredictOptions& p) {
  const char* const group = "Output";
  add_model_flags(command, o);
  command.add_option("--images", p.images, images_of_any_kind)->check(named())->type_name("FILE")->group("Data");
  CLI::Option* const labels = command.add_option("--labels", p.labels, "Their labels, shown in the gallery")
                                  ->check(named())
                                  ->type_name("FILE")
                                  ->group("Data");
  add_run_flags(command, o);
  add_kernel_flags(command, o);
  command.add_option("--format", p.format, "jsonl: an object for each image; csv")
      ->check(one_of({"jsonl", "csv"}))
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  command.add_option("--top-k", p.top_k, "The N most likely classes of each image")
      ->check(whole(1, stages::most_classes))
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  command.add_flag("--probabilities", p.probabilities, "The probability of every class, in order")->group(group);
  command
      .add_option("--gallery", p.gallery,
                  "Write a picture of the first images and what they are taken for, as PNG or SVG by the name's end")
      ->check(named())
      ->type_name("FILE")
      ->group(group);
  CLI::Option* const most = command.add_option("--gallery-images", p.gallery_images, "Images of the gallery, at most")
                                ->check(whole(1, most_gallery))
                                ->type_name("N")
                                ->capture_default_str()
                                ->group(group);
  for (const CLI::Option* flag : {labels, most})
    command.only_where(
        flag, [&p] { return !p.gallery.empty(); }, "without --gallery FILE");
}

void add_inspect_flags(Flags& command, InspectOptions& o) {
  command.add_option("FILE", o.files, "IDX, plain or gzip-compressed, a model or a checkpoint")
      ->required()
      ->check(named());
  command.add_flag("--json", o.json, "Print one JSON object")->group("Output");
}

void add_synth_flags(Flags& command, SynthOptions& o) {
  command.add_option("DIR", o.folder, "Folder for the four files; made if it is not there")->required()->check(named());
  const char* const group = "Data";
  const auto number = [&](const char* flag, auto& target, std::uint64_t least, std::uint64_t most, const char* what) {
    command.add_option(flag, target, what)
        ->check(whole(least, most))
        ->type_name("N")
        ->capture_default_str()
        ->group(group);
  };
  number("--train", o.train, 1, UINT32_MAX, "Images to train on");
  number("--test", o.test, 1, UINT32_MAX, "Images to test on");
  number("--rows", o.images.rows, 1, 8192, "Rows of an image, in pixels");
  number("--columns", o.images.columns, 1, 8192, "Columns of an image, in pixels");
  number("--classes", o.images.classes, 2, 256, "Number of classes");
  number("--seed", o.images.seed, 0, UINT64_MAX, "Of everything that is made up");
  add_threads_flag(command, o.threads, "Work");
  command.add_flag("--force", o.force, "Replace files that are there already")->group("Output");
  command.add_flag("--json", o.json, "Print what was written as one JSON object")->group("Output");
}

void declare_train(Flags& command, CommandLine& line) {
  Options& o = line.options;
  add_data_flags(command, o);
  add_training_flags(command, o);
  add_checkpoint_flags(command, o);
  add_graph_flags(command, o);
  add_kernel_flags(command, o);
  add_output_flags(command, o);
  add_observe_flags(command, o);
  add_dump_flag(command, o);
  command.note(
      "SIGINT (Ctrl-C), SIGTERM and SIGHUP end the run after the step under way or the next, with a checkpoint if "
      "there is to be one; a second one ends it at once. SIGUSR1 is answered with a line on stderr.");
  command.example("sluice train --epochs 3 --output model.safetensors", "Fashion-MNIST, and the model as a file");
  command.example("sluice train --checkpoint run.safetensors", "the same command again goes on from there");
  command.example("sluice train --quiet --json > result.json", "the result for another program");
  command.example("sluice train --epochs 1 --profile --report run.html", "what bounds the run, and a page about it");
}

void declare_eval(Flags& command, CommandLine& line) {
  add_eval_flags(command, line.options, line.eval);
  add_dump_flag(command, line.options);
  command.note("A reader of the output that stops early is no error.");
  command.example("sluice eval --model model.safetensors", "loss, accuracy, and what is taken for what");
}

void declare_predict(Flags& command, CommandLine& line) {
  add_predict_flags(command, line.options, line.predict);
  add_dump_flag(command, line.options);
  command.note(
      "A reader of the output that stops early is no error. Each batch is written as soon as it is there, also one "
      "that "
      "a pipe has only begun.");
  command.example("zcat data/t10k-i*.gz | sluice predict --model model.safetensors --images -",
                  "a line for each image, in order");
}

void declare_graph(Flags& command, CommandLine& line) {
  Options& o = line.options;
  add_data_flags(command, o);
  add_batch_flag(command, o);
  add_graph_flags(command, o);
  CLI::Option* const dot = command.add_flag("--dot", o.dot, "As input for Graphviz")->group("Output");
  command.add_flag("--svg", o.svg, "As a picture")->group("Output")->excludes(dot);
  add_dump_flag(command, o);
  for (const char* flag : {"--epochs", "--lr", "--seed", "--isa"})
    command.without(flag, "has no effect on the graphs: sluice train takes it");
  command.example("sluice graph --threads 8 --batch-size 512", "what 8 threads would work on");
  command.example("sluice graph --svg > graph.svg", "the same as a picture");
}

void declare_inspect(Flags& command, CommandLine& line) {
  add_inspect_flags(command, line.inspect);
  command.note("The exit code is 3 if a file is not sound.");
  command.example("sluice inspect data/*.gz", "whether a download is whole");
  command.example("sluice inspect --json model.safetensors", "of a model: its shape, its checksum, its metadata");
}

void declare_synth(Flags& command, CommandLine& line) {
  add_synth_flags(command, line.synth);
  command.example("sluice synth made-up --train 6000 --test 1000", "a data set to train on");
  command.example("sluice train --data made-up --epochs 1", "and to train on it");
}

constexpr Declaration commands[] = {
    {Command::train, "train", "Train, test after every epoch, print the result", declare_train},
    {Command::eval, "eval", "Loss, accuracy and confusion of a model over images and their labels", declare_eval},
    {Command::predict, "predict", "The class of every image, a line each", declare_predict},
    {Command::graph, "graph", "Print the graphs of the job, their effective settings and their bounds", declare_graph},
    {Command::inspect, "inspect", "Say what files are, and whether they are sound through to their last byte",
     declare_inspect},
    {Command::synth, "synth", "Write a data set of made-up images, to train on", declare_synth},
};

}  // namespace

std::span<const Declaration> declarations() {
  return commands;
}

void declare_program(Flags& program, const Surroundings& surroundings) {
  program
      .set_version_flag("--version", surroundings.version,
                        "Print version, compiler, oneTBB, decoders and the instruction sets of this machine")
      ->group("Help");
  program.require_subcommand(0, 1);
  program.note(
      "Each flag with a value has a variable of the environment, SLUICE_BATCH_SIZE for --batch-size: a default for all "
      "commands, which a flag beats. An empty one counts as unset, one whose flag has no effect here is passed over, "
      "one of a flag that is repeatable has commas between. --no-env takes nothing from the environment. A flag "
      "that is given and has no effect is an error.");
  program.note("Results are on stdout; progress, log and errors are on stderr.");
  program.list("Exit codes", {{"0", "done"},
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
