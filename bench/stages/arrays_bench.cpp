// Arrays of NumPy's: a .npy file and a member of an .npz file to images in memory, beside a plain read of the bytes and
// the bare decoder; and what it costs to put Fortran order, colours side by side and other types right.
//
// The input is made here: 60,000 images of 28 x 28 bytes, compressible as pictures are (and 20,000 of 28 x 28 x 3, and
// of other types). What each makes is compared with what was put in. What is kept in memory is new memory each time, as
// when a data set is loaded; what is streamed is used again.
//
//   arrays_bench [--rounds 11]
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef SLUICE_LIBDEFLATE
#include <libdeflate.h>
#endif

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/fortran_order.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include <sluice/stages/parse.hpp>
#include <sluice/stages/zip_member.hpp>
#include "bench/support/guarded.hpp"
#include "bench/support/in_turn.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/npy.hpp"
#include "tests/support/zip.hpp"

namespace sluice::bench {
namespace {

using namespace stages;
using test::npy;

std::string pictures(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    if (state >> 63) byte = static_cast<char>(state >> 33 & 0xf8);
  }
  return bytes;
}

// As a reader that knows nothing of stages would have them: a file from a place on, in one call.
struct Read {
  Bytes memory;
  std::uint8_t* data = nullptr;
  Read(const std::string& path, std::size_t offset, std::size_t size) : data(memory.reserve(size)) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got = ::pread(file, data, size, static_cast<off_t>(offset));
    ::close(file);
    if (got != static_cast<ssize_t>(size)) throw std::runtime_error(path + ": cannot be read");
  }
};

void read_in_pieces(const std::string& path) {
  std::vector<char> buffer(256 * 1024);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (::read(file, buffer.data(), buffer.size()) > 0) continue;
  ::close(file);
}

#ifdef SLUICE_LIBDEFLATE
Bytes bare(const std::string& path, std::size_t offset, std::size_t stored, std::size_t size) {
  const Read in(path, offset, stored);
  Bytes out;
  libdeflate_decompressor* const decompressor = libdeflate_alloc_decompressor();
  const auto result = libdeflate_deflate_decompress(decompressor, in.data, stored, out.reserve(size), size, nullptr);
  libdeflate_free_decompressor(decompressor);
  if (result != LIBDEFLATE_SUCCESS) throw std::runtime_error("libdeflate could not decode zlib's output");
  return out;
}
#endif

// All images, kept.
template <class Source>
CollectImages kept(Source source) {
  ParseImages parse{.paths = {source.path}};
  CollectImages images;
  Elements elements;
  for (Chunk chunk; source(chunk);) {
    parse.push(chunk);
    while (parse.pull(elements)) images(elements);
  }
  parse.finish();
  return images;
}
// None of them.
template <class Source>
void streamed(Source source) {
  ParseImages parse{.paths = {source.path}};
  Elements elements;
  for (Chunk chunk; source(chunk);) {
    parse.push(chunk);
    while (parse.pull(elements)) continue;
  }
  parse.finish();
}
// By way of InCOrder.
template <class Source>
CollectImages ordered(Source source) {
  InCOrder order{.paths = {source.path}};
  ParseImages parse{.paths = {source.path}};
  CollectImages images;
  Elements elements;
  Chunk put;
  for (Chunk chunk; source(chunk);) {
    order.push(chunk);
    while (order.pull(put)) {
      parse.push(put);
      while (parse.pull(elements)) images(elements);
    }
  }
  parse.finish();
  return images;
}

void check(const CollectImages& images, const std::string& expected) {
  const std::size_t size = expected.size() / images.images.size();
  for (std::size_t i = 0; i < images.images.size(); ++i)
    if (std::memcmp(images.images[i], expected.data() + i * size, size) != 0)
      throw std::runtime_error("other images than were put in");
}

std::string transposed(const std::string& bytes, std::size_t rows) {
  const std::size_t columns = bytes.size() / rows;
  std::string out(bytes.size(), '\0');
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) out[c * rows + r] = bytes[r * columns + c];
  return out;
}

