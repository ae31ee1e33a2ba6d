// What host and device agree on: arguments and results of the kernels, as plain data.
//
// A similarity (rows against columns) is visited in macro-blocks of at most kMaxMacroBlockSide rows and
// columns. Of each, `scores` computes tiles of logits and leaves either partial sums (forward) or the logit
// gradients G (backward); `reduce` folds partial sums into what the call gathers; `accumulate` multiplies G
// with features. Pointers along rows or columns start at the block's first row or column.
#pragma once

#include <cstdint>

#include "core/numerics.h"

namespace infcl::cuda {

constexpr int kTile = 128;  // logits of a tile along rows and along columns, and features of a gradient tile
constexpr int kMaxMacroBlockSide = 8192;
constexpr int kDimAlignment = 64;  // features of an operand are padded with zeros to a multiple of this

enum class Element : int32_t { kFloat32, kFloat16, kBFloat16 };

// Features as products read them: 16-bit, row-major [rows padded to kTile][padded_dim], zeros beyond the
// features. float32 is the sum of two bfloat16 planes, and a product of two such is lo*hi + hi*lo + hi*hi.
struct Planes {
  const uint16_t* high;
  const uint16_t* low;  // null: one plane, of bfloat16 or float16
};

// What a tile gathers along one of its sides, in the units of the core's FoldArgs. Aligned, as is what is
// like it, so that a thread moves it 16 bytes at a time.
struct alignas(16) Partial {
  float shift, sum;  // sum * 2^shift: exponentials; sigmoid: sum of softplus (natural logarithm), shift 0
  float max_dot;     // rows: of what counts; -inf: none
  float positive_max_dot;  // rows: class positives; -inf: none
  float dot_sum;           // label smoothing: sum of the dots that count
  float positive_dot_sum;  // class positives
  int32_t count;           // label smoothing
  int32_t unused;
};

// The same over the whole similarity.
struct alignas(16) Gathered {
  double sum, dot_sum, positive_dot_sum;
  int64_t count;
  float shift, max_dot, positive_max_dot;  // an integer shift; a Gathered of zeros with max -inf is empty
  int32_t unused;
};

// Sums over a tile of G and of what masks exclude.
struct alignas(16) TileSums {
  double dot_sum;   // sum of g * dot
  double sum;       // sum of g
  int64_t masked;   // forward: pairs that ids and limits exclude (a diagonal tile counts each once)
  int64_t skipped;  // backward: 1 where the filter leaves the tile out of the gradients
};

// Where positives are and what is excluded; the meaning of each is that of core/backend.h.
struct Mask {
  bool labelled;
  const int32_t* labels;  // [rows] column in the similarity; null: the row's own index in the similarity
  const int32_t *row_classes, *column_classes;
  const int32_t *row_ids, *column_ids;
  const float *row_limits, *column_limits;  // column_limits may be null
};

struct ScoresArgs {
  Planes rows, columns;
  int32_t padded_dim;
  int32_t row_count, column_count;  // of the block
  int64_t row_begin, column_begin;  // of the block in the similarity
  bool triangle;  // of a side with itself: tiles left of the diagonal are not computed and nothing is written
                  // for them; on the diagonal a row does not meet itself
  bool sigmoid;
  float scale_high, scale_low;  // base-2 logit = dot * (high + low), low not negative
  float bias;                   // sigmoid: and this is added
  Mask mask;
};

// Partials are [tiles across][rows or columns of the block, padded to kTile]. The diagonal tiles of a
// triangle leave none along columns, and sigmoid has none.
struct ForwardArgs {
  ScoresArgs scores;
  Partial* row_partials;     // [column tiles][padded rows]
  Partial* column_partials;  // [row tiles][padded columns], or null
  float* positive_dots;      // [rows]: written where the labelled positive lies in this block; or null
  TileSums* tile_sums;       // [row tiles][column tiles]
};

// g = row_factor * 2^(x - row_shift) + column_factor * 2^(x - column_shift) - uniform - class shares, 0 where
// excluded, positive_grads at labelled positives; sigmoid: row_factor * sigma(x) - ... . Null: no such term.
// The diagonal tile of a triangle holds both orders of each pair, each with the terms of its row alone.
struct BackwardArgs {
  ScoresArgs scores;
  const float *row_factors, *row_shifts;  // factor 0: no such term
  const float *column_factors, *column_shifts;
  const float *row_uniform, *column_uniform;              // label smoothing
  const float *row_class_weights, *column_class_weights;  // class positives
  const float* positive_dots;                             // labelled
  const double* positive_grads;                           // labelled
  float largest_spread;  // at most kLargestSpread, less where factors are large: none may overflow on the way
  float g_scale;         // G is stored times this power of two (float16's range)
  uint16_t *g_high, *g_low;  // [padded rows][g_stride]; low null: one plane
  int64_t g_stride;          // padded columns
  TileSums* tile_sums;       // [row tiles][column tiles]; positives count with their own g
  // A tile is left out of the gradients when no row and no column of it has a sum of |g| above its budget.
  bool filters;
  float row_filter, column_filter;
};

struct ReduceArgs {
  const Partial* partials;  // [tiles][stride]
  Gathered* gathered;       // [count]
  int32_t tiles, count;
  int64_t stride;
  // Of a triangle: side 0 (rows) folds partials of tiles [index / kTile, tiles) of its row, side 1 (columns)
  // those of tiles [0, index / kTile): what was not computed is not read. -1: all tiles.
  int32_t triangle_side;
};

struct SumTilesArgs {
  const TileSums* tile_sums;
  TileSums* total;  // one, added to
  int32_t row_tiles, column_tiles;
  bool triangle;  // tiles left of the diagonal hold nothing
};

// One of the two gradients of a block: out[m][n] (+)= sum_k a[m][k] b[k][n] / g_scale, where a is G (rows'
// gradient, b: column features) or its transpose (columns' gradient, b: row features).
struct GradientProduct {
  Planes features;  // b, first row of the block
  float* out;       // [m padded to kTile][padded_dim], first row of the block; null: not wanted
  int32_t count;    // valid rows of out
  bool overwrite;   // also where there is nothing to sum over: with zeros
};

struct AccumulateArgs {
  const uint16_t *g_high, *g_low;
  int64_t g_stride;
  int32_t row_count, column_count;
  int32_t padded_dim;
  float inverse_g_scale;
  bool triangle;  // the block on the diagonal: G exists from the diagonal tile on
  GradientProduct rows, columns;
  const TileSums* tile_sums;  // of the backward pass, for the kernels that leave tiles out
};

// What `split` finds out about features. Raised or lowered by every launch.
struct Findings {
  unsigned long long first_not_finite;  // the smallest index of a NaN or an infinity
  unsigned long long
      longest_squares;  // the largest sum of a row's squares: bits of a double, ordered as it is
};
constexpr Findings kNoFindings{~0ull, 0};

struct SplitArgs {
  const void* in;  // [rows][stride] elements
  Element element;
  int64_t rows, dim, stride;
  uint16_t *high, *low;  // [rows][padded_dim]; low null: one plane
  int32_t padded_dim;
  bool to_float16;                 // one plane: its type
  unsigned long long first_index;  // of in's first element in the matrix, row * dim + column
  Findings* findings;
};

// Pairs of row i with row partner(i): dots, and gradients. Sparse: one warp a pair.
struct PairArgs {
  Planes rows, columns;
  int32_t padded_dim, dim;
  bool float16;
  int64_t count;          // pairs
  int64_t per_row;        // pair p is of row p / per_row
  const int32_t* labels;  // partner of pair p; null: p itself
  float* dots;            // [count] out, of pair_dots: of the products that tiles add up
  float* errors;          // [count] out, of pair_dots: `rounding` times the sum of what is added up
  float rounding;
  const float* g;             // [count], of pair_gradients
  float *d_rows, *d_columns;  // [rows][padded_dim] added to, [count][padded_dim] written; either may be null
};

}  // namespace infcl::cuda
