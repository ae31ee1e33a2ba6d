// Arguments and results of the kernels as plain data, for host and device.
//
// The host visits a similarity in macro-blocks of at most kMaxMacroBlockSide rows and columns, and launches a
// few kernels for each. `scores_forward` computes tiles of dots and leaves partial sums, which `reduce` folds
// into the sums of the whole similarity. `scores_backward` computes the same tiles and leaves the logit
// gradients G, which `accumulate` multiplies with features. Pointers along rows or columns begin at the
// macro-block's first row or column.
#pragma once

#include <cstdint>

#include "core/numerics.h"

namespace infcl::cuda {

constexpr int kTile = 128;  // rows and columns of a tile of scores; rows and features of a tile of a gradient
constexpr int kMaxMacroBlockSide = 8192;
constexpr int kDimAlignment = 64;  // zeros pad the features of an operand to a multiple of this number

enum class Element : int32_t { kFloat32, kFloat16, kBFloat16 };

// Features as products read them: 16-bit, row-major [rows padded to kTile][padded_dim], zeros beyond the
// features. A float32 is the sum of two bfloat16 planes. A product of two such operands takes three products
// of planes: lo*hi + hi*lo + hi*hi.
struct Planes {
  const uint16_t* high;
  const uint16_t* low;  // null: one plane, of bfloat16 or float16
};

// The sums of one tile along one of its rows or columns, in the units of FoldArgs in core/backend.h. The
// alignment lets a thread move the struct 16 bytes at a time.
struct alignas(16) Partial {
  float shift, sum;  // sum * 2^shift: exponentials; sigmoid: sum of softplus (natural logarithm), shift 0
  float max_dot;     // rows: largest dot that counts; -inf: none
  float positive_max_dot;  // rows: largest dot of a class positive; -inf: none
  float dot_sum;           // label smoothing: sum of the dots that count
  float positive_dot_sum;  // class positives
  int32_t count;           // label smoothing: number of the dots that count
  int32_t unused;
};

// The same sums over the whole similarity.
struct alignas(16) Gathered {
  double sum, dot_sum, positive_dot_sum;
  int64_t count;
  float shift, max_dot, positive_max_dot;  // an integer shift; a Gathered of zeros with max -inf is empty
  int32_t unused;
};

// Sums over one tile: of G, of pairs that the mask excludes, and of tiles that the filter skips.
struct alignas(16) TileSums {
  double dot_sum;   // sum of g * dot
  double sum;       // sum of g
  int64_t masked;   // forward pass: pairs that ids and limits exclude (a diagonal tile counts each pair once)
  int64_t skipped;  // backward pass: 1 where the filter skips the tile
};

// Labelled and class positives, and the pairs that ids and limits exclude. core/backend.h defines
// each vector.
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
  int32_t row_count, column_count;  // of the macro-block
  int64_t row_begin, column_begin;  // of the macro-block in the similarity
  // A macro-block on the diagonal of a similarity of a side with itself. Kernels neither compute nor write
  // the tiles left of the diagonal. In a tile on the diagonal a row does not meet itself.
  bool triangle;
  bool sigmoid;
  float scale_high, scale_low;  // base-2 logit = dot * (high + low), low not negative
  float bias;                   // sigmoid: added to the base-2 logit
  Mask mask;
};

// Partials are [tiles across][rows or columns of the macro-block, padded to kTile]. A diagonal tile of a
// triangle leaves no partials along columns, and neither does sigmoid.
struct ForwardArgs {
  ScoresArgs scores;
  Partial* row_partials;     // [column tiles][padded rows]
  Partial* column_partials;  // [row tiles][padded columns], or null
  float* positive_dots;      // [rows], or null: written where this macro-block has the labelled positive
  TileSums* tile_sums;       // [row tiles][column tiles]
};

