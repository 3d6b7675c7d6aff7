// What one instruction-set level offers: the table of its kernels, with the shapes and layouts they work on.
//
// Every level computes the same bits: 16 virtual lanes, explicit fused multiply-adds, one fixed tree for the lanes of a
// sum, own polynomials for exp and log. Layouts, all float32:
//
//   packed weights   [chunks][classes][16]   16 neighbouring pixels of one class; zero past the last pixel
//   delta            [groups][classes][16]   16 neighbouring rows of one class (a lane is a row); zero past the last
//   gradient         [chunks][classes][16]   as the weights, then the bias' gradient, padded to a multiple of 16
//
// where chunks = ceil(pixels / 16) and groups = ceil(rows / 16). Buffers of floats are best 64-byte aligned; need not
// be. This header is compiled into translation units of every level, so it may define nothing but constants.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::kernels {

// Rows whose gradient is summed one after the other; blocks are added in a fixed binary tree
// (sluice/stages/block_tree.hpp). Part of the arithmetic: another size is another rounding.
inline constexpr std::size_t row_block = 64;
inline constexpr std::size_t lanes = 16;  // the 16 of the layouts

// What the pixels of a row are: bytes, or float32 as this machine has them.
enum class Pixel : std::uint8_t { uint8, float32 };

// Rows (count x pixels) -> delta and, per row, what loss and accuracy need. No byte past a row is read.
struct ForwardArgs {
  const std::uint8_t* const* rows;  // (count) pointers to `pixels` of `type` each, aligned as that needs
  Pixel type;
  const std::uint16_t* labels;  // (count), each < classes; null: delta is p instead of p - one_hot(label)
  std::size_t count;            // rows
  std::size_t pixels;           // >= 1
  std::size_t classes;          // 1 .. 65536
  const float* weights;         // packed
  const float* bias;            // (classes)
  float scale;                  // of the pixels, finite and above 0
  float* delta;                 // out, delta_size(count, classes): p - one_hot(label), p = softmax(scale x W + b)
  float* label_logit;           // out, (count): z[label] - max z; 0 without labels
  float* exp_sum;               // out, (count): sum of exp(z - max z)
  std::uint16_t* predicted;     // out, (count): argmax z, the lowest class on ties
};

// One row block and a run of pixels -> its partial gradient x^T delta, x as it is, not scaled, added to the partial
// gradients of earlier blocks while still in registers: out = merge[merges - 1] + (... + (merge[0] + own)).
struct GradientArgs {
  const std::uint8_t* const* rows;  // (count), as forward's
  Pixel type;
  std::size_t count;                    // 0 .. row_block
  std::size_t first_pixel;              // of the rows: a multiple of 16
  std::size_t pixels;                   // from there on; >= 1, and a multiple of 16 but at the rows' end
  std::size_t classes;                  // 1 .. 65536
  bool bias;                            // its gradient as well
  const float* delta;                   // of these rows, as forward wrote it
  const float* const* merge;            // (merges) gradients, each gradient_size(pixels, classes), or without the bias
  std::size_t merges;                   // may be 0
  float* out;                           // as large; may be one of `merge`
  const std::uint8_t* const* upcoming;  // rows to prefetch meanwhile; may be null
  std::size_t upcoming_count;
};

// Of the steps below, w: weights, g = scale x gradient + decay x w, m and v: an optimiser's moments, and ' what they
// become. Runs of `count` floats; what is written may lie where what it comes from does.

// m' = momentum x m + g; w' = w - by_gradient x g - by_moment x m'.
struct MomentumArgs {
  const float* gradient;
  const float* weights;
  const float* moment;
  float* next_weights;
  float* next_moment;
  std::size_t count;
  float scale, decay, momentum, by_gradient, by_moment;
};

// m' = beta1 x m + share1 x g; v' = beta2 x v + share2 x g x g; w' = w - rate x m' / (sqrt(v') + epsilon).
struct AdamArgs {
  const float* gradient;
  const float* weights;
  const float* moments[2];  // m, v
  float* next_weights;
  float* next_moments[2];
  std::size_t count;
  float scale, decay, beta1, share1, beta2, share2, rate, epsilon;
};

struct Table {
  const char* name;  // "x86-64-v4", "x86-64-v3", "x86-64", "neon" or "portable"
  void (*forward)(const ForwardArgs&);
  void (*gradient_block)(const GradientArgs&);
  // out = a + b. out may be a or b.
  void (*add)(float* out, const float* a, const float* b, std::size_t count);
  // out = weights - scale x gradient, with one rounding. out may be weights.
  void (*update)(float* out, const float* weights, const float* gradient, float scale, std::size_t count);
  void (*momentum)(const MomentumArgs&);
  void (*adam)(const AdamArgs&);
  // out = mean + share x (values - mean), with two roundings. out may be mean or values.
  void (*average)(float* out, const float* mean, const float* values, float share, std::size_t count);
  // sum + the loss of each row, log(exp_sum) - label_logit, in double; whole row blocks are added in order, so a run of
  // rows may be cut between any two row blocks and handed on: loss(..., loss(..., sum)).
  double (*loss)(const float* label_logit, const float* exp_sum, std::size_t count, double sum);
  // e^x for -80 <= x <= 88, 0 below -80; log x for normal x > 0. out may be x.
  void (*exp)(float* out, const float* x, std::size_t count);
  void (*log)(float* out, const float* x, std::size_t count);
};

}  // namespace sluice::kernels
