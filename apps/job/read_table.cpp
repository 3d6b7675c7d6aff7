#include "apps/job/read_table.hpp"

#include <functional>
#include <utility>

#include <sluice/stages/cut_table.hpp>
#include <sluice/stages/labelled_rows.hpp>
#include "apps/job/input.hpp"

namespace sluice::apps {

using namespace stages;

namespace {

constexpr std::size_t piece_bytes = 128 * 1024;  // of text

ParseTable parse_table(const ReadTable& how) {
  ParseTable parse{.missing = how.missing, .type = how.type, .classes = how.classes, .kept = how.kept};
  // A piece is no longer than that, unless a row is.
  if (how.row_bytes) parse.text_bytes = std::max(piece_bytes, how.row_bytes), parse.columns = how.layout->columns;
  return parse;
}

}  // namespace

TableStreams read_table(Graph& g, const std::string& what, const InputFiles& files, const ReadTable& how,
                        const ReadItems& decoding) {
  const auto [chunks, chunk_bytes] = read_chunks(g, what, files, decoding);
  CutTable cut{.paths = files.names(), .wanted = how.wanted, .layout = how.layout, .piece_bytes = piece_bytes};
  if (waits(files)) cut.first_rows = 2;
  if (how.row_bytes) cut.row_bytes = how.row_bytes, cut.chunk_bytes = chunk_bytes;
  auto text = g.expand("cut." + what, std::move(cut), chunks, capacity(2 * g.threads()));
  return {chunks, g.map("parse." + what, parse_table(how), text, unlimited), chunk_bytes};
}

Stream<LabelledRows> read_table_rows(Graph& g, const std::string& what, const InputFiles& files, const ReadTable& how,
                                     const ReadItems& decoding, std::size_t count) {
  const ParseTable parse = parse_table(how);
  const TableStreams streams = read_table(g, what, files, how, decoding);
  const std::size_t chunk_bytes = streams.chunk_bytes;
  NumberTable number{.totals = {.files = files}, .classes = how.classes, .piece_bytes = parse.payload_bytes()};
  const auto numbered_by = [&](auto by) {
    return g.expand("number." + what, std::move(by), streams.rows, capacity(2));
  };
  if (how.number) *how.number = std::move(number);
  auto numbered = how.number ? numbered_by(std::ref(*how.number)) : numbered_by(std::move(number));
  RegroupLabelled rows(count, decoding.at_once && waits(files));
  for (Regroup* part : {&rows.images, &rows.labels})
    part->begin = decoding.wanted.begin, part->end = decoding.wanted.end;
  if (parse.text_bytes && chunk_bytes) {
    // A chunk is cut into whole pieces, what is left, and the row that goes on in the next.
    const std::size_t chunks = count * how.row_bytes / chunk_bytes + 2, pieces = chunk_bytes / piece_bytes + 2;
    rows.images.chunks = rows.labels.chunks = std::min(count + 1, chunks * pieces);
    rows.images.chunk_bytes = *parse.payload_bytes();
    rows.labels.chunk_bytes = parse.most_rows() * sizeof(float);
  }
  return g.expand("rows." + what, std::move(rows), numbered, capacity(2));
}

}  // namespace sluice::apps
