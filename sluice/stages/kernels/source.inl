// The kernels, once for all levels: included by each level_*.cpp after its `Native`, a struct of `width` floats.
//
// Everything is in an unnamed namespace and uses nothing of the standard library that could leave an inline function
// behind (see levels.hpp). Arithmetic is written for 16 virtual lanes; a level with narrower registers goes through
// them in parts, which changes no bit because lanes only meet in Native::sums.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sluice/stages/kernels/table.hpp>

// Accumulators live in arrays: only a completely unrolled loop keeps them in registers.
#ifdef __clang__
#define SLUICE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SLUICE_UNROLL _Pragma("GCC unroll 32")
#endif

namespace {

using sluice::kernels::AdamArgs;
using sluice::kernels::ForwardArgs;
using sluice::kernels::GradientArgs;
using sluice::kernels::lanes;
using sluice::kernels::MomentumArgs;
using sluice::kernels::Pixel;
using sluice::kernels::row_block;
using sluice::kernels::Table;

using Factor = Native::Factor;
using Stored = Native::Stored;
constexpr size_t parts = lanes / Native::width;  // registers of one virtual vector

// A row's pixels, P: uint8_t or float.
template <class P>
using RowOf = const P*;
template <class P>
RowOf<P> row_of(const uint8_t* bytes) {
  return reinterpret_cast<const P*>(bytes);
}

// Floats where factors are stored as floats; not called elsewhere.
template <class S>
const S* as_they_are(const float* p) {
  if constexpr (sizeof(S) == sizeof(float))
    return p;
  else
    return nullptr;
}
size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}
size_t ceil_div(size_t a, size_t b) {
  return (a + b - 1) / b;
}

// Cuts `count` into pieces of at most `most`, as evenly as possible: a rest of one class would waste the registers.
struct Cut {
  Cut(size_t count, size_t most) : pieces(ceil_div(count, most)), count_(count) {}
  size_t begin(size_t piece) const { return count_ * piece / pieces; }
  size_t pieces;

 private:
  size_t count_;
};

// f(Int<n>) for the run-time n in 1 .. Most.
template <size_t N>
struct Int {
  static constexpr size_t value = N;
};
template <size_t Most, class F>
void with_constant(size_t n, const F& f) {
  if constexpr (Most > 1) {
    if (n < Most) return with_constant<Most - 1>(n, f);
  }
  f(Int<Most>{});
}

// ---- exp and log -----------------------------------------------------------------------------------------------

// e^x = 2^n e^r with |r| <= log(2) / 2; e^r = 1 + r + r^2 q(r), q of degree 4 by a Remez exchange for the least
// relative error (3e-9 before rounding). log(2) is split into 355/512 and a rest, so that n times the first part is
// exact. Below -80 the result is 0: nothing that small changes a sum next to the 1 of the largest logit, and it keeps
// products of probabilities out of the slow denormal numbers. x <= 88; NaN stays NaN.
Native exp_of(Native x) {
  const Native magic = Native::broadcast(12582912.f);  // 1.5 x 2^23: adding it rounds to an integer in the lowest bits
  const Native shifted = Native::fma(x, Native::broadcast(1.44269502f), magic);
  const Native n = shifted - magic;
  Native r = Native::fma(n, Native::broadcast(-0.693359375f), x);
  r = Native::fma(n, Native::broadcast(2.12194442e-4f), r);
  Native q = Native::broadcast(0.00138145406f);
  q = Native::fma(q, r, Native::broadcast(0.00836874545f));
  q = Native::fma(q, r, Native::broadcast(0.041668389f));
  q = Native::fma(q, r, Native::broadcast(0.166665211f));
  q = Native::fma(q, r, Native::broadcast(0.49999994f));
  const Native mantissa = Native::fma(r * r, q, r) + Native::broadcast(1);
  return Native::if_greater(Native::broadcast(-80), x, Native::zero(), Native::add_exponent(mantissa, shifted));
}

