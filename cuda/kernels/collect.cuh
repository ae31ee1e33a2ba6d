// Sums and maxima along the rows and columns of a tile, in a fixed order.
#pragma once

#include "tile.cuh"

namespace infcl::cuda {

struct Sum {
  template <class T>
  INFCL_DEVICE T operator()(T a, T b) const {
    return a + b;
  }
};
struct Max {
  INFCL_DEVICE float operator()(float a, float b) const { return fmaxf(a, b); }
};
struct Min {
  INFCL_DEVICE float operator()(float a, float b) const { return fminf(a, b); }
};

constexpr unsigned kAllLanes = 0xffffffffu;

// Folds over the lanes of a warp. Every lane gets the result.
template <class Op, class T>
INFCL_DEVICE T fold_warp(T value, Op op) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value = op(value, __shfl_xor_sync(kAllLanes, value, mask));
  return value;
}

// One step of a reduction by two lanes, whose numbers differ in the bit `mask`. Each lane has 2 *
// kHalf values and reduces half of them. The lane with the bit set reduces the upper half and moves it
// to the front.
template <int kHalf, class Op>
INFCL_DEVICE void halve(float* values, int mask, Op op) {
  const bool upper = lane_id() & mask;
#pragma unroll
  for (int i = 0; i < kHalf; ++i) {
    const float send = upper ? values[i] : values[i + kHalf];
    const float keep = upper ? values[i + kHalf] : values[i];
    values[i] = op(keep, __shfl_xor_sync(kAllLanes, send, mask));
  }
}

// Results of warps that lie side by side, for each row; and of warps above each other, for each column.
template <class Layout>
using RowParts = float[Layout::kWarpsAlongColumns][kTile];
template <class Layout>
using ColumnParts = float[Layout::kWarpsAlongRows][kTile];

// A thread's values: one for each of its rows, or one for each of eight of its columns.
template <class Layout>
using RowValues = float[Patch<Layout>::kRows];
constexpr int kEight = 8;
using EightColumns = float[kEight];

// values[r] belongs to this thread's row r. The function destroys the values.
template <class Layout, class Op>
INFCL_DEVICE void collect_rows(RowValues<Layout>& values, RowParts<Layout>& out, Op op) {
  constexpr int kRows = Patch<Layout>::kRows;
  static_assert(kRows == 8 || kRows == 2, "four lanes divide the rows, or two lanes do");
  const int lane = lane_id();
  float* parts = out[Layout::warp_column()];
  halve<kRows / 2>(values, 1, op);
  if constexpr (kRows == 8) {
    halve<2>(values, 2, op);
    const int first = (lane & 1) * 4 + (lane & 2);
    parts[Patch<Layout>::row(first)] = values[0];
    parts[Patch<Layout>::row(first + 1)] = values[1];
  } else {
    const float value = op(values[0], __shfl_xor_sync(kAllLanes, values[0], 2));
    if (lane % 4 < 2) parts[Patch<Layout>::row(lane & 1)] = value;
  }
}

// values[c] belongs to this thread's column first + c. The function destroys the values.
template <class Layout, class Op>
INFCL_DEVICE void collect_columns(EightColumns& values, int first, ColumnParts<Layout>& out, Op op) {
  halve<4>(values, 4, op);
  halve<2>(values, 8, op);
  halve<1>(values, 16, op);
  const int lane = lane_id();
  const int c = first + (lane & 4) + (lane & 8) / 4 + (lane & 16) / 16;
  out[Layout::warp_row()][Patch<Layout>::column(c)] = values[0];
}

template <int kCount>
INFCL_DEVICE void fill(float (&values)[kCount], float value) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) values[i] = value;
}

// One element's terms in the sums of its row and of its column.
struct Terms {
  float of_row, of_column;
};

// Sums terms(r, c) along rows and columns.
template <class Layout, class F>
INFCL_DEVICE void collect_terms(RowParts<Layout>& rows, ColumnParts<Layout>& columns, F terms) {
  using Patch = Patch<Layout>;
  RowValues<Layout> row_sums;
  fill(row_sums, 0);
#pragma unroll
  for (int first = 0; first < Patch::kColumns; first += kEight) {
    EightColumns column_sums;
    fill(column_sums, 0);
#pragma unroll
    for (int r = 0; r < Patch::kRows; ++r)
#pragma unroll
      for (int c = 0; c < kEight; ++c) {
        const Terms values = terms(r, first + c);
        row_sums[r] += values.of_row;
        column_sums[c] += values.of_column;
      }
    collect_columns<Layout>(column_sums, first, columns, Sum{});
  }
  collect_rows<Layout>(row_sums, rows, Sum{});
}

// The same for elements whose two terms are equal.
template <class Layout, class F>
INFCL_DEVICE void collect_sums(RowParts<Layout>& rows, ColumnParts<Layout>& columns, F term) {
  collect_terms<Layout>(rows, columns, [&](int r, int c) {
    const float value = term(r, c);
    return Terms{value, value};
  });
}

template <int kParts, class Op>
INFCL_DEVICE float fold_parts(const float (&parts)[kParts][kTile], int index, Op op) {
  float value = parts[0][index];
#pragma unroll
  for (int p = 1; p < kParts; ++p) value = op(value, parts[p][index]);
  return value;
}

// Folds the results of a block's warps. fold_warp of every warp and a barrier come before.
template <class Op, class T>
INFCL_DEVICE T fold_block(const T (&warps)[kWarpsOfBlock], Op op) {
  T value = warps[0];
#pragma unroll
  for (int w = 1; w < kWarpsOfBlock; ++w) value = op(value, warps[w]);
  return value;
}

}  // namespace infcl::cuda
