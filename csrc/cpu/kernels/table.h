// The table of kernels that one instruction set offers, and the arguments they take. A tile is at most
// `tile.rows` rows by `tile.columns` columns; its logits and their gradients are held column-major,
//   x[j * stride + i] = r_i . c_j,
// with a stride of whole panels for logits, of tile.rows for gradients, because that one layout is the
// broadcast operand of both gradient products (with stride 1 along i for d_rows, along j for d_columns) and
// is written by the scores kernel in whole vectors.
//
// Packed operands hold 32-bit elements: a float, or a pair of bfloat16 that neighbour along the dimension
// summed over
// (`pair` values of it per element). All are zero-padded:
//   panels      [ceil(elements / panel)][panel_rows][panel]   rows as they are, cut into column panels;
//   summed over features transposed  [ceil(rows / panel)][elements][panel]          rows become lanes; summed
//   over features values      [ceil(dim / panel)][value_rows][panel]        summed over rows
// For floats values and panels are the same thing, and columns need only one of them: it is the broadcast
// operand of the logits and the vector operand of d_rows.
#pragma once

#include <cstdint>

#include "core/base2_logit.h"
#include "core/grid.h"
#include "core/numerics.h"
#include "core/types.h"
#include "cpu/cpu_features.h"

namespace infcl::cpu {

struct TileOperands {
  const float* column_panels;  // panels of the tile's columns
  int64_t column_panel_rows;   // rows in a panel, padding included
  const float* column_values;
  int64_t column_value_rows;
  const float* transposed_rows;  // transposed
  const float* row_values;       // null in the forward pass
  int64_t row_value_rows;
  int64_t rows, columns, dim;  // rows, columns, features
};

// Pairs of single rows: pair p is row p / per_row of one matrix with row labels[p] of the other, or p itself.
struct RowPairs {
  Range pairs;
  int64_t per_row = 1;
  const int32_t* labels = nullptr;

  int64_t partner(int64_t pair) const { return labels ? labels[pair] : pair; }
};

struct FoldOutputs {
  float *row_shift, *row_sum;        // [rows]
  float *column_shift, *column_sum;  // [columns], or null when columns are not folded
};

// How a logit turns into its gradient.
enum class GradFormula {
  kOneExp,   // 2^(x - shift) (row_factor[i] + column_factor[j]): the factors hold the difference to each
             // normaliser
  kTwoExps,  // row_factor[i] 2^(x - row_shift[i]) + column_factor[j] 2^(x - column_shift[j])
  kSigmoid,  // row_factor[i] sigma(x)
};

struct LogitGradArgs {
  GradFormula rule;
  const float *row_factor, *row_shift;        // [tile.rows], zero factor beyond the tile's rows
  const float *column_factor, *column_shift;  // [columns]
  float shift;
  float bias;         // kSigmoid, base 2
  const float* dots;  // of the forward pass, or null: compute them
  int64_t dots_stride;
};

struct LogitGradSums {
  double dot_sum = 0;  // sum of g_ij * dot_ij
  double sum = 0;      // sum of g_ij, kSigmoid only
};

struct Refinement {
  double sum = 0;     // of g_ij * (r_i . c_j in float64, less the same from the scores kernel)
  int64_t pairs = 0;  // that it was formed of
};

struct Kernels {
  const char* isa;
  CpuFeatures features;  // that the file of the kernels was compiled for
  TileShape tile;
  int64_t panel;  // lanes of a packed panel
  int64_t strip;  // columns that the scores kernel takes at a time
  int64_t pair;   // values per packed element

  void (*pack_panels)(const MatrixView& m, Range rows, float* out, int64_t panel_rows);
  void (*pack_values)(const MatrixView& m, Range rows, float* out, int64_t value_rows);
  void (*pack_transposed)(const MatrixView& m, Range rows, float* out);
  // Index of the first element of rows that is NaN or infinite, as row * dim + column; -1: none. Raises
  // `longest` to the largest sum of a row's squares.
  int64_t (*find_not_finite)(const MatrixView& m, Range rows, double* longest);
  // out[p] = the dot of pair p, for all of them the bits that `scores` gives for the same two rows.
  void (*pair_dots)(const MatrixView& a, const MatrixView& b, const RowPairs&, float* out);
  // The same dot in float64, of the numbers that packed operands hold.
  double (*exact_dot)(const MatrixView& a, int64_t row_a, const MatrixView& b, int64_t row_b);
  // out (+)= factor * m[row]
  void (*add_scaled)(const MatrixView& m, int64_t row, float factor, bool overwrite, float* out);

  // x of the columns in `columns` (begin a multiple of strip). Raises row_max[i] to the largest of them, unless it
  // is null.
  void (*scores)(const TileOperands&, Range columns, float* x, int64_t stride, float* row_max);
  // row_max[i] = max_j x_ij over the whole tile
  void (*row_maxima)(const TileOperands&, const float* x, int64_t stride, float* row_max);
  // Sums of 2^x over the whole tile, along both sides, in one visit.
  void (*fold)(const TileOperands&, const float* x, int64_t stride, Log2Scale, const float* row_max,
               const FoldOutputs&);
  // row_sum[i] = sum_j softplus(x_ij), natural logarithm
  void (*fold_sigmoid)(const TileOperands&, const float* x, int64_t stride, Log2Scale, float bias,
                       float* row_sum);
  // g of the columns in `columns`; `g` may be `dots`.
  LogitGradSums (*logit_grad)(const TileOperands&, Range columns, Log2Scale, const LogitGradArgs&, float* g);
  // Over the columns in `columns`, but not the micro-tiles in which no |g| is above `negligible`.
  Refinement (*refine)(const TileOperands&, Range columns, const float* g, float negligible);
  // The two broadcast operands of the gradient products out of g, one after the other; null: g itself serves
  // for both.
  void (*narrow_gradients)(const TileOperands&, float* g, float* out);
  // d_rows[rows x dim] (+)= g^T columns, for the features in `features` (begin a multiple of panel)
  void (*accumulate_rows)(const TileOperands&, Range features, const float* g, bool overwrite, float* d_rows);
  // d_columns[columns x dim] (+)= g rows, likewise
  void (*accumulate_columns)(const TileOperands&, Range features, const float* g, bool overwrite,
                             float* d_columns);

  // 32-bit elements that hold n values.
  int64_t elements(int64_t n) const { return ceil_div(n, pair); }
  // Where the second operand begins in the output of narrow_gradients.
  int64_t narrowed_offset() const { return tile.rows * elements(tile.columns); }
};

// Data and not functions: to look at a table must take no instruction of the file that it comes from.
extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels, kAvx512Kernels;
extern const Kernels kAvx512Bf16Kernels;  // bfloat16 products, float32 everything else
#endif

}  // namespace infcl::cpu