// log x = e log(2) + log(1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log(1 + f) = f + f^2 q(f), q of degree 8 by a Remez
// exchange for the least relative error (4e-9 before rounding). For normal x > 0.
Native log_of(Native x) {
  Native mantissa, exponent;
  Native::split(x, 0x3f3504f3, mantissa, exponent);  // the bits of sqrt(1/2)
  const Native f = mantissa - Native::broadcast(1);
  Native q = Native::broadcast(-0.0762178674f);
  q = Native::fma(q, f, Native::broadcast(0.129044503f));
  q = Native::fma(q, f, Native::broadcast(-0.132429928f));
  q = Native::fma(q, f, Native::broadcast(0.141818225f));
  q = Native::fma(q, f, Native::broadcast(-0.166090816f));
  q = Native::fma(q, f, Native::broadcast(0.200019747f));
  q = Native::fma(q, f, Native::broadcast(-0.250015825f));
  q = Native::fma(q, f, Native::broadcast(0.333333254f));
  q = Native::fma(q, f, Native::broadcast(-0.499999881f));
  const Native low = Native::fma(exponent, Native::broadcast(-2.12194442e-4f), f * f * q);
  return Native::fma(exponent, Native::broadcast(0.693359375f), f + low);
}

// ---- Forward ---------------------------------------------------------------------------------------------------

constexpr size_t column = 64;       // pixels: of uint8 a cache line
constexpr size_t strip = 64;        // rows
constexpr size_t fetched_rows = 4;  // at a time: of bytes, a line of 64 for each chunk that is worked on
// Pixel chunks whose weights, for one group of classes, stay in the first-level cache.
constexpr size_t panel(size_t classes) {
  return Native::panel_bytes / (classes * Native::width * sizeof(Stored));
}

// R rows' dot products with C classes over `chunks` pixel chunks, one part of the lanes; from zero, or added to what is
// in acc[R][C][16]. Fetches the rows `next` meanwhile.
template <size_t R, size_t C, bool Fetch, class P>
void forward_tile(const RowOf<P>* x, const RowOf<P>* next, const Stored* w, size_t chunk_stride, size_t class_stride,
                  size_t chunks, bool from_zero, float* acc) {
  Native sum[R][C];
  SLUICE_UNROLL
  for (size_t r = 0; r < R; r++) {
    SLUICE_UNROLL
    for (size_t c = 0; c < C; c++) sum[r][c] = from_zero ? Native::zero() : Native::load(acc + (r * C + c) * lanes);
  }
  for (size_t k = 0; k < chunks; k++, w += chunk_stride) {
    if constexpr (Fetch && sizeof(P) == 1) __builtin_prefetch(next[k % fetched_rows] + k / fetched_rows * column);
    if constexpr (Fetch && sizeof(P) > 1)
      for (size_t r = 0; r < fetched_rows; r++) __builtin_prefetch(next[r] + k * lanes);
    decltype(Native::pixels(*x)) pixel[R];
    SLUICE_UNROLL
    for (size_t r = 0; r < R; r++) pixel[r] = Native::pixels(x[r] + k * lanes);
    SLUICE_UNROLL
    for (size_t c = 0; c < C; c++) {
      Factor weight = Factor::load(w + c * class_stride);
      if (R > 1) weight.keep();
      SLUICE_UNROLL
      for (size_t r = 0; r < R; r++) sum[r][c] = Native::fma(pixel[r], weight, sum[r][c]);
    }
  }
  if (Fetch)
    for (size_t r = 0; r < fetched_rows; r++) __builtin_prefetch(next[r] + chunks * lanes - 1);
  SLUICE_UNROLL
  for (size_t r = 0; r < R; r++) {
    SLUICE_UNROLL
    for (size_t c = 0; c < C; c++) sum[r][c].store(acc + (r * C + c) * lanes);
  }
}

