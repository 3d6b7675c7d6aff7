#include "apps/job/read_table.hpp"

#include <sluice/stages/cut_table.hpp>
#include <sluice/stages/labelled_rows.hpp>
#include "apps/job/input.hpp"

namespace sluice::apps {

using namespace stages;

namespace {

constexpr std::size_t piece_bytes = 128 * 1024;  // of text

// Of a piece: no longer than that, unless a row is.
std::size_t text_bytes(const ReadTable& how) {
  return how.row_bytes ? std::max(piece_bytes, how.row_bytes) : 0;
}

}  // namespace

TableStreams read_table(Graph& g, const std::string& what, const InputFiles& files, const ReadTable& how,
                        const ReadItems& decoding) {
  const auto [chunks, chunk_bytes] = read_chunks(g, what, files, decoding);
  CutTable cut{.paths = files.names(), .wanted = how.wanted, .layout = how.layout, .piece_bytes = piece_bytes};
  if (waits(files)) cut.first_rows = 2;
  if (how.row_bytes) cut.row_bytes = how.row_bytes, cut.chunk_bytes = chunk_bytes;
  auto text = g.expand("cut." + what, std::move(cut), chunks, capacity(2 * g.threads()));
  ParseTable parse{.missing = how.missing,
                   .type = how.type,
                   .classes = how.classes,
                   .kept = how.kept,
                   .text_bytes = text_bytes(how)};
  return {chunks, g.map("parse." + what, std::move(parse), text, unlimited)};
}

Stream<LabelledRows> read_table_rows(Graph& g, const std::string& what, const InputFiles& files, const ReadTable& how,
                                     const ReadItems& decoding, std::size_t count) {
  NumberTable number{.totals = {.files = files}, .classes = how.classes, .text_bytes = text_bytes(how)};
  auto numbered =
      g.expand("number." + what, std::move(number), read_table(g, what, files, how, decoding).rows, capacity(2));
  RegroupLabelled rows(count, decoding.at_once && waits(files));
  return g.expand("rows." + what, std::move(rows), numbered, capacity(2));
}

}  // namespace sluice::apps
