// IDX files as a stream of a graph that goes through them once, each element as its file has it.
//
//   inflate.WHAT -> parse.WHAT
//
// files -> the decompressed chunks, and the elements within them. Order: that of the files. Errors: those of the
// stages, when the graph runs.
//
//   const IdxStreams labels = read_idx<stages::IdxKind::labels>(g, "train-labels", files, {});
//   g.sink("collect.train-labels", std::ref(collector), labels.elements);
#pragma once

#include <cstddef>
#include <string>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/parse.hpp>

namespace sluice::apps {

// What decompresses: zlib in chunks, or libdeflate whole files.
enum class Decoder { zlib, libdeflate };

struct ReadIdx {
  Decoder decoder = Decoder::zlib;
  int wake = -1;                // a descriptor that ends the wait for a pipe when it becomes readable
  std::size_t image_bytes = 0;  // of an image in memory, where they are known: then the graph can state its bound
};

struct IdxStreams {
  Stream<stages::Chunk> chunks;
  Stream<stages::Elements> elements;
};

template <stages::IdxKind kind>
IdxStreams read_idx(Graph& graph, const std::string& what, const stages::InputFiles& files, const ReadIdx& how);

}  // namespace sluice::apps