// Some rows' dot products with C classes over one panel of weights. x, next: the rows, from the panel's first pixel on.
template <size_t C, class P>
void forward_panel(const RowOf<P>* x, const RowOf<P>* next, size_t rows, const float* weights, size_t stride,
                   size_t chunks, bool from_zero, float* acc) {
  constexpr size_t R = Native::tile_rows(C);
  alignas(64) Stored packed[parts > 1 ? panel(C) * C * Native::width : 1];
  for (size_t part = 0; part < lanes; part += Native::width) {
    const Stored* w;
    size_t chunk_stride = stride, class_stride = lanes;
    // Halves of vectors one after the other: half the cache, and no two loads at once from the same bank of it.
    if constexpr (parts > 1) {
      Stored* out = packed;
      for (size_t k = 0; k < chunks; k++)
        for (size_t c = 0; c < C; c++, out += Native::width)
          Factor(Native::load(weights + k * stride + c * lanes + part)).store(out);
      w = packed, chunk_stride = C * Native::width, class_stride = Native::width;
    } else {
      w = as_they_are<Stored>(weights);
    }
    for (size_t r = 0; r < rows; r += R) {
      RowOf<P> here[R];
      for (size_t i = 0; i < R; i++) here[i] = x[r + i] + part;
      float* sums = acc + r * C * lanes + part;
      if (next && part == 0 && r % fetched_rows == 0)
        forward_tile<R, C, true, P>(here, next + r, w, chunk_stride, class_stride, chunks, from_zero, sums);
      else
        forward_tile<R, C, false, P>(here, nullptr, w, chunk_stride, class_stride, chunks, from_zero, sums);
    }
  }
}

// Up to `strip` rows: their logits, as [groups][classes][16 rows], into z. The classes are the outer loop, so that the
// weights of one group of classes stay in the first-level cache while all rows of the strip go by.
template <class P>
void logits(const ForwardArgs& a, size_t first, size_t count, float* z) {
  // Rows are fetched Native::ahead rows early: they come in random order, so that the hardware cannot.
  RowOf<P> x[strip], next[strip], tail[strip];
  P tails[strip][lanes];
  const size_t full = a.pixels / lanes, rest = a.pixels % lanes, padded = ceil_div(count, lanes) * lanes;
  for (size_t r = 0; r < padded; r++) {
    x[r] = row_of<P>(a.rows[first + smaller(r, count - 1)]);
    next[r] = row_of<P>(a.rows[smaller(first + r + Native::ahead, a.count - 1)]);
    tail[r] = tails[r];
    if (rest > 0) {
      memset(tails[r], 0, sizeof tails[r]);
      memcpy(tails[r], x[r] + full * lanes, rest * sizeof(P));
    }
  }
  const size_t stride = a.classes * lanes;
  const Cut groups(a.classes, Native::tile_classes);
  alignas(64) float acc[strip * Native::tile_classes * lanes];
  for (size_t g = 0; g < groups.pieces; g++) {
    const size_t first_class = groups.begin(g), classes = groups.begin(g + 1) - first_class;
    const float* weights = a.weights + first_class * lanes;
    with_constant<Native::tile_classes>(classes, [&](auto constant) {
      constexpr size_t C = decltype(constant)::value;
      const Cut panels(full, panel(C));
      // One panel of weights stays in the cache by itself, and the sums of a few rows beside it; of several panels each
      // has to meet all rows before the next.
      const size_t run = parts == 1 && panels.pieces <= 1 ? lanes : strip;
      for (size_t from = 0; from < count; from += run) {
        const size_t rows = smaller(run, count - from);
        for (size_t p = 0; p < panels.pieces; p++) {
          const size_t begin = panels.begin(p), chunks = panels.begin(p + 1) - begin;
          RowOf<P> here[strip], there[strip];
          for (size_t r = 0; r < ceil_div(rows, lanes) * lanes; r++)
            here[r] = x[from + r] + begin * lanes, there[r] = next[from + r] + begin * lanes;
          forward_panel<C, P>(here, g == 0 ? there : nullptr, rows, weights + begin * stride, stride, chunks, p == 0,
                              acc);
        }
        if (rest > 0)
          forward_panel<C, P>(tail + from, nullptr, rows, weights + full * stride, stride, 1, full == 0, acc);
        for (size_t at = 0; at < rows; at += lanes)
          for (size_t c = 0; c < C; c++) {
            float* out = z + (from + at) * a.classes + (first_class + c) * lanes;
            Native::sums(acc + (at * C + c) * lanes, C * lanes, out);
            const Native bias = Native::broadcast(a.bias[first_class + c]);
            for (size_t part = 0; part < lanes; part += Native::width)
              Native::fma(Native::load(out + part), Native::broadcast(a.scale), bias).store(out + part);
          }
      }
    });
  }
}

