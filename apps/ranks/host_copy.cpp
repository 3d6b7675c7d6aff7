#include "apps/ranks/host_copy.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <sluice/stages/errors.hpp>

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t page = 4096;

constexpr std::size_t whole_pages(std::size_t bytes) {
  return (bytes + page - 1) / page * page;
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Written, not mapped: a page that is written to for the first time through a mapping costs an interruption.
class Writer {
 public:
  explicit Writer(int file) : file_(file) {}
  void add(const void* data, std::size_t bytes) {
    const auto* from = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t written = ::pwrite(file_, from, bytes, static_cast<off_t>(at_));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail("the host's copy of the data");
      from += written, bytes -= static_cast<std::size_t>(written), at_ += static_cast<std::size_t>(written);
    }
  }
  std::size_t begin_page() { return at_ = whole_pages(at_); }

 private:
  const int file_;
  std::size_t at_ = 0;
};

// Rows that lie one behind the other are written at once.
void add_images(Writer& to, const stages::DataSet& set) {
  const std::size_t bytes = set.image_bytes();
  for (std::size_t i = 0; i < set.size();) {
    std::size_t last = i + 1;
    while (last < set.size() && set.images[last] == set.images[last - 1] + bytes) ++last;
    to.add(set.images[i], (last - i) * bytes);
    i = last;
  }
}

ordered_json describe(const LabelledSet& labelled, std::size_t images, std::size_t labels) {
  const stages::DataShape& shape = labelled.shape;
  return {{"rows", shape.rows},
          {"columns", shape.columns},
          {"stored", static_cast<int>(shape.stored)},
          {"classes", shape.classes},
          {"path", shape.path},
          {"planes", shape.planes},
          {"flat", shape.flat},
          {"divisor", shape.divisor ? ordered_json(static_cast<double>(*shape.divisor)) : ordered_json()},
          {"count", labelled.count},
          {"one_file", labelled.one_file},
          {"images", images},
          {"labels", labels}};
}

}  // namespace

std::string HostCopy::offer(const JobData& data) {
  memory_ = HostMemory::make("sluice data");
  Writer to(memory_.file());
  ordered_json sets = ordered_json::array();
  for (const LabelledSet* one : {&data.train, &data.test, &data.validation}) {
    if (!one->in_memory) {
      sets.push_back(nullptr);
      continue;
    }
    const stages::DataSet& set = *one->in_memory;
    const std::size_t images = to.begin_page();
    add_images(to, set);
    const std::size_t labels = to.begin_page();
    to.add(set.labels.data(), set.labels.size() * sizeof(std::uint16_t));
    sets.push_back(describe(*one, images, labels));
  }
  memory_.resize(to.begin_page());
  const ordered_json told = {{"memory", memory_.offer()},
                             {"sets", sets},
                             {"fill", data.transform.fill},
                             {"mean", data.transform.mean},
                             {"deviation", data.transform.deviation},
                             {"words", data.table.words},
                             {"features", data.table.features},
                             {"of_bytes", data.table.bytes},
                             {"notes", data.table.notes},
                             {"digests", data.digests}};
  return told.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

const JobData& HostCopy::take(const std::string& offer) {
  const ordered_json told = ordered_json::parse(offer);
  try {
    seen_ = HostMemory::see(told["memory"]);
  } catch (const HostMemory::OutOfReach& why) {
    throw stages::DataError(
        fmt::format("the data that another process of this host has loaded cannot be seen ({}): "
                    "--one-copy no lets each load its own",
                    why.what()));
  }
  LabelledSet* const labelled[] = {&data_.train, &data_.test, &data_.validation};
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const ordered_json& its = told["sets"][i];
    if (its.is_null()) continue;
    stages::DataSet& set = sets_[i];
    set.rows = its["rows"], set.columns = its["columns"], set.classes = its["classes"], set.planes = its["planes"];
    set.stored = static_cast<stages::ElementType>(its["stored"].get<int>());
    set.path = its["path"], set.flat = its["flat"];
    if (!its["divisor"].is_null()) set.divisor = static_cast<float>(its["divisor"].get<double>());
    const std::size_t count = its["count"], bytes = set.image_bytes();
    const auto* const images =
        static_cast<const std::uint8_t*>(static_cast<const void*>(seen_.pages())) + its["images"].get<std::size_t>();
    set.images.resize(count);
    for (std::size_t k = 0; k < count; ++k) set.images[k] = images + k * bytes;
    const auto* const labels =
        static_cast<const std::uint16_t*>(static_cast<const void*>(seen_.pages() + its["labels"].get<std::size_t>()));
    set.labels.assign(labels, labels + count);
    *labelled[i] = LabelledSet(set);
    labelled[i]->one_file = its["one_file"];
  }
  data_.transform = {.fill = told["fill"], .mean = told["mean"], .deviation = told["deviation"]};
  data_.table = {
      .words = told["words"], .features = told["features"], .bytes = told["of_bytes"], .notes = told["notes"]};
  data_.digests = told["digests"];
  return data_;
}

std::size_t free_memory() {
  constexpr std::string_view name = "MemAvailable:";
  std::ifstream info("/proc/meminfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with(name))
      return static_cast<std::size_t>(std::strtoull(line.c_str() + name.size(), nullptr, 10)) * 1024;
  return 0;
}

}  // namespace sluice::apps
