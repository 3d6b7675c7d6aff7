#include "apps/job/read_items.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <sluice/stages/array_header.hpp>
#include <sluice/stages/block_pieces.hpp>
#include <sluice/stages/blocks.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/decoder_bytes.hpp>
#include <sluice/stages/each_file.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/fortran_order.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include <sluice/stages/parse_any.hpp>
#include <sluice/stages/regular_file.hpp>
#include <sluice/stages/zip_member.hpp>

namespace sluice::apps {

using namespace stages;

ByteRange WantedItems::bytes(std::size_t file) const {
  if (layouts.empty()) return {};
  std::uint64_t before = 0;  // items of earlier files
  for (std::size_t i = 0; i < file; ++i) before += layouts[i].shape.count;
  const ItemLayout& layout = layouts[file];
  const auto place = [&](std::uint64_t item) { return layout.header_bytes + (item - before) * layout.item_bytes; };
  return {.begin = begin > before ? place(begin) : 0,
          .end = end < before + layout.shape.count ? place(std::max(end, before)) : ~std::uint64_t{0}};
}

namespace {

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

Chunks whole_files(Graph& g, const std::string& what, ItemKind kind, const InputFiles& files, const ReadItems& how) {
  EachFile<InflateWhole> inflate;
  for (const std::string& one : files.paths())
    inflate.files.push_back({.path = one, .kind = kind, .wake = how.wake, .decoder_memory = how.decoder_memory});
  // What an image's elements keep is a whole chunk. Only a wiring that is to state its bound looks for it.
  const std::size_t bytes = how.image_bytes ? inflate.payload_bytes().value_or(0) : 0;
  return {g.source("inflate." + what, std::move(inflate), capacity(1)), bytes, 1};
}

// Of each file; none: all of them is wanted.
std::vector<std::uint64_t> ends_of(const ReadItems& how) {
  std::vector<std::uint64_t> all;
  for (std::size_t i = 0; i < how.wanted.layouts.size(); ++i) all.push_back(how.wanted.bytes(i).end);
  return all;
}

// Of pieces that are decoded at once: lanes share the threads.
Capacity pieces_at_once(const Graph& g, const ReadItems& how) {
  return capacity(std::max<std::size_t>(2, 2 * g.threads() / how.wanted.lanes));
}

Chunks in_chunks(Graph& g, const std::string& what, ItemKind kind, const InputFiles& files, const ReadItems& how) {
  EachFile<Inflate> inflate{.ends = ends_of(how)};
  for (const std::string& one : files.names())
    inflate.files.push_back({.path = one,
                             .chunk_bytes = span(kind),
                             .wake = how.wake,
                             .input = files.is_standard_input() ? 0 : -1,
                             .at_once = how.at_once,
                             .decoder_memory = how.decoder_memory,
                             .begin = how.wanted.bytes(inflate.files.size()).begin});
  return {g.source("inflate." + what, std::move(inflate), capacity(2)), span(kind), 4};
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

Chunks by_pieces(Graph& g, const std::string& what, ItemKind kind, const InputFiles& files, const ReadItems& how,
                 const std::vector<Cut>& cuts) {
  EachFile<GzipPieces> pieces;
  const std::vector<std::string> names = files.names();
  std::size_t bytes = piece_bytes(span(kind));
  bool verified = false;
  const std::size_t of_index = how.again ? index_bytes(kind) / std::max(names.size(), how.wanted.set_files) : 0;
  std::size_t learnt = 0;
  const auto memory = std::make_shared<PieceMemory>();
  for (const std::string& one : names) {
    const Cut& cut = cuts[pieces.files.size()];
    GzipPieces& file = pieces.files.emplace_back();
    file.path = one;
    file.span = span(kind);
    file.wanted = how.wanted.bytes(pieces.files.size() - 1);
    file.learns = how.wanted.ends(pieces.files.size() - 1);
    file.index_bytes = file.learns ? of_index : 0;
    learnt = std::max(learnt, file.index_bytes);
    file.index = cut.index;
    file.guess = cut.guessed;
    file.wake = how.wake;
    file.input = files.is_standard_input() ? 0 : -1;
    file.at_once = how.at_once;
    file.decoder_memory = how.decoder_memory;
    file.memory = memory;
    file.decoded = how.decoded;
    if (!how.known.empty()) file.known = how.known[pieces.files.size() - 1];
    verified = verified || cut.guessed || !cut.index.empty();
    if (how.image_bytes) bytes = std::max(bytes, file.chunk_bytes());
  }
  const bool at_once = how.again || verified;  // are several of them decoded
  auto all = g.source("pieces." + what, std::move(pieces), at_once ? pieces_at_once(g, how) : capacity(2));
  if (!verified) return {g.map("inflate." + what, InflatePiece{}, all, unlimited), bytes, 2};
  auto decoded = g.map("inflate." + what, DecodePiece{}, all, unlimited);
  VerifyPieces verify{
      .span = span(kind), .index_bytes = learnt, .chunk_bytes = bytes, .decoded = how.decoded, .kept = how.kept};
  return {g.expand("verify." + what, std::move(verify), decoded, capacity(2)), bytes, 2};
}

// Of regular files; of others nothing is known, before they are read.
std::vector<Compression> compressions(const InputFiles& files) {
  std::vector<Compression> all;
  for (const std::string& name : files.names())
    all.push_back(files.is_standard_input() ? Compression::none : compression_of(RegularFile(name)));
  return all;
}

// What stays in memory takes it anyway; of what does not, several blocks are in memory at once.
BlockLimits block_limits(ItemKind kind, const ReadItems& how) {
  return {
      .span = span(kind), .most_decoded = std::size_t{how.kept ? 32u : 1u} << 20, .decoder_memory = how.decoder_memory};
}

// Whether one of them is worth it: on one thread they are faster in chunks.
bool have_blocks(ItemKind kind, const InputFiles& files, const ReadItems& how, std::size_t threads) {
  const std::vector<std::string>& paths = files.paths();
  return threads > 1 && std::any_of(paths.begin(), paths.end(),
                                    [&](const std::string& path) { return has_blocks(path, block_limits(kind, how)); });
}

Chunks by_blocks(Graph& g, const std::string& what, ItemKind kind, const InputFiles& files, const ReadItems& how) {
  EachFile<BlockPieces> pieces;
  const BlockLimits limits = block_limits(kind, how);
  VerifyBlocks verify{.span = limits.span,
                      .most_decoded = limits.most_decoded,
                      .decoder_memory = limits.decoder_memory,
                      .kept = how.kept};
  for (const std::string& one : files.paths()) {
    pieces.files.push_back({.path = one,
                            .span = limits.span,
                            .most_decoded = limits.most_decoded,
                            .wake = how.wake,
                            .at_once = how.at_once,
                            .decoder_memory = limits.decoder_memory,
                            .wanted = how.wanted.bytes(pieces.files.size())});
    verify.judge_bytes = std::max(verify.judge_bytes, decoder_bytes(one, -1, limits.decoder_memory));
  }
  auto all = g.source("pieces." + what, std::move(pieces), pieces_at_once(g, how));
  auto decoded = g.map("inflate." + what, DecodeBlock{.most_decoded = limits.most_decoded, .threads = g.threads()}, all,
                       unlimited);
  return {g.expand("verify." + what, std::move(verify), decoded, capacity(2)), limits.most_decoded, 2};
}

// Members of zip files: whole, where they stay in memory; by zlib in chunks, where they do not.
Chunks members(Graph& g, const std::string& what, ItemKind kind, const InputFiles& files, const ReadItems& how) {
  EachFile<ZipMember> unzip{.ends = ends_of(how)};
  for (const std::string& path : files.paths())
    unzip.files.push_back({.path = path,
                           .member = files.member(),
                           .whole = how.kept && how.decoder == Decoder::libdeflate,
                           .chunk_bytes = span(kind)});
  const std::size_t bytes = how.image_bytes ? unzip.payload_bytes().value_or(0) : 0;
  return {g.source("inflate." + what, std::move(unzip), capacity(how.kept ? 1 : 2)), bytes, how.kept ? 1u : 4u};
}

// Whether the array of this file lies in Fortran order. What cannot be looked at says so when it is read.
bool is_reordered(const InputFiles& files, std::size_t file) {
  const std::string& path = files.paths()[file];
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return false;
  const auto looks = [&](auto source) {
    std::vector<std::uint8_t> header;
    for (Chunk chunk; source(chunk);) {
      std::span<const std::uint8_t> data(chunk.data, chunk.size);
      if (take_array_header(header, data, path))
        return is_array(header) && parse_array_header(header, path).is_reordered();
    }
    return false;
  };
  constexpr std::size_t usual = 128;  // bytes of a header
  try {
    return files.member().empty() ? looks(Inflate{.path = path, .chunk_bytes = usual, .read_bytes = 4096})
                                  : looks(ZipMember{.path = path, .member = files.member(), .chunk_bytes = usual});
  } catch (const DataError&) {
    return false;
  }
}

bool any_is_reordered(const InputFiles& files) {
  for (std::size_t i = 0; i < files.paths().size(); ++i)
    if (is_reordered(files, i)) return true;
  return false;
}

// The files of which some lie in Fortran order, row by row.
Chunks in_c_order(Graph& g, const std::string& what, ItemKind kind, const InputFiles& files, const ReadItems& how) {
  const std::vector<std::string>& paths = files.paths();
  if (how.kept) {
    const Chunks chunks =
        files.member().empty() ? in_chunks(g, what, kind, files, how) : members(g, what, kind, files, how);
    return {g.expand("in_order." + what, InCOrder{.paths = files.names()}, chunks.stream, capacity(1)), 0, 1};
  }
  EachFile<FortranFile> read;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!files.member().empty() || compression_of(RegularFile(paths[i])) != Compression::none ||
        !is_reordered(files, i))
      throw DataError(
          fmt::format("{}: of an array in Fortran order that is compressed, or beside others, no row can be read "
                      "before all of it, which only train without --stream takes: save it with numpy.ascontiguousarray",
                      files.names()[i]));
    read.files.push_back({.path = paths[i], .block_bytes = std::size_t{1} << 20});
  }
  const std::size_t bytes = how.image_bytes ? read.payload_bytes().value_or(0) : 0;
  return {g.source("inflate." + what, std::move(read), capacity(2)), bytes, 2};
}

Chunks read(Graph& g, const std::string& what, ItemKind kind, const InputFiles& files, const ReadItems& how) {
  if (!files.member().empty()) return members(g, what, kind, files, how);
  if (how.decoder == Decoder::zlib) return in_chunks(g, what, kind, files, how);
  if (const std::vector<Compression> all = compressions(files);
      std::find(all.begin(), all.end(), Compression::gzip) == all.end()) {
    if (have_blocks(kind, files, how, g.threads())) return by_blocks(g, what, kind, files, how);
    if (std::find(all.begin(), all.end(), Compression::none) == all.end()) return in_chunks(g, what, kind, files, how);
  }
  const std::vector<Cut> cuts = cuts_of(kind, files, how, g.threads());
  // What stays in memory is decoded in one go, to where it stays, where pieces of it are not decoded at once.
  const auto at_once = [&](const Cut& cut) { return cut.guessed || (!cut.index.empty() && g.threads() > 1); };
  if (how.kept && std::none_of(cuts.begin(), cuts.end(), at_once)) return whole_files(g, what, kind, files, how);
  return by_pieces(g, what, kind, files, how, cuts);
}

}  // namespace