// Up to 16 rows at a time, a lane each: logits, the stable softmax (subtract the row's largest logit), its derivative.
void forward(const ForwardArgs& a) {
  for (size_t first = 0; first < a.count; first += lanes) {
    const size_t count = smaller(lanes, a.count - first);
    float* z = a.delta + first * a.classes;
    if (first % strip == 0) {
      const size_t rows = smaller(strip, a.count - first);
      a.type == Pixel::uint8 ? logits<uint8_t>(a, first, rows, z) : logits<float>(a, first, rows, z);
    }

    alignas(64) float largest[lanes], position[lanes], total[lanes];
    for (size_t part = 0; part < lanes; part += Native::width) {
      Native best = Native::load(z + part), at = Native::zero();
      for (size_t c = 1; c < a.classes; c++) {
        const Native logit = Native::load(z + c * lanes + part);
        at = Native::if_greater(logit, best, Native::broadcast(static_cast<float>(c)), at);
        best = Native::larger(logit, best);
      }
      best.store(largest + part);
      at.store(position + part);
    }
    for (size_t r = 0; r < count; r++) {
      a.predicted[first + r] = static_cast<uint16_t>(position[r]);
      a.label_logit[first + r] = a.labels ? z[a.labels[first + r] * lanes + r] - largest[r] : 0;
    }
    for (size_t part = 0; part < lanes; part += Native::width) {
      const Native best = Native::load(largest + part);
      Native sum = Native::zero();
      for (size_t c = 0; c < a.classes; c++) {
        const Native e = exp_of(Native::load(z + c * lanes + part) - best);
        e.store(z + c * lanes + part);
        sum = sum + e;
      }
      sum.store(total + part);
      const Native scale = Native::broadcast(1) / sum;
      for (size_t c = 0; c < a.classes; c++) (Native::load(z + c * lanes + part) * scale).store(z + c * lanes + part);
    }
    memcpy(a.exp_sum + first, total, count * sizeof(float));
    if (a.labels)
      for (size_t r = 0; r < count; r++) z[a.labels[first + r] * lanes + r] -= 1;
    for (size_t c = 0; c < a.classes && count < lanes; c++)
      memset(z + c * lanes + count, 0, (lanes - count) * sizeof(float));
  }
}

// ---- Gradient --------------------------------------------------------------------------------------------------

// The pixels that a tile works on, by row: where they lie in the rows themselves, or side by side in a copy of a
// column.
template <class P>
struct InPlace {
  const uint8_t* const* rows;
  size_t pixel;
  RowOf<P> operator()(size_t r) const { return row_of<P>(rows[r]) + pixel; }
};
template <class P>
struct Copied {
  RowOf<P> first;
  RowOf<P> operator()(size_t r) const { return first + r * column; }
};

