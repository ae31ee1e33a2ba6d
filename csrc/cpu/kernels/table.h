// The table of kernels that one instruction set offers, and the arguments that kernels take. Code outside
// this folder may include this header alone: all others are compiled once for each instruction set.
//
// A tile has at most tile.rows rows r_i and tile.columns columns c_j. Its matrices lie column by column:
//
//   scores[j * stride + i]   the dot r_i . c_j                                    stride: whole panels
//   g[j * stride + i]        the factor of c_j in d_row_i, of r_i in d_column_j   stride: tile.rows
//
// The scores kernel writes this layout in whole vectors. Both gradient products read it as their broadcast
// operand: d_rows sums along j, d_columns along i. So no product needs a transposed copy of g.
//
// x_ij = scale * (r_i . c_j) + bias is the base-2 logit. No array holds it: kernels form x in registers.
//
// A packed operand consists of 32-bit elements: a float, or a pair of bfloat16 (`pair` values in an element).
// The values of a pair are neighbours along the dimension that the product sums over. All padding is zero.
//
//   layout       shape                                      summed over   lanes of a panel
//   panels       [ceil(elements / panel)][rows][panel]      features      elements of one row
//   transposed   [ceil(rows / panel)][elements][panel]      features      rows
//   values       [ceil(dim / panel)][row elements][panel]   rows          features
//
// Here elements = elements(dim) and row elements = elements(rows). The caller chooses how far rows are
// padded. For floats, panels and values are the same. Columns of floats are therefore packed once, as panels:
// these are the broadcast operand of the scores and the vector operand of d_rows.
#pragma once

#include <cstdint>

#include "core/base2_logit.h"
#include "core/grid.h"
#include "core/numerics.h"
#include "core/types.h"
#include "cpu/cpu_features.h"

namespace infcl::cpu {

// Packed operands of one tile, and the size of the tile.
struct TileOperands {
  const float* column_panels;    // panels of the columns
  int64_t column_panel_rows;     // columns in these panels, padding included
  const float* column_values;    // values of the columns
  int64_t column_value_rows;     // elements along the columns in these values
  const float* transposed_rows;  // transposed layout of the rows
  const float* row_values;       // values of the rows; null in the forward pass
  int64_t row_value_rows;        // elements along the rows in these values
  int64_t rows, columns;         // of the tile, without padding
  int64_t dim;                   // features of each row and column
};

// Pairs of single rows: pair p is row p / per_row of one matrix with row labels[p] of the other, or with row
// p where labels is null.
struct RowPairs {
  Range pairs;
  int64_t per_row = 1;
  const int32_t* labels = nullptr;

  int64_t partner(int64_t pair) const { return labels ? labels[pair] : pair; }
};

// The sum of a row or column is formed of 2^(x - shift), with an integer shift.
struct FoldOutputs {
  float *row_shift, *row_sum;        // [rows]
  float *column_shift, *column_sum;  // [columns]; column_sum is null when columns are not folded
};

// How a logit x turns into its gradient.
enum class GradFormula {
  kOneExp,   // 2^(x - shift) (row_factor[i] + column_factor[j]): factors hold 2^(shift - normaliser)
  kTwoExps,  // row_factor[i] 2^(x - row_shift[i]) + column_factor[j] 2^(x - column_shift[j])
  kSigmoid,  // row_factor[i] sigma(x)
};

struct LogitGradArgs {
  GradFormula formula;
  const float *row_factor, *row_shift;        // [tile.rows], zero factor beyond the tile's rows
  const float *column_factor, *column_shift;  // [columns]
  float shift;                                // kOneExp
  float bias;                                 // kSigmoid, base 2
  const float* scores;                        // of the forward pass; null: the kernel forms them again
  int64_t scores_stride;
};

struct LogitGradSums {
  double dot_sum = 0;  // sum of g_ij (r_i . c_j)
  double sum = 0;      // sum of g_ij, kSigmoid only
};

struct Refinement {
  double sum = 0;     // of g_ij * (r_i . c_j in float64 - r_i . c_j of the scores kernel)
  int64_t pairs = 0;  // number of terms in the sum
};

// The open lower and the closed upper limit of a row's scores.
struct ScoreLimits {
  const float *least, *most;  // [rows]; `most` may be null
};

// Where list_greater found a score: row and column of the tile in one number.
constexpr int64_t kMostListed = 1 << 16;  // rows or columns of a tile
constexpr uint32_t listed_at(int64_t row, int64_t column) {
  return static_cast<uint32_t>(column) << 16 | static_cast<uint32_t>(row);
}
constexpr int64_t listed_row(uint32_t at) { return at & 0xffff; }
constexpr int64_t listed_column(uint32_t at) { return at >> 16; }

// One instruction set's kernels. A Range of columns or features is a part of the tile, so that a call can
// stop between two parts. "(+)=" overwrites where `overwrite` is set and adds elsewhere.
struct Kernels {
  const char* isa;
  CpuFeatures features;  // all that the compiler was allowed to use for these kernels
  TileShape tile;
  int64_t panel;  // lanes of a packed panel
  int64_t strip;  // columns that the scores kernel takes at a time
  int64_t pair;   // values in a packed element: 1 for float32 products, 2 for bfloat16 products