template <ItemKind kind>
ItemStreams read_items(Graph& g, const std::string& what, const InputFiles& files, const ReadItems& how) {
  const Chunks chunks =
      any_is_reordered(files) ? in_c_order(g, what, kind, files, how) : read(g, what, kind, files, how);
  if (kind == ItemKind::images && how.table) {
    const ReadTable& table = *how.table;
    ParseAny parse{
        .name = files.name(), .wanted = table.wanted, .table = {.missing = table.missing, .type = table.type}};
    return {chunks.stream, g.expand("parse." + what, std::move(parse), chunks.stream, capacity(chunks.parsed_ahead)),
            0};
  }
  ParseArray<kind> parse{.paths = files.names(), .classes = how.classes, .label_column = how.label_column};
  parse.layouts = how.wanted.layouts;
  if (chunks.bytes) parse.chunk_bytes = chunks.bytes, parse.item_bytes = item_bytes<kind>(how);
  auto elements = g.expand("parse." + what, parse, chunks.stream, capacity(chunks.parsed_ahead));
  return {chunks.stream, elements, chunks.bytes};
}

ChunkStream read_chunks(Graph& g, const std::string& what, const InputFiles& files, const ReadItems& how) {
  const Chunks chunks = read(g, what, ItemKind::images, files, how);
  return {chunks.stream, chunks.bytes};
}

template ItemStreams read_items<ItemKind::images>(Graph&, const std::string&, const InputFiles&, const ReadItems&);
template ItemStreams read_items<ItemKind::labels>(Graph&, const std::string&, const InputFiles&, const ReadItems&);

}  // namespace sluice::apps