// P registers of pixels times C classes stay in registers while the rows of the block go by. The pixels are registers
// `first` and so on of the image; their place in a gradient is `at` for the image's first, `stride` further for every
// chunk. The delta of row r and class c is at delta[r x C + c] x width, in every lane, where parts > 1; else it is a
// scalar, in groups of 16 rows. Fetches, meanwhile, from `pixel` on, the first `fetched` of the upcoming rows.
template <size_t P, size_t C, class Pixels>
void gradient_tile(const GradientArgs& a, const Pixels& x, size_t first, const Stored* delta, size_t at, size_t stride,
                   size_t pixel, size_t fetched) {
  constexpr size_t pixel_bytes = sizeof *x(0);  // a row of a column is so many cache lines
  Native sum[P][C];
  SLUICE_UNROLL
  for (size_t p = 0; p < P; p++) {
    SLUICE_UNROLL
    for (size_t c = 0; c < C; c++) sum[p][c] = Native::zero();
  }
  const auto add_row = [&](size_t r) {
    const Stored* d = delta + (parts > 1 ? r * C * Native::width : r / lanes * a.classes * lanes + r % lanes);
    decltype(Native::pixels(x(r))) pixels[P];
    SLUICE_UNROLL
    for (size_t p = 0; p < P; p++) pixels[p] = Native::pixels(x(r) + p * Native::width);
    SLUICE_UNROLL
    for (size_t c = 0; c < C; c++) {
      const Factor value = [&]() -> Factor {
        if constexpr (parts > 1)
          return Factor::load(d + c * Native::width);
        else
          return Native::broadcast(static_cast<float>(d[c * lanes]));
      }();
      SLUICE_UNROLL
      for (size_t p = 0; p < P; p++) sum[p][c] = Native::fma(pixels[p], value, sum[p][c]);
    }
  };
  size_t r = 0;
  for (; r < fetched; r++) {
    SLUICE_UNROLL
    for (size_t line = 0; line < pixel_bytes; line++)
      __builtin_prefetch(a.upcoming[r] + (a.first_pixel + pixel) * pixel_bytes + line * column, 0, Native::upcoming_locality);
    add_row(r);
  }
  for (; r < a.count; r++) add_row(r);
  SLUICE_UNROLL
  for (size_t p = 0; p < P; p++) {
    const size_t place = at + (first + p) / parts * stride + (first + p) % parts * Native::width;
    for (size_t m = 0; m < a.merges; m++) {
      const float* other = a.merge[m] + place;
      SLUICE_UNROLL
      for (size_t c = 0; c < C; c++) sum[p][c] = Native::load(other + c * lanes) + sum[p][c];
    }
    SLUICE_UNROLL
    for (size_t c = 0; c < C; c++) sum[p][c].store(a.out + place + c * lanes);
  }
}

void bias_gradient(const GradientArgs& a, size_t at) {
  for (size_t first = 0; first < a.classes; first += lanes) {
    const size_t classes = smaller(lanes, a.classes - first);
    alignas(64) float sums[lanes * lanes], out[lanes];
    memset(sums, 0, sizeof sums);
    for (size_t row = 0; row < a.count; row += lanes)
      for (size_t c = 0; c < classes; c++)
        for (size_t part = 0; part < lanes; part += Native::width)
          (Native::load(sums + c * lanes + part) + Native::load(a.delta + row * a.classes + (first + c) * lanes + part))
              .store(sums + c * lanes + part);
    Native::sums(sums, lanes, out);
    for (size_t part = 0; part < lanes; part += Native::width) {
      Native sum = Native::load(out + part);
      for (size_t m = 0; m < a.merges; m++) sum = Native::load(a.merge[m] + at + first + part) + sum;
      sum.store(a.out + at + first + part);
    }
  }
}

// The pixels of a column of the block's rows, side by side; zero past an image's last.
template <class P>
void copy_column(const GradientArgs& a, size_t pixel, P* out) {
  const size_t have = smaller(column, a.pixels - pixel);
  for (size_t r = 0; r < a.count; r++, out += column) {
    const RowOf<P> from = row_of<P>(a.rows[r]) + a.first_pixel + pixel;
    if (have == column) {
      memcpy(out, from, column * sizeof(P));
    } else {
      memset(out, 0, column * sizeof(P));
      memcpy(out, from, have * sizeof(P));
    }
  }
}

