// Arrays: the bytes are a file of one, .npy or IDX, as images and as labels, of which a column may be named. Whatever
// chunks they come in, the same items and the same verdict; what is in Fortran order is put into C's by both ways to
// the same bytes, whose order is looked up number by number.
#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/stages/array_header.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/fortran_order.hpp>
#include <sluice/stages/npy.hpp>
#include <sluice/stages/parse.hpp>
#include "tests/fuzz/parsing.hpp"
#include "tests/fuzz/support.hpp"

namespace sluice::fuzz {
namespace {

struct Read {
  std::string bytes, error;
};

void append(const Chunk& chunk, Read& all) {
  expect(chunk.offset == all.bytes.size() || chunk.size == 0, "a chunk says where it is");
  all.bytes.append(chunk.data, chunk.data + chunk.size);
}

Read by_file(const std::string& path, std::size_t block) {
  Read all;
  try {
    FortranFile file{.path = path, .block_bytes = block};
    for (Chunk chunk; file(chunk);) append(chunk, all);
  } catch (const DataError& error) {
    all.error = error.what();
    check_error(all.error, path);
  }
  return all;
}

Read by_stream(std::string_view file, Derived& derived) {
  Read all;
  try {
    InCOrder order{.paths = {"file"}};
    Chunk chunk, out;
    const std::size_t most = derived.size_up_to(300);
    for (std::size_t at = 0; at < file.size(); at += chunk.size) {
      chunk.size = std::min(1 + derived.up_to(most), file.size() - at);
      chunk.offset = at;
      chunk.owner = {};
      std::uint8_t* const target = chunk.owner.renew().reserve(chunk.size);
      std::memcpy(target, file.data() + at, chunk.size);
      chunk.data = target;
      order.push(chunk);
      while (order.pull(out)) append(out, all);
    }
    order.finish();
    while (order.pull(out)) append(out, all);
  } catch (const DataError& error) {
    all.error = error.what();
    check_error(all.error, "file");
  }
  return all;
}

// Number by number.
std::string in_c_order(const ArrayHeader& header, std::string_view numbers) {
  const std::size_t bytes = element_type_bytes(header.type), rank = header.sizes.size();
  std::string all(numbers.size(), '\0');
  for (std::size_t place = 0; place < numbers.size() / bytes; ++place) {
    std::uint64_t rest = place, other = 0, step = 1;
    for (std::size_t i = 0; i < rank; ++i) step *= header.sizes[i];
    for (std::size_t i = 0; i < rank; ++i) {  // of the place in Fortran order the first index changes fastest
      step /= header.sizes[i];
      other += rest % header.sizes[i] * step;
      rest /= header.sizes[i];
    }
    std::memcpy(all.data() + other * bytes, numbers.data() + place * bytes, bytes);
  }
  return all;
}

void check_order(const std::uint8_t* data, std::size_t size, Derived& derived) {
  static const Folder folder;
  std::vector<std::uint8_t> start;
  std::span<const std::uint8_t> rest(data, size);
  std::optional<ArrayHeader> header;
  bool refused = false;
  try {
    if (take_array_header(start, rest, "file") && is_array(start)) header = parse_array_header(start, "file");
  } catch (const DataError&) {
    refused = true;
  }
  const Read streamed = by_stream(text_of(data, size), derived);
  if (!header || !header->is_reordered()) {
    expect(streamed.error.empty() != refused, "a header is refused, and nothing else");
    if (!refused) expect(streamed.bytes == text_of(data, size), "what is in order is passed on");
    return;
  }
  const Read read = by_file(folder.write("file", text_of(data, size)), derived.size_up_to(2000));
  expect(read.error.empty() == streamed.error.empty(), "both ways have the same verdict",
         read.error + "\n" + streamed.error);
  if (!read.error.empty()) return;
  expect(read.bytes == streamed.bytes, "and make the same bytes");
  const std::vector<std::uint8_t> written = [&] {
    ArrayHeader c = *header;
    c.fortran_order = false;
    return npy_header(c);
  }();
  expect(read.bytes ==
             std::string(written.begin(), written.end()) + in_c_order(*header, text_of(rest.data(), rest.size())),
         "which are those of the array in C order");
}

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  Derived derived(data, size);
  const std::size_t column = derived.up_to(4);
  const std::size_t classes = derived.up_to(1) * 10, chunk_bytes = derived.size_up_to(300);
  CollectImages images{.files = "file"};
  const Outcome of_images =
      parsed_in_every_way(ParseImages{.paths = {"file"}, .chunk_bytes = chunk_bytes}, data, size, derived, images);
  if (!of_images.error.empty()) check_error(of_images.error, "file");
  for (const std::optional<std::size_t> named : {std::optional<std::size_t>(), std::optional<std::size_t>(column)}) {
    CollectLabels labels{.files = "file"};
    const ParseLabels parse{.paths = {"file"}, .chunk_bytes = chunk_bytes, .classes = classes, .label_column = named};
    const Outcome of_labels = parsed_in_every_way(parse, data, size, derived, labels);
    if (!of_labels.error.empty()) check_error(of_labels.error, "file");
  }
  check_order(data, size, derived);
  return 0;
}
