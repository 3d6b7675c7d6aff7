// IDX: two bytes with the length of an images file (big-endian), one with the number of classes (0: to be counted),
// the images file, and after it a labels file. Whatever chunks they come in: the same items, the same verdict, the same
// data set.
#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/parse.hpp>
#include "tests/fuzz/support.hpp"

namespace sluice::fuzz {
namespace {

using namespace stages;

struct Outcome {
  std::string items, error;
  std::optional<ItemShape> shape;
};

// In pieces of the sizes that `next_size` gives. Each lies in memory of just its size, so that a step beyond it is
// seen.
template <class Parser, class Collect>
Outcome parsed(const std::uint8_t* data, std::size_t size, const std::function<std::size_t()>& next_size,
               Collect& collect) {
  Outcome o;
  Parser parser{.paths = {"file"}};
  std::uint64_t next = 0;
  Elements elements;
  const auto pull_all = [&] {
    while (parser.pull(elements)) {
      expect(elements.count > 0 && elements.first == next, "items come in order, each once");
      expect(!o.shape || *o.shape == elements.shape, "a file has one shape");
      o.shape = elements.shape;
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
Outcome parsed_in_every_way(const std::uint8_t* data, std::size_t size, Derived& derived, Collect& collect) {
  Collect ignored{.files = collect.files};  // which its errors name
  const Outcome whole = parsed<Parser>(
      data, size, [&] { return size; }, ignored);
  const std::size_t most = derived.size_up_to(300);
  for (const auto& next_size : {std::function<std::size_t()>([] { return 1; }),
                                std::function<std::size_t()>([&] { return derived.up_to(most); })}) {
    collect.reset();
    const Outcome cut = parsed<Parser>(data, size, next_size, collect);
    expect(cut.error == whole.error, "the verdict does not depend on chunks", cut.error + "\n" + whole.error);
    // How many items come before one that is wrong, the chunks decide; not which they are.
    const std::size_t same = whole.error.empty() ? std::string::npos : std::min(cut.items.size(), whole.items.size());
    expect(cut.items.substr(0, same) == whole.items.substr(0, same), "nor do the items");
    expect(cut.shape == whole.shape || (same == 0 && !whole.error.empty()), "nor does their shape");
  }
  return whole;
}

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  if (size < 3) return 0;
  Derived derived(data, size);
  const std::size_t images_size = std::min<std::size_t>(std::size_t{data[0]} << 8 | data[1], size - 3);
  const std::optional<std::size_t> classes = data[2] ? std::optional<std::size_t>(data[2]) : std::nullopt;
  const std::uint8_t* const images = data + 3;
  const std::uint8_t* const labels = images + images_size;
  const std::size_t labels_size = size - 3 - images_size;

  CollectImages image_table{.files = "images"};
  CollectLabels label_table{.files = "labels"}, other_table{.files = "images"};
  const Outcome of_images = parsed_in_every_way<ParseImages>(images, images_size, derived, image_table);
  const Outcome of_labels = parsed_in_every_way<ParseLabels>(labels, labels_size, derived, label_table);
  parsed_in_every_way<ParseLabels>(images, images_size, derived, other_table);
  if (!of_images.error.empty() || !of_labels.error.empty()) return 0;
  try {
    const DataSet set = make_data_set(std::move(image_table), std::move(label_table), classes);
    expect(set.size() == of_images.shape->count && set.labels.size() == set.size(), "as many images as labels");
    expect(set.pixels() == of_images.shape->pixels(), "of the size that the header says");
    expect(set.classes >= 2 && set.classes <= most_classes && (!classes || set.classes == *classes),
           "as many classes as there can be");
    std::string pixels, values;
    for (const std::uint8_t* image : set.images) pixels.append(image, image + set.image_bytes());
    for (const std::uint16_t label : set.labels) {
      expect(label < set.classes, "a label is below the number of classes");
      const auto value = static_cast<float>(label);
      if (of_labels.shape->type == ElementType::uint8)
        values += static_cast<char>(label);
      else
        values.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    expect(pixels == of_images.items && values == of_labels.items, "a data set is what was parsed");
  } catch (const DataError&) {
  } catch (const std::invalid_argument&) {
    expect(classes == 1u, "the number of classes is right");
  }
  return 0;
}