template <class P>
void gradient_of(const GradientArgs& a) {
  const size_t stride = a.classes * lanes, upcoming = a.upcoming ? smaller(a.upcoming_count, a.count) : 0;
  const Cut groups(a.classes, Native::gradient_classes);
  alignas(64) P copied[row_block * column];
  alignas(64) Stored repeated[parts > 1 ? row_block * Native::gradient_classes * Native::width : 1];
  for (size_t g = 0; g < groups.pieces; g++) {
    const size_t first_class = groups.begin(g), at = first_class * lanes;
    with_constant<Native::gradient_classes>(groups.begin(g + 1) - first_class, [&](auto constant) {
      constexpr size_t C = decltype(constant)::value, most = Native::gradient_registers(C);
      static_assert(column % (most * Native::width) == 0);
      const float* group = a.delta + first_class * lanes;
      const Stored* delta;
      // A multiply-add that takes its operand from memory beats one that needs a broadcast of its own. That fills most
      // of the first-level cache, and rows at random addresses would push it out: they are copied side by side.
      if constexpr (parts > 1) {
        Stored* out = repeated;
        for (size_t r = 0; r < a.count; r++)
          for (size_t c = 0; c < C; c++, out += Native::width)
            Factor(Native::broadcast(group[r / lanes * stride + c * lanes + r % lanes])).store(out);
        delta = repeated;
      } else {
        delta = as_they_are<Stored>(group);
      }
      for (size_t pixel = 0; pixel < a.pixels; pixel += column) {
        const size_t registers = ceil_div(smaller(column, a.pixels - pixel), lanes) * parts;
        const bool copy = parts > 1 || (pixel + column > a.pixels && a.pixels % lanes > 0);
        if (copy) copy_column(a, pixel, copied);
        const auto tile = [&](auto n, size_t k) {
          constexpr size_t N = decltype(n)::value;
          const size_t first = pixel / Native::width + k;
          // The upcoming rows' cache lines are fetched once each, by the first of the tiles that share them.
          const size_t fetched = g == 0 && k == 0 ? upcoming : 0;
          if (copy)
            gradient_tile<N, C>(a, Copied<P>{copied + k * Native::width}, first, delta, at, stride, pixel, fetched);
          else
            gradient_tile<N, C>(a, InPlace<P>{a.rows, a.first_pixel + pixel + k * Native::width}, first, delta, at, stride,
                                pixel, fetched);
        };
        size_t k = 0;
        for (; k + most <= registers; k += most) tile(Int<most>{}, k);
        for (; k < registers; k++) tile(Int<1>{}, k);
      }
    });
  }
  if (a.bias) bias_gradient(a, ceil_div(a.pixels, lanes) * stride);
}

void gradient_block(const GradientArgs& a) {
  a.type == Pixel::uint8 ? gradient_of<uint8_t>(a) : gradient_of<float>(a);
}

// ---- Elementwise -----------------------------------------------------------------------------------------------

// f(x) with x[k] of in[k], which makes what goes to out[k] of it. The last incomplete register goes through a buffer,
// so the lanes see the same operation.
template <size_t In, size_t Out, class F>
void each(float* const (&out)[Out], const float* const (&in)[In], size_t count, float filler, const F& f) {
  constexpr size_t width = Native::width;
  Native x[In];
  size_t i = 0;
  for (; i + width <= count; i += width) {
    SLUICE_UNROLL
    for (size_t k = 0; k < In; k++) x[k] = Native::load(in[k] + i);
    f(x);
    SLUICE_UNROLL
    for (size_t k = 0; k < Out; k++) x[k].store(out[k] + i);
  }
  if (i == count) return;
  float rest[width];
  for (size_t k = 0; k < In; k++) {
    Native::broadcast(filler).store(rest);
    memcpy(rest, in[k] + i, (count - i) * sizeof(float));
    x[k] = Native::load(rest);
  }
  f(x);
  for (size_t k = 0; k < Out; k++) {
    x[k].store(rest);
    memcpy(out[k] + i, rest, (count - i) * sizeof(float));
  }
}