int run(int argc, char** argv) {
  std::size_t rounds = 11;
  CLI::App app{"Arrays of NumPy's to images in memory, beside a plain read and the bare decoder"};
  app.add_option("--rounds", rounds, "Rounds that count")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  constexpr std::size_t count = 60'000, pixels = 784, size = count * pixels, header = 128;
  const test::Folder folder;
  const std::string bytes = pictures(size), file = npy("|u1", "(60000, 28, 28)", bytes);
  const std::string plain = folder.write("a.npy", file),
                    fortran = folder.write("f.npy", npy("|u1", "(60000, 784)", transposed(bytes, count), true));
  const std::string packed = test::deflate_blocks(file, true, 6), member = "a.npy";
  const std::string zip = folder.write("a.npz", test::zip_file({{.name = member, .data = file, .bytes = packed}})),
                    stored = folder.write("s.npz", test::zip_file({{.name = member, .data = file, .deflated = false}}));
  const std::size_t local_header = 30 + member.size();

  std::vector<float> numbers(10'000 * pixels);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(static_cast<unsigned char>(bytes[i]));
  const auto as = [&]<class T>(T) { return test::little_endian(std::vector<T>(numbers.begin(), numbers.end())); };
  const std::string floats = as(float{}), colours = pictures(20'000 * pixels * 3);
  std::string planes = colours;
  for (std::size_t i = 0; i < 20'000; ++i)
    for (std::size_t p = 0; p < 3; ++p)
      for (std::size_t k = 0; k < pixels; ++k)
        planes[i * 3 * pixels + p * pixels + k] = colours[i * 3 * pixels + k * 3 + p];
  const std::string f4 = folder.write("f4.npy", npy("<f4", "(10000, 784)", floats)),
                    f8 = folder.write("f8.npy", npy("<f8", "(10000, 784)", as(double{}))),
                    i8 = folder.write("i8.npy", npy("<i8", "(10000, 784)", as(std::int64_t{}))),
                    rgb = folder.write("rgb.npy", npy("|u1", "(20000, 28, 28, 3)", colours));

  const ZipMember whole{.path = zip, .member = member, .whole = true}, chunks{.path = zip, .member = member};
  const auto member_of = [](const ZipMember& m) {
    return ZipMember{.path = m.path, .member = m.member, .whole = m.whole};
  };
  check(kept(InflateWhole{.path = plain}), bytes);
  check(kept(FortranFile{.path = fortran}), bytes);
  check(ordered(Inflate{.path = fortran}), bytes);
  check(kept(Inflate{.path = f8}), floats);
  check(kept(Inflate{.path = i8}), floats);
  check(kept(Inflate{.path = rgb}), planes);
  std::vector<Alternative> all{{"read, kept", [&] { Read(plain, 0, file.size()); }},
                               {"npy, kept", [&] { kept(InflateWhole{.path = plain}); }},
                               {"read, streamed", [&] { read_in_pieces(plain); }},
                               {"npy, streamed", [&] { streamed(Inflate{.path = plain}); }},
                               {"Fortran order, file", [&] { kept(FortranFile{.path = fortran}); }},
                               {"Fortran order, stream", [&] { ordered(Inflate{.path = fortran}); }},
                               {"read of float32", [&] { Read(f4, header, 10'000 * pixels * 4); }},
                               {"float32", [&] { kept(InflateWhole{.path = f4}); }},
                               {"read of float64", [&] { Read(f8, header, 10'000 * pixels * 8); }},
                               {"float64", [&] { kept(InflateWhole{.path = f8}); }},
                               {"int64", [&] { kept(InflateWhole{.path = i8}); }},
                               {"read of colours", [&] { Read(rgb, header, colours.size()); }},
                               {"colours side by side", [&] { kept(InflateWhole{.path = rgb}); }}};
  if (!libzip_version().empty()) {
    check(kept(member_of(whole)), bytes);
    check(kept(member_of(chunks)), bytes);
    all.push_back({"npz, stored, kept", [&] { kept(ZipMember{.path = stored, .member = member, .whole = true}); }});
    all.push_back({"npz, zlib, streamed", [&] { streamed(member_of(chunks)); }});
#ifdef SLUICE_LIBDEFLATE
    all.push_back({"bare libdeflate", [&] { bare(zip, local_header, packed.size(), file.size()); }});
    all.push_back({"npz, whole", [&] { kept(member_of(whole)); }});
#endif
  }
  const InTurn t(all, rounds);
  fmt::print("{:<22} {:>8} {:>8} {:>8}  of\n", "", "ms", "MB/s", "ratio");
  const auto print = [&](const std::string& name, const std::string& to, std::size_t of) {
    fmt::print("{:<22} {:>8.2f} {:>8.0f} {:>8.3f}  {}\n", name, t.seconds(name) * 1e3,
               static_cast<double>(of) / t.seconds(name) / 1e6, t.ratio(name, to), to);
  };
  for (const char* name : {"read, kept", "npy, kept", "Fortran order, file", "Fortran order, stream"})
    print(name, "read, kept", size);
  for (const char* name : {"read, streamed", "npy, streamed"}) print(name, "read, streamed", size);
  for (const char* name : {"read of float32", "float32"}) print(name, "read of float32", 10'000 * pixels * 4);
  for (const char* name : {"read of float64", "float64", "int64"}) print(name, "read of float64", 10'000 * pixels * 8);
  for (const char* name : {"read of colours", "colours side by side"}) print(name, "read of colours", colours.size());
  if (libzip_version().empty()) return 0;
  print("npz, stored, kept", "read, kept", size);
#ifdef SLUICE_LIBDEFLATE
  for (const char* name : {"bare libdeflate", "npz, whole", "npz, zlib, streamed"})
    print(name, "bare libdeflate", size);
#endif
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("arrays_bench", sluice::bench::run, argc, argv);
}
