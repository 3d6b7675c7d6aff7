// Files of images and labels, parsed in whatever chunks they come: the same items, and the same verdict.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/parse.hpp>
#include "tests/fuzz/support.hpp"

namespace sluice::fuzz {

using namespace stages;

struct Outcome {
  std::string items, error;
  std::optional<ItemShape> shape;
  Pixel type = Pixel::uint8;  // of the items
};

// In pieces of the sizes that `next_size` gives. Each lies in memory of just its size, so that a step beyond it is
// seen.
template <class Parser, class Collect>
Outcome parsed(Parser parser, const std::uint8_t* data, std::size_t size, const std::function<std::size_t()>& next_size,
               Collect& collect) {
  Outcome o;
  std::uint64_t next = 0;
  Elements elements;
  const auto pull_all = [&] {
    while (parser.pull(elements)) {
      expect(elements.count > 0 && elements.first == next, "items come in order, each once");
      expect(!o.shape || *o.shape == elements.shape, "a file has one shape");
      o.shape = elements.shape, o.type = elements.type;
      next += elements.count;
      expect(next <= elements.shape.count, "no more items than promised");
      o.items.append(elements.data, elements.data + elements.count * elements.item_bytes());
      collect(elements);
    }
    expect(parser.state_.partial.capacity() <= 2 * size + 16, "memory follows the bytes that came");
  };
  try {
    Chunk chunk;
    for (std::size_t at = 0; at < size; at += chunk.size) {
      chunk.size = std::min(next_size(), size - at);
      chunk.offset = at;
      chunk.owner = {};
      std::uint8_t* const target = chunk.owner.renew().reserve(chunk.size);
      if (chunk.size > 0) std::memcpy(target, data + at, chunk.size);
      chunk.data = target;
      parser.push(chunk);
      pull_all();
    }
    parser.finish();
    pull_all();
  } catch (const DataError& error) {
    o.error = error.what();
    expect(!o.error.empty() && o.error.find('\n') == std::string::npos, "an error is one line", o.error);
  }
  return o;
}

// In one piece, and cut in several ways. What one of these ways collected is in `collect`.
template <class Parser, class Collect>
Outcome parsed_in_every_way(const Parser& parser, const std::uint8_t* data, std::size_t size, Derived& derived,
                            Collect& collect) {
  Collect ignored{.files = collect.files};  // which its errors name
  const Outcome whole = parsed(
      parser, data, size, [&] { return size; }, ignored);
  const std::size_t most = derived.size_up_to(300);
  for (const auto& next_size : {std::function<std::size_t()>([] { return 1; }),
                                std::function<std::size_t()>([&] { return derived.up_to(most); })}) {
    collect.reset();
    const Outcome cut = parsed(parser, data, size, next_size, collect);
    expect(cut.error == whole.error, "the verdict does not depend on chunks", cut.error + "\n" + whole.error);
    // How many items come before one that is wrong, the chunks decide; not which they are.
    const std::size_t same = whole.error.empty() ? std::string::npos : std::min(cut.items.size(), whole.items.size());
    expect(cut.items.substr(0, same) == whole.items.substr(0, same), "nor do the items");
    expect(cut.shape == whole.shape || (same == 0 && !whole.error.empty()), "nor does their shape");
  }
  return whole;
}

}  // namespace sluice::fuzz