// out[i] = f(a[i], b[i])
template <class F>
void each(float* out, const float* a, const float* b, size_t count, float filler, const F& f) {
  each<2, 1>({out}, {a, b}, count, filler, [&](Native* x) { x[0] = f(x[0], x[1]); });
}

void add(float* out, const float* a, const float* b, size_t count) {
  each(out, a, b, count, 0, [](Native x, Native y) { return x + y; });
}

void update(float* out, const float* weights, const float* gradient, float scale, size_t count) {
  const Native factor = Native::broadcast(-scale);
  each(out, gradient, weights, count, 0, [=](Native g, Native w) { return Native::fma(g, factor, w); });
}

// A moment that decays would come to a denormal number, which is slow, and stay there: 0.9 of the smallest one is
// rounded to the smallest one. This leaves multiples of 2^-124 and none of those; numbers above 1e-22 keep their bits.
Native settled(Native moment) {
  const Native tiny = Native::broadcast(0x1p-100f);
  return moment + tiny - tiny;
}

void momentum(const MomentumArgs& a) {
  const Native scale = Native::broadcast(a.scale), decay = Native::broadcast(a.decay);
  const Native keep = Native::broadcast(a.momentum);
  const Native by_gradient = Native::broadcast(-a.by_gradient), by_moment = Native::broadcast(-a.by_moment);
  each<3, 2>({a.next_weights, a.next_moment}, {a.weights, a.moment, a.gradient}, a.count, 0, [=](Native* x) {
    const Native g = Native::fma(decay, x[0], scale * x[2]);
    x[1] = settled(Native::fma(keep, x[1], g));
    x[0] = Native::fma(by_moment, x[1], Native::fma(by_gradient, g, x[0]));
  });
}

void adam(const AdamArgs& a) {
  const Native scale = Native::broadcast(a.scale), decay = Native::broadcast(a.decay);
  const Native beta1 = Native::broadcast(a.beta1), share1 = Native::broadcast(a.share1);
  const Native beta2 = Native::broadcast(a.beta2), share2 = Native::broadcast(a.share2);
  const Native rate = Native::broadcast(-a.rate), epsilon = Native::broadcast(a.epsilon);
  each<4, 3>({a.next_weights, a.next_moments[0], a.next_moments[1]},
             {a.weights, a.moments[0], a.moments[1], a.gradient}, a.count, 0, [=](Native* x) {
               const Native g = Native::fma(decay, x[0], scale * x[3]);
               x[1] = settled(Native::fma(beta1, x[1], share1 * g));
               x[2] = settled(Native::fma(beta2, x[2], share2 * g * g));
               x[0] = Native::fma(rate, x[1] / (Native::sqrt(x[2]) + epsilon), x[0]);
             });
}

void average(float* out, const float* mean, const float* values, float share, size_t count) {
  const Native factor = Native::broadcast(share);
  each(out, mean, values, count, 0, [=](Native a, Native v) { return Native::fma(v - a, factor, a); });
}

double loss(const float* label_logit, const float* exp_sum, size_t count, double sum) {
  for (size_t first = 0; first < count; first += row_block) {
    const size_t rows = smaller(row_block, count - first);
    float row[row_block];
    each(row, exp_sum + first, label_logit + first, rows, 1, [](Native s, Native z) { return log_of(s) - z; });
    double chain[4] = {};  // four, so that one addition need not wait for the one before
    for (size_t i = 0; i < rows; i++) chain[i % 4] += static_cast<double>(row[i]);
    sum += (chain[0] + chain[1]) + (chain[2] + chain[3]);
  }
  return sum;
}

void exp_all(float* out, const float* x, size_t count) {
  each(out, x, x, count, 0, [](Native v, Native) { return exp_of(v); });
}
void log_all(float* out, const float* x, size_t count) {
  each(out, x, x, count, 1, [](Native v, Native) { return log_of(v); });
}

constexpr Table table_of(const char* name) {
  return {name, forward, gradient_block, add, update, momentum, adam, average, loss, exp_all, log_all};
}

}  // namespace

#undef SLUICE_UNROLL
