// Online log-sum-exp of a tile, along rows and columns in one visit, while the tile is in L2. One exponential
// per element: the whole tile is shifted by its own maximum, rounded up to an integer. When that shift hides
// part of some row or column (its sum is below 2^-60, so terms may have underflowed), the tile is folded
// again with a shift of each row's and column's own.
#pragma once

#include "cpu/kernels/exp2.h"
#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

constexpr int64_t kShortSum = 32;

template <class Isa>
float ceil_log2(float dot, Log2Scale s) {
  alignas(64) float lanes[Isa::kLanes];
  Isa::store(lanes, Isa::ceil(Isa::mul(Isa::set1(dot), Isa::set1(s.high))));
  return lanes[0];
}

template <class Isa>
void row_maxima(const TileOperands& c, const float* x, int64_t stride, float* row_max) {
  for (int64_t i = 0; i < c.rows; i += Isa::kLanes) {
    typename Isa::V most = Isa::load(x + i);
    for (int64_t j = 1; j < c.columns; ++j) most = Isa::max(most, Isa::load(x + j * stride + i));
    Isa::store(row_max + i, most);
  }
}

// Sums with one shift for all. Lanes beyond the tile's rows get an infinite shift, so they add 0 to the
// columns.
template <class Isa>
bool fold_one_shift(const TileOperands& c, const float* x, int64_t stride, const Exp2<Isa>& exp2, float shift,
                    const FoldOutputs& out) {
  using V = typename Isa::V;
  constexpr int64_t kLanes = Isa::kLanes;
  V column_sums[Isa::kTile];
  if (out.column_sum)
    for (int64_t j = 0; j < c.columns; ++j) column_sums[j] = Isa::zero();
  alignas(64) float lanes[kLanes];
  float least = 1;
  for (int64_t i = 0; i < c.rows; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = i + l < c.rows ? shift : kNoTerm;
    const V shifts = Isa::load(lanes);
    V sum = Isa::zero();
    for (int64_t j0 = 0; j0 < c.columns; j0 += kShortSum) {  // two levels, so that rounding does not pile up
      V part = Isa::zero();
      for (int64_t j = j0; j < c.columns && j < j0 + kShortSum; ++j) {
        const V e = exp2(Isa::load(x + j * stride + i), shifts);
        part = Isa::add(part, e);
        if (out.column_sum) column_sums[j] = Isa::add(column_sums[j], e);
      }
      sum = Isa::add(sum, part);
    }
    Isa::store(lanes, sum);
    for (int64_t l = 0; l < kLanes && i + l < c.rows; ++l) {
      out.row_shift[i + l] = shift;
      out.row_sum[i + l] = lanes[l];
      least = lanes[l] < least ? lanes[l] : least;
    }
  }
  if (out.column_sum)
    for (int64_t j = 0; j < c.columns; ++j) {
      out.column_shift[j] = shift;
      out.column_sum[j] = Isa::hsum(column_sums[j]);
      least = out.column_sum[j] < least ? out.column_sum[j] : least;
    }
  return least >= kSmallestTrustedSum;
}

template <class Isa>
void fold_own_shifts(const TileOperands& c, const float* x, int64_t stride, Log2Scale scale,
                     const Exp2<Isa>& exp2, const float* row_max, const FoldOutputs& out) {
  using V = typename Isa::V;
  constexpr int64_t kLanes = Isa::kLanes;
  alignas(64) float lanes[kLanes];
  for (int64_t i = 0; i < c.rows; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const bool counts = i + l < c.rows && !is_masked(row_max[i + l]);
      lanes[l] = counts ? ceil_log2<Isa>(row_max[i + l], scale) : kNoTerm;
    }
    const V shifts = Isa::load(lanes);
    for (int64_t l = 0; l < kLanes && i + l < c.rows; ++l)
      out.row_shift[i + l] = lanes[l] == kNoTerm ? 0 : lanes[l];
    V sum = Isa::zero();
    for (int64_t j = 0; j < c.columns; ++j) sum = Isa::add(sum, exp2(Isa::load(x + j * stride + i), shifts));
    Isa::store(lanes, sum);
    for (int64_t l = 0; l < kLanes && i + l < c.rows; ++l) out.row_sum[i + l] = lanes[l];
  }
  if (!out.column_sum) return;
  for (int64_t j = 0; j < c.columns; ++j) {
    const float* column = x + j * stride;
    float m = column[0];
    for (int64_t i = 1; i < c.rows; ++i) m = column[i] > m ? column[i] : m;
    out.column_shift[j] = out.column_sum[j] = 0;
    if (is_masked(m)) continue;
    const float shift = ceil_log2<Isa>(m, scale);
    V sum = Isa::zero();
    for (int64_t i = 0; i < c.rows; i += kLanes) {
      for (int64_t l = 0; l < kLanes; ++l) lanes[l] = i + l < c.rows ? shift : kNoTerm;
      sum = Isa::add(sum, exp2(Isa::load(column + i), Isa::load(lanes)));
    }
    out.column_shift[j] = shift;
    out.column_sum[j] = Isa::hsum(sum);
  }
}

template <class Isa>
void fold(const TileOperands& c, const float* x, int64_t stride, Log2Scale scale, const float* row_max,
          const FoldOutputs& out) {
  const Exp2<Isa> exp2(scale);
  float max = row_max[0];
  for (int64_t i = 1; i < c.rows; ++i) max = row_max[i] > max ? row_max[i] : max;
  // the shift of a tile without a single term is of no use, its rows' and columns' own are
  const bool any = !is_masked(max);
  if (any && fold_one_shift<Isa>(c, x, stride, exp2, ceil_log2<Isa>(max, scale), out)) return;
  fold_own_shifts<Isa>(c, x, stride, scale, exp2, row_max, out);
}

}  // namespace
}  // namespace infcl::cpu
