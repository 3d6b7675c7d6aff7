#include "apps/job/read_idx.hpp"

#include <type_traits>
#include <utility>
#include <vector>

#include <sluice/stages/each_file.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/inflate_whole.hpp>

namespace sluice::apps {
namespace {

using namespace stages;

template <IdxKind kind, class Inflater>
IdxStreams read(Graph& g, const std::string& what, EachFile<Inflater> inflate, const std::vector<std::string>& paths,
                std::size_t image_bytes) {
  const std::size_t item_bytes = kind == IdxKind::labels && image_bytes ? sizeof(float) : image_bytes;
  // What an image's elements keep is a whole chunk. Only a wiring that is to state its bound looks for it.
  const std::size_t chunk_bytes = item_bytes ? inflate.payload_bytes().value_or(0) : 0;
  ParseIdx<kind> parse{.paths = paths, .item_bytes = chunk_bytes ? item_bytes : 0};
  if (chunk_bytes) parse.chunk_bytes = chunk_bytes;
  const bool whole = std::is_same_v<Inflater, InflateWhole>;
  auto chunks = g.source("inflate." + what, std::move(inflate), capacity(whole ? 1 : 2));
  auto elements = g.expand("parse." + what, parse, chunks, capacity(whole ? 1 : 4));
  return {chunks, elements};
}

}  // namespace

template <IdxKind kind>
IdxStreams read_idx(Graph& g, const std::string& what, const InputFiles& files, const ReadIdx& how) {
  const std::vector<std::string>& paths = files.paths();
  if (how.decoder == Decoder::libdeflate) {
    EachFile<InflateWhole> inflate;
    for (const std::string& one : paths) inflate.files.push_back({.path = one, .kind = kind, .wake = how.wake});
    return read<kind>(g, what, std::move(inflate), paths, how.image_bytes);
  }
  EachFile<Inflate> inflate;
  for (const std::string& one : paths) inflate.files.push_back({.path = one, .wake = how.wake});
  return read<kind>(g, what, std::move(inflate), paths, how.image_bytes);
}

template IdxStreams read_idx<IdxKind::images>(Graph&, const std::string&, const InputFiles&, const ReadIdx&);
template IdxStreams read_idx<IdxKind::labels>(Graph&, const std::string&, const InputFiles&, const ReadIdx&);

}  // namespace sluice::apps
