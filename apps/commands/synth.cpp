// sluice synth: writes a data set of made-up images.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/printable.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/replacement.hpp>
#include <sluice/stages/synthesize.hpp>
#include "apps/commands/commands.hpp"
#include "apps/job/outputs.hpp"
#include "apps/job/usage_error.hpp"
#include "apps/terminal/interrupt.hpp"
#include "apps/terminal/log.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

constexpr std::size_t member_bytes = std::size_t{2} << 20;  // of the IDX file, in one gzip member

// A run of a file's items.
struct Part {
  std::uint64_t first = 0, count = 0;
};

struct Cut {
  std::uint64_t items, at_once;

  std::optional<Part> operator()() {
    if (next_ == items) return std::nullopt;
    const Part part{next_, std::min(at_once, items - next_)};
    next_ += part.count;
    return part;
  }

  std::uint64_t next_ = 0;
};

// A part -> its bytes of the IDX file; the first part's begin with the header.
struct Make {
  const Synthesize& synthesize;
  ItemKind kind;
  Split split;
  std::vector<std::uint8_t> header;
  std::size_t item_bytes;
  std::uint64_t at_once;

  using Output = Chunk;
  void operator()(const Part& part, Chunk& out) const {
    std::uint8_t* at = out.owner.renew().reserve(payload_bytes());
    out.data = at;
    if (part.first == 0) at = std::copy(header.begin(), header.end(), at);
    for (std::uint64_t i = part.first; i < part.first + part.count; ++i, at += item_bytes)
      if (kind == ItemKind::images)
        synthesize.image(split, i, at);
      else
        *at = synthesize.label(split, i);
    out.size = static_cast<std::size_t>(at - out.data);
  }
  std::size_t payload_bytes() const { return header.size() + static_cast<std::size_t>(at_once) * item_bytes; }
};

struct Written {
  std::string path;
  std::uint64_t items = 0, bytes = 0;
};

//  parts -> make -> compress -> write
Written write(const std::string& path, ItemKind kind, Split split, std::uint64_t items, const SynthOptions& o,
              const Synthesize& synthesize, const Threads& threads, Interrupt& interrupt) {
  const std::size_t item_bytes = kind == ItemKind::images ? synthesize.pixels() : 1;
  const std::uint64_t at_once = std::max<std::uint64_t>(1, member_bytes / item_bytes);
  const Make make{.synthesize = synthesize,
                  .kind = kind,
                  .split = split,
                  .header = idx_header(kind, {.count = items, .rows = o.images.rows, .columns = o.images.columns}),
                  .item_bytes = item_bytes,
                  .at_once = at_once};
  Replacement file(path);
  Written written{.path = path, .items = items};

  Graph g("synth", threads);
  auto parts = g.source("parts", Cut{.items = items, .at_once = at_once}, capacity(2 * threads.count()));
  auto bytes = g.map("make", make, parts, unlimited);
  auto members = g.map("compress", Gzip{.level = 1, .chunk_bytes = make.payload_bytes()}, bytes, unlimited);
  g.sink(
      "write",
      [&](const Chunk& member) {
        file.write(member.data, member.size);
        written.bytes += member.size;
      },
      members);
  const Interrupt::Scope until_here(interrupt);
  interrupt.then([&g] { g.cancel(); });
  g.run();
  file.commit();
  return written;
}

}  // namespace

int synth(const SynthOptions& o) {
  namespace fs = std::filesystem;
  const fs::path folder(o.folder);
  const std::array files = {folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz",
                            folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz"};
  Interrupt interrupt;  // before there is a file that could be left behind
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder))
    throw UsageError(fmt::format("{}: cannot be made: {}", o.folder, error ? error.message() : "is no folder"));
  for (const fs::path& file : files) {
    if (!o.force && fs::exists(file))
      throw UsageError(
          fmt::format("{}: exists already: name another folder, or replace it with --force", file.string()));
    try {
      check_writable(file.string());
    } catch (const PathError& e) {
      throw UsageError(e.what());
    }
  }

  const Synthesize synthesize(o.images);
  const Threads threads(o.threads ? o.threads : default_threads());
  nlohmann::ordered_json json{{"command", "synth"}, {"files", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ItemKind kind = i % 2 == 0 ? ItemKind::images : ItemKind::labels;
    const Split split = i < 2 ? Split::train : Split::test;
    Written w;
    try {
      w = write(files[i].string(), kind, split, i < 2 ? o.train : o.test, o, synthesize, threads, interrupt);
    } catch (const Cancelled&) {
      say(log_line(fmt::format("interrupted: {} was not written", files[i].string())));
      return 128 + interrupt.signal();
    }
    if (o.json)
      json["files"].push_back({{"path", w.path}, {"items", w.items}, {"bytes", w.bytes}});
    else
      write_to_stdout(fmt::format("{}: {} {}, {} bytes\n", printable(w.path), w.items,
                                  kind == ItemKind::images ? "images" : "labels", w.bytes));
  }
  if (o.json) write_json_to_stdout(json);
  return 0;
}

}  // namespace sluice::apps
