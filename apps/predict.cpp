// sluice predict: a line for each image, in order, with what a stored model takes it for.
#include <fcntl.h>
#include <fmt/core.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/commands.hpp"
#include "apps/input.hpp"
#include "apps/stored_model.hpp"
#include "stages/errors.hpp"
#include "stages/join.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

// Whoever reads the output has stopped.
struct ReaderGone : std::exception {};

// Scored images -> their lines.
struct Lines {
  std::size_t top = 1;
  bool probabilities = false, csv = false;
  std::vector<std::string> names;  // as they are printed

  using Output = std::string;
  void operator()(const Scored& scored, std::string& out) const {
    out.clear();
    const std::size_t classes = names.size(), rows = scored.shard.rows;
    const auto to = std::back_inserter(out);
    std::vector<std::size_t> order(classes);
    for (std::size_t row = 0; row < rows; ++row) {
      const auto p = [&](std::size_t c) { return scored.delta[(row / 16 * classes + c) * 16 + row % 16]; };
      const std::uint64_t index = scored.shard.batch->first + row;
      const std::size_t best = scored.predicted[row];
      if (!std::isfinite(p(best)))
        throw DataError(
            fmt::format("image {}: its probabilities are no finite numbers: are its pixels too large for "
                        "the scale of the model?",
                        index));
      if (top > 1) {
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::swap(order[0], order[best]);
        const auto first = order.begin() + 1,
                   last = order.begin() + static_cast<std::ptrdiff_t>(std::min(top, classes));
        std::partial_sort(first, last, order.end(),
                          [&](std::size_t a, std::size_t b) { return p(a) != p(b) ? p(a) > p(b) : a < b; });
      }
      if (csv) {
        fmt::format_to(to, "{},{},{},{}", index, best, names[best], p(best));
        for (std::size_t k = 1; k < std::min(top, classes); ++k)
          fmt::format_to(to, ",{},{},{}", order[k], names[order[k]], p(order[k]));
        for (std::size_t c = 0; c < classes && probabilities; ++c) fmt::format_to(to, ",{}", p(c));
        out += '\n';
        continue;
      }
      fmt::format_to(to, R"({{"index":{},"class":{},"name":{},"probability":{})", index, best, names[best], p(best));
      if (top > 1) {
        out += ",\"top\":[";
        for (std::size_t k = 0; k < std::min(top, classes); ++k) {
          const std::size_t c = k == 0 ? best : order[k];
          fmt::format_to(to, R"({}{{"class":{},"name":{},"probability":{}}})", k ? "," : "", c, names[c], p(c));
        }
        out += ']';
      }
      if (probabilities) {
        out += ",\"probabilities\":[";
        for (std::size_t c = 0; c < classes; ++c) fmt::format_to(to, "{}{}", c ? "," : "", p(c));
        out += ']';
      }
      out += "}\n";
    }
  }
};

std::string quoted(const std::string& name, bool csv) {
  if (!csv) return nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + '"';
}

void write_all(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data() + at, text.size() - at);
    if (n >= 0) {
      at += static_cast<std::size_t>(n);
    } else if (errno == EPIPE) {
      throw ReaderGone();
    } else if (errno == EAGAIN) {
      pollfd output{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&output, 1, -1);
    } else if (errno != EINTR) {
      throw WriteError(fmt::format("cannot write to the standard output: {}", std::strerror(errno)));
    }
  }
}

bool waits(const std::string& path) {
  struct stat status {};
  return (path == "-" ? ::fstat(STDIN_FILENO, &status) : ::stat(path.c_str(), &status)) == 0 &&
         !S_ISREG(status.st_mode);
}

std::string head(const Lines& lines) {
  std::string text = "index,class,name,probability";
  for (std::size_t k = 2; k <= std::min(lines.top, lines.names.size()); ++k)
    text += fmt::format(",class_{},name_{},probability_{}", k, k, k);
  for (std::size_t c = 0; c < lines.names.size() && lines.probabilities; ++c) text += fmt::format(",p_{}", c);
  return text + '\n';
}

}  // namespace

int predict(const Options& o, const PredictOptions& p) {
  if (p.model.empty()) throw UsageError("--model FILE: is needed: see sluice predict --help");
  if (p.images.empty()) throw UsageError("--images FILE: is needed: see sluice predict --help");
  if (p.images == "-" && ::isatty(STDIN_FILENO))
    throw UsageError("--images -: the standard input is a terminal, expected a pipe or a file");
  const NamedModel model = load_named_model(p.model, p.scale, o.class_names);
  Lines lines{.top = p.top_k, .probabilities = p.probabilities, .csv = p.format == "csv", .names = {}};
  for (const std::string& name : model.names) lines.names.push_back(quoted(name, lines.csv));

  //  rows.images -> batch -> forward -> lines -> write
  Graph g("predict", Threads(o.effective_threads()));
  auto images = read_rows<IdxKind::images>(g, "images", p.images, 512, waits(p.images));
  auto batches =
      g.map("batch", Unlabelled{.pixels = model.weights->pixels, .images = p.images == "-" ? standard_input : p.images},
            images, unlimited);
  auto scored = g.map("forward", Score{{}, model.weights}, batches, unlimited);
  auto text = g.map("lines", lines, scored, unlimited);
  g.sink(
      "write", [](const std::string& some) { write_all(some); }, text);
  override_stages(o, {&g});
  try {
    if (lines.csv) write_all(head(lines));
    g.run();
  } catch (const ReaderGone&) {
  } catch (const StageError& error) {
    try {
      std::rethrow_exception(error.cause());
    } catch (const ReaderGone&) {
    } catch (...) {
      throw;
    }
  }
  return 0;
}

}  // namespace sluice::apps
