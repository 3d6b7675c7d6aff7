#include "apps/job/read_items.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <sluice/stages/each_file.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/inflate_whole.hpp>

namespace sluice::apps {
namespace {

using namespace stages;

// Of labels much less.
constexpr std::size_t index_bytes(ItemKind kind) {
  return kind == ItemKind::images ? images_index_bytes : std::size_t{1} << 20;
}
// A small chunk is many rows of labels, which are one byte each.
constexpr std::size_t span(ItemKind kind) {
  return std::size_t{kind == ItemKind::labels ? 48u : 256u} * 1024;
}

// Where a decoded chunk is of bounded size, that size.
struct Chunks {
  Stream<Chunk> stream;
  std::size_t bytes;
  std::size_t parsed_ahead;  // elements
};

Chunks whole_files(Graph& g, const std::string& name, ItemKind kind, const InputFiles& files, const ReadItems& how) {
  EachFile<InflateWhole> inflate;
  for (const std::string& one : files.paths()) inflate.files.push_back({.path = one, .kind = kind, .wake = how.wake});
  // What an image's elements keep is a whole chunk. Only a wiring that is to state its bound looks for it.
  const std::size_t bytes = how.image_bytes ? inflate.payload_bytes().value_or(0) : 0;
  return {g.source(name, std::move(inflate), capacity(1)), bytes, 1};
}

Chunks by_zlib(Graph& g, const std::string& name, ItemKind kind, const InputFiles& files, const ReadItems& how) {
  EachFile<Inflate> inflate;
  for (const std::string& one : files.names())
    inflate.files.push_back({.path = one,
                             .chunk_bytes = span(kind),
                             .wake = how.wake,
                             .input = files.is_standard_input() ? 0 : -1,
                             .at_once = how.at_once});
  return {g.source(name, std::move(inflate), capacity(2)), span(kind), 4};
}

// How a file is read in pieces: by an index file, where it has one; otherwise guessed, where that is worth it.
struct Cut {
  std::string index{};
  bool guessed = false;
};
Cut cut_of(ItemKind kind, const InputFiles& files, const std::string& path, const ReadItems& how, std::size_t threads) {
  if (files.is_standard_input() || !decodes_pieces()) return {};
  std::error_code none;
  const std::string index = gzip_index_path(path, how.index.folder);
  if (how.index.used && std::filesystem::is_regular_file(index, none)) return {.index = index};
  const std::uintmax_t size = std::filesystem::file_size(path, none);
  const bool large = !none && size >= 32 * span(kind);  // otherwise it is not worth the memory
  return {.guessed = large && threads > 1 && (threads >= few_threads || pieces_are_independent(path, span(kind)))};
}

std::vector<Cut> cuts_of(ItemKind kind, const InputFiles& files, const ReadItems& how, std::size_t threads) {
  std::vector<Cut> all;
  for (const std::string& name : files.names()) all.push_back(cut_of(kind, files, name, how, threads));
  return all;
}

Chunks by_pieces(Graph& g, const std::string& name, ItemKind kind, const InputFiles& files, const ReadItems& how,
                 const std::vector<Cut>& cuts) {
  EachFile<GzipPieces> pieces;
  const std::vector<std::string> names = files.names();
  std::size_t bytes = piece_bytes(span(kind));
  bool verified = false;
  const std::size_t of_index = how.again ? index_bytes(kind) / names.size() : 0;
  const auto memory = std::make_shared<PieceMemory>();
  for (const std::string& one : names) {
    const Cut& cut = cuts[pieces.files.size()];
    GzipPieces& file = pieces.files.emplace_back();
    file.path = one;
    file.span = span(kind);
    file.index_bytes = of_index;
    file.index = cut.index;
    file.guess = cut.guessed;
    file.wake = how.wake;
    file.input = files.is_standard_input() ? 0 : -1;
    file.at_once = how.at_once;
    file.memory = memory;
    file.decoded = how.decoded;
    if (!how.known.empty()) file.known = how.known[pieces.files.size() - 1];
    verified = verified || cut.guessed || !cut.index.empty();
    if (how.image_bytes) bytes = std::max(bytes, file.chunk_bytes());
  }
  const std::string what = name.substr(name.find('.') + 1);
  const bool at_once = how.again || verified;  // are several of them decoded
  auto all = g.source("pieces." + what, std::move(pieces), capacity(at_once ? 2 * g.threads() : 2));
  if (!verified) return {g.map(name, InflatePiece{}, all, unlimited), bytes, 2};
  auto decoded = g.map(name, DecodePiece{}, all, unlimited);
  VerifyPieces verify{
      .span = span(kind), .index_bytes = of_index, .chunk_bytes = bytes, .decoded = how.decoded, .kept = how.kept};
  return {g.expand("verify." + what, std::move(verify), decoded, capacity(2)), bytes, 2};
}

Chunks read(Graph& g, const std::string& name, ItemKind kind, const InputFiles& files, const ReadItems& how) {
  if (how.decoder == Decoder::zlib) return by_zlib(g, name, kind, files, how);
  const std::vector<Cut> cuts = cuts_of(kind, files, how, g.threads());
  // What stays in memory is decoded in one go, to where it stays, where pieces of it are not decoded at once.
  const auto at_once = [&](const Cut& cut) { return cut.guessed || (!cut.index.empty() && g.threads() > 1); };
  if (how.kept && std::none_of(cuts.begin(), cuts.end(), at_once)) return whole_files(g, name, kind, files, how);
  return by_pieces(g, name, kind, files, how, cuts);
}

}  // namespace

template <ItemKind kind>
ItemStreams read_items(Graph& g, const std::string& what, const InputFiles& files, const ReadItems& how) {
  const Chunks chunks = read(g, "inflate." + what, kind, files, how);
  ParseArray<kind> parse{.paths = files.names(), .classes = how.classes};
  if (chunks.bytes) parse.chunk_bytes = chunks.bytes, parse.item_bytes = item_bytes<kind>(how);
  auto elements = g.expand("parse." + what, parse, chunks.stream, capacity(chunks.parsed_ahead));
  return {chunks.stream, elements, chunks.bytes};
}

Stream<Chunk> read_chunks(Graph& g, const std::string& what, const InputFiles& files) {
  return read(g, "inflate." + what, ItemKind::images, files, {}).stream;
}

template ItemStreams read_items<ItemKind::images>(Graph&, const std::string&, const InputFiles&, const ReadItems&);
template ItemStreams read_items<ItemKind::labels>(Graph&, const std::string&, const InputFiles&, const ReadItems&);

}  // namespace sluice::apps
