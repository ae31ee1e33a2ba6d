// The two gradient products of a tile. The outer loop takes panels of features, the inner loop strips of g.
// Every strip reuses the panel of the packed operand (57 KB at k = 448), and g comes from L2. The last strips
// fetch the next panel, which is in L3 at best.
#pragma once

#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

// out [rows x dim] (+)= a matrix of rows x k in g, times the vector operand [k x dim]
struct Product {
  const float* panels;  // vector operand, [ceil(dim / panel)][panel_rows][panel]
  int64_t panel_rows;
  int64_t k, rows, dim;
};

// The part of the next panel that the strip at `row` fetches: MR of its kPanel columns, counted in floats. So
// the last kPanel / MR strips fetch the whole panel. Null for earlier strips, and where no panel follows.
template <class Isa, int MR>
INFCL_INLINE const float* part_of_next_panel(const Product& p, int64_t feature, int64_t row) {
  constexpr int64_t kPanel = panel_width<Isa>();
  const int64_t rows_after = p.rows - row - MR;
  if (rows_after < 0 || rows_after >= kPanel || feature + kPanel >= p.dim) return nullptr;
  return p.panels + (feature + kPanel) * p.panel_rows + rows_after / MR * MR * p.k;
}

template <class Isa, int MR, int AK, int AR>
INFCL_INLINE void product(const Product& p, Range features, const float* g, bool overwrite, float* out) {
  constexpr int64_t kPanel = panel_width<Isa>();
  for (int64_t d = features.begin; d < features.end; d += kPanel) {
    const float* b = p.panels + d * p.panel_rows;
    const int64_t width = p.dim - d < kPanel ? p.dim - d : kPanel;
    for (int64_t r = 0; r < p.rows; r += MR) {
      float* c = out + r * p.dim + d;
      ResultPrefetch<Isa, MR> prefetch(c, p.dim, p.k);
      const int64_t rows = p.rows - r < MR ? p.rows - r : MR;
      if (rows < MR) prefetch.left = 0;
      MicroTile<Isa, MR> micro_tile;
      micro_tile.clear();
      micro_tile.template run<AK, AR>(g + r * AR, b, p.k, prefetch, part_of_next_panel<Isa, MR>(p, d, r));
      if (rows < MR || width < kPanel) {
        micro_tile.write_part(c, p.dim, rows, width, overwrite);
      } else if (overwrite) {
        micro_tile.store(c, p.dim);
      } else {
        micro_tile.add_to(c, p.dim);
      }
    }
  }
}

// d_row_i += sum_j g_ij c_j
template <class Isa>
void accumulate_rows(const TileOperands& tile, Range features, const float* g, bool overwrite,
                     float* d_rows) {
  const int64_t depth = (tile.columns + Isa::kPair - 1) / Isa::kPair;
  product<Isa, Isa::kRowStrip, Isa::kTile, 1>(
      {tile.column_values, tile.column_value_rows, depth, tile.rows, tile.dim}, features, g, overwrite,
      d_rows);
}

// d_column_j += sum_i g_ij r_i
template <class Isa>
void accumulate_columns(const TileOperands& tile, Range features, const float* g, bool overwrite,
                        float* d_columns) {
  const int64_t depth = (tile.rows + Isa::kPair - 1) / Isa::kPair;
  product<Isa, Isa::kStrip, 1, Isa::kTile / Isa::kPair>(
      {tile.row_values, tile.row_value_rows, depth, tile.columns, tile.dim}, features, g, overwrite,
      d_columns);
}

// Two operands: g in pairs of columns, [ceil(columns / 2)][tile], then in pairs of rows, [columns][tile / 2].
// An odd last row pairs with the lane beyond it, where g may hold anything: this kernel sets that lane to 0.
template <class Isa>
void narrow_gradients(const TileOperands& tile, float* g, float* out) {
  constexpr int64_t kStride = Isa::kTile, kLanes = Isa::kLanes;
  float* along_rows = out + kStride * ((kStride + 1) / 2);
  for (int64_t j = 0; j < tile.columns; ++j) {
    float* column = g + j * kStride;
    if (tile.rows % 2) column[tile.rows] = 0;
    for (int64_t i = 0; i < tile.rows; i += 2 * kLanes)
      Isa::store(along_rows + j * (kStride / 2) + i / 2, Isa::pairs_along(column + i));
  }
  for (int64_t j = 0; j < tile.columns; j += 2) {
    const float* column = g + j * kStride;
    const bool both = j + 1 < tile.columns;
    for (int64_t i = 0; i < tile.rows; i += kLanes)
      Isa::store(
          out + j / 2 * kStride + i,
          Isa::pairs_across(Isa::load(column + i), both ? Isa::load(column + kStride + i) : Isa::zero()));
  }
}

}  // namespace
}  // namespace infcl::cpu