  // Packing. `panel_rows` and `value_rows` are the padded middle dimensions of the table above.
  void (*pack_panels)(const MatrixView& m, Range rows, float* out, int64_t panel_rows);
  void (*pack_values)(const MatrixView& m, Range rows, float* out, int64_t value_rows);
  void (*pack_transposed)(const MatrixView& m, Range rows, float* out);
  // Returns row * dim + column of the first element that is NaN or infinite; -1: none. Raises `longest` to
  // the largest sum of a row's squares.
  int64_t (*find_not_finite)(const MatrixView& m, Range rows, double* longest);
  // out[p] = the dot of pair p, with the bits that `scores` gives for the same two rows.
  void (*pair_dots)(const MatrixView& a, const MatrixView& b, const RowPairs&, float* out);
  // The dot in float64 of the numbers that packed operands hold for these two rows.
  double (*exact_dot)(const MatrixView& a, int64_t row_a, const MatrixView& b, int64_t row_b);
  // out (+)= factor * m[row]
  void (*add_scaled)(const MatrixView& m, int64_t row, float factor, bool overwrite, float* out);

  // Scores of the columns in `columns`, whose begin is a multiple of strip. Raises row_max[i] to the largest
  // score of row i, unless row_max is null.
  void (*scores)(const TileOperands&, Range columns, float* scores, int64_t stride, float* row_max);
  // row_max[i] = the largest score of row i in the whole tile
  void (*row_maxima)(const TileOperands&, const float* scores, int64_t stride, float* row_max);
  // Sums of 2^x over the whole tile, along rows and columns in one visit. `row_max` holds the row maxima.
  void (*fold)(const TileOperands&, const float* scores, int64_t stride, Log2Scale, const float* row_max,
               const FoldOutputs&);
  // row_sum[i] = sum_j softplus of the natural logit x_ij ln 2
  void (*fold_sigmoid)(const TileOperands&, const float* scores, int64_t stride, Log2Scale, float bias,
                       float* row_sum);
  // Lists the scores of `columns` that are above least[i] and, unless `most` is null, not above most[i]. Both
  // have whole vectors of rows, which may hold anything beyond the tile's rows. The scores of a row are
  // listed by column. Returns their number, at most rows * columns.
  int64_t (*list_greater)(const TileOperands&, Range columns, const float* scores, int64_t stride,
                          const ScoreLimits&, uint32_t* out);
  // greater[i] = how many scores of row i in the whole tile are above limits[i], and below[i] = how many are
  // below. All three have whole vectors of rows.
  void (*count_greater)(const TileOperands&, const float* scores, int64_t stride, const float* limits,
                        int32_t* greater, int32_t* below);
  // g of the columns in `columns`, whose begin is a multiple of strip. `g` may be the memory of the scores.
  LogitGradSums (*logit_grad)(const TileOperands&, Range columns, Log2Scale, const LogitGradArgs&, float* g);
  // Sums over the columns in `columns`. Passes over micro-tiles in which no |g| is above `least_g`.
  Refinement (*refine)(const TileOperands&, Range columns, const float* g, float least_g);
  // Writes g as two bfloat16 operands, that of d_rows first. Null where g itself serves both products.
  void (*narrow_gradients)(const TileOperands&, float* g, float* out);
  // d_rows[i] (+)= sum_j g_ij c_j of the features in `features`, whose begin is a multiple of panel
  void (*accumulate_rows)(const TileOperands&, Range features, const float* g, bool overwrite, float* d_rows);
  // d_columns[j] (+)= sum_i g_ij r_i of the features in `features`, whose begin is a multiple of panel
  void (*accumulate_columns)(const TileOperands&, Range features, const float* g, bool overwrite,
                             float* d_columns);

  // 32-bit elements that hold n values.
  int64_t elements(int64_t n) const { return ceil_div(n, pair); }
  // Where the operand of d_columns begins in the output of narrow_gradients.
  int64_t narrowed_offset() const { return tile.rows * elements(tile.columns); }
};

// The list of instruction sets, slowest first. The first one runs on any processor. Kernels of bfloat16
// products (pair == 2) follow the float32 kernels that they replace when a call asks for bfloat16.
#if defined(__x86_64__)
#define INFCL_KERNEL_TABLES(X) X(kScalarKernels) X(kAvx2Kernels) X(kAvx512Kernels) X(kAvx512Bf16Kernels)
#elif defined(__aarch64__)
#define INFCL_KERNEL_TABLES(X) X(kScalarKernels) X(kNeonKernels) X(kNeonBf16Kernels)
#else
#define INFCL_KERNEL_TABLES(X) X(kScalarKernels)
#endif

// Tables are data, not functions: reading one must not run an instruction of the file that defines the table.
#define INFCL_DECLARE_TABLE(table) extern const Kernels table;
INFCL_KERNEL_TABLES(INFCL_DECLARE_TABLE)
#undef INFCL_DECLARE_TABLE
#define INFCL_TABLE_ADDRESS(table) &table,
constexpr const Kernels* kKernelTables[] = {INFCL_KERNEL_TABLES(INFCL_TABLE_ADDRESS)};
#undef INFCL_TABLE_ADDRESS
#undef INFCL_KERNEL_TABLES

}  // namespace infcl::cpu