// g = row_factor * 2^(x - row_shift) + column_factor * 2^(x - column_shift) - uniform terms - class weights.
// For sigmoid, g = row_factor * sigma(x) - the same terms. Excluded pairs have g = 0, and labelled positives
// have g = positive_grads. A null vector means that the term does not exist.
//
// A diagonal tile of a triangle holds both orders of each pair, and each order has the terms of its
// row alone.
struct BackwardArgs {
  ScoresArgs scores;
  const float *row_factors, *row_shifts;  // factor 0: no such term
  const float *column_factors, *column_shifts;
  const float *row_uniform, *column_uniform;              // label smoothing
  const float *row_class_weights, *column_class_weights;  // class positives
  const float* positive_dots;                             // labelled
  const double* positive_grads;                           // labelled
  // At most kLargestSpread. Large factors need a smaller number, because no factor may overflow when two
  // normalisers share an exponential.
  float largest_spread;
  float g_scale;             // kernels store G times this power of two (float16's range)
  uint16_t *g_high, *g_low;  // [padded rows][g_stride]; low null: one plane
  int64_t g_stride;          // padded columns
  TileSums* tile_sums;       // [row tiles][column tiles]; positives count with their own g
  // The gradient filter skips a tile if no row's sum of |g| in the tile exceeds row_filter, and no column's
  // sum exceeds column_filter.
  bool filters;
  float row_filter, column_filter;
};

struct ReduceArgs {
  const Partial* partials;  // [tiles][stride]
  Gathered* gathered;       // [count]
  int32_t tiles, count;
  int64_t stride;
  // -1: all tiles. In a triangle, the other tiles of a row or column were not computed. Side 0 (rows) folds
  // tiles [index / kTile, tiles). Side 1 (columns) folds tiles [0, index / kTile).
  int32_t triangle_side;
};

struct SumTilesArgs {
  const TileSums* tile_sums;
  TileSums* total;  // one, added to
  int32_t row_tiles, column_tiles;
  bool triangle;  // tiles left of the diagonal hold nothing
};

// One of the two gradients of a macro-block: out[m][n] (+)= sum_k a[m][k] b[k][n] / g_scale. For the
// rows' gradient, a is G and b the column features. For the columns' gradient, a is G's transpose and b
// the row features.
struct GradientProduct {
  Planes features;  // b, first row of the macro-block
  float* out;       // [m padded to kTile][padded_dim], first row of the macro-block; null: not wanted
  int32_t count;    // valid rows of out
  bool overwrite;   // instead of adding; a sum over nothing then writes zeros
};

struct AccumulateArgs {
  const uint16_t *g_high, *g_low;
  int64_t g_stride;
  int32_t row_count, column_count;
  int32_t padded_dim;
  float inverse_g_scale;
  bool triangle;  // the macro-block on the diagonal: G exists from the diagonal tile on
  GradientProduct rows, columns;
  const TileSums* tile_sums;  // for accumulate_skipping: which tiles to skip; else null
};

// Facts that `split` finds about features. Each launch lowers the first and raises the second.
struct Findings {
  unsigned long long first_not_finite;  // the smallest index of a NaN or an infinity
  unsigned long long longest_squares;   // the largest sum of a row's squares, as the bits of a double
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

// Single pairs of a row and a column, without the rest of their similarity: dots and gradients. One warp
// computes one pair.
struct PairArgs {
  Planes rows, columns;
  int32_t padded_dim, dim;
  bool float16;
  int64_t count;          // pairs
  int64_t per_row;        // pair p belongs to row p / per_row
  const int32_t* labels;  // [count] column of pair p; null: column p
  float* dots;            // [count] written by pair_dots: sums of the same products that tiles add up
  float* errors;          // [count] written by pair_dots: `rounding` times the sum of |products|
  float rounding;
  const float* g;             // [count], read by pair_gradients
  float *d_rows, *d_columns;  // [rows][padded_dim] added to, [count][padded_dim] written; either may be null
};

}  // namespace infcl::cuda
