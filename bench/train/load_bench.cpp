// The four files to a data set in memory, decompressed, parsed and checked, by each decoder, beside the bare decoder:
// the largest file read and decoded in one call into new memory, which nothing can be faster than.
//
// The bytes of the bare decoder and the images of the data set are compared.
//
//   load_bench [--data DIR] [--threads 2] [--rounds 11]
#include <fmt/core.h>
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef SLUICE_LIBDEFLATE
#include <libdeflate.h>
#endif

#include "apps/job/load.hpp"
#include "bench/support/guarded.hpp"
#include "bench/support/in_turn.hpp"

namespace sluice::bench {
namespace {

using namespace stages;

struct Decoded {
  std::unique_ptr<std::uint8_t[]> bytes;
  std::size_t size = 0;
};

std::vector<char> contents(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) throw std::runtime_error(path + ": cannot be opened");
  std::fseek(file, 0, SEEK_END);
  std::vector<char> all(static_cast<std::size_t>(std::ftell(file)));
  std::rewind(file);
  if (std::fread(all.data(), 1, all.size(), file) != all.size()) throw std::runtime_error(path + ": cannot be read");
  std::fclose(file);
  return all;
}

Decoded by_zlib(const std::string& path, std::size_t size) {
  std::vector<char> in = contents(path);
  Decoded out{std::make_unique_for_overwrite<std::uint8_t[]>(size), 0};
  z_stream zlib{};
  inflateInit2(&zlib, 15 + 16);
  zlib.next_in = reinterpret_cast<Bytef*>(in.data());
  zlib.avail_in = static_cast<unsigned>(in.size());
  zlib.next_out = out.bytes.get();
  zlib.avail_out = static_cast<unsigned>(size);
  while (zlib.avail_in > 0 && ::inflate(&zlib, Z_FINISH) == Z_STREAM_END && zlib.avail_in > 0) inflateReset(&zlib);
  out.size = size - zlib.avail_out;
  inflateEnd(&zlib);
  return out;
}

#ifdef SLUICE_LIBDEFLATE
Decoded by_libdeflate(const std::string& path, std::size_t size) {
  const std::vector<char> in = contents(path);
  Decoded out{std::make_unique_for_overwrite<std::uint8_t[]>(size), 0};
  libdeflate_decompressor* const decompressor = libdeflate_alloc_decompressor();
  for (std::size_t at = 0; at < in.size();) {
    std::size_t used = 0, made = 0;
    if (libdeflate_gzip_decompress_ex(decompressor, in.data() + at, in.size() - at, out.bytes.get() + out.size,
                                      size - out.size, &used, &made) != LIBDEFLATE_SUCCESS)
      break;
    at += used, out.size += made;
  }
  libdeflate_free_decompressor(decompressor);
  return out;
}
#endif

int run(int argc, char** argv) {
  DataFilesWanted wanted;
  std::size_t thread_count = 2, rounds = 11;
  CLI::App app{"The four files to a data set in memory, beside the bare decoder of the largest"};
  app.add_option("--data", wanted.folder, "Folder of the four files");
  app.add_option("--threads", thread_count, "Threads")->capture_default_str();
  app.add_option("--rounds", rounds, "Rounds that count")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const DataFiles files = find_data_files(wanted);
  const Threads threads(thread_count);

  const auto load = [&](apps::Decoder decoder) { apps::Loading(files, {.read = {.decoder = decoder}}, threads).run(); };
  apps::Loading loading(files, {}, threads);
  const DataSet& set = *loading.run().train.in_memory;
  const std::size_t header = idx_header(ItemKind::images, {}).size(), pixels = set.pixels(),
                    size = header + set.size() * pixels;
  const auto check = [&](const Decoded& decoded) {
    if (decoded.size != size) throw std::runtime_error("the bare decoder made another number of bytes");
    for (std::size_t i = 0; i < set.size(); ++i)
      if (!std::equal(set.images[i], set.images[i] + pixels, decoded.bytes.get() + header + i * pixels))
        throw std::runtime_error("the bare decoder made other bytes");
  };
  const std::string images = files.train_images.name();
  check(by_zlib(images, size));

  std::vector<Alternative> all{{"bare zlib", [&] { by_zlib(images, size); }},
                               {"graph, zlib", [&] { load(apps::Decoder::zlib); }}};
#ifdef SLUICE_LIBDEFLATE
  check(by_libdeflate(images, size));
  all.push_back({"bare libdeflate", [&] { by_libdeflate(images, size); }});
  all.push_back({"graph, libdeflate", [&] { load(apps::Decoder::libdeflate); }});
#endif
  const InTurn t(all, rounds);
  fmt::print("{} images of {} pixels, {} threads; bare: the training images alone, in one call\n", set.size(), pixels,
             thread_count);
  fmt::print("{:<18} {:>8} {:>8} {:>8}\n", "", "ms", "MB/s", "/ bare");
  for (const auto& a : all) {
    const std::string bare = a.name.ends_with("zlib") ? "bare zlib" : "bare libdeflate";
    fmt::print("{:<18} {:>8.1f} {:>8.1f} {:>8.3f}\n", a.name, t.seconds(a.name) * 1e3,
               static_cast<double>(size) / t.seconds(a.name) / 1e6, t.ratio(a.name, bare));
  }
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("load_bench", sluice::bench::run, argc, argv);
}
