// Online log-sum-exp of a tile, along rows and columns in one visit, while the tile is in L2. One exponential
// per element serves both sides: its shift is the maximum of the whole tile, rounded up to an integer. A sum
// below 2^-60 shows that this shift may have hidden terms of a row or column by underflow. Then the tile is
// folded again, with a shift for each row and one for each column.
#pragma once

#include "cpu/kernels/exp2.h"
#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

constexpr int64_t kShortSum = 32;  // terms that are added before a sum passes them on

// The base-2 logit of a dot, rounded up to an integer.
template <class Isa>
float ceil_log2(float dot, Log2Scale s) {
  alignas(64) float lanes[Isa::kLanes];
  Isa::store(lanes, Isa::ceil(Isa::mul(Isa::set1(dot), Isa::set1(s.high))));
  return lanes[0];
}

template <class Isa>
void row_maxima(const TileOperands& tile, const float* scores, int64_t stride, float* row_max) {
  for (int64_t i = 0; i < tile.rows; i += Isa::kLanes) {
    typename Isa::V most = Isa::load(scores + i);
    for (int64_t j = 1; j < tile.columns; ++j) most = Isa::max(most, Isa::load(scores + j * stride + i));
    Isa::store(row_max + i, most);
  }
}

// Sums with one shift for all rows and columns. False: some sum is too small to be trusted. Lanes beyond the
// tile's rows have the shift kNoTerm, so they add 0 to the sums of columns.
template <class Isa>
bool fold_one_shift(const TileOperands& tile, const float* scores, int64_t stride, const Exp2<Isa>& exp2,
                    float shift, const FoldOutputs& out) {
  using V = typename Isa::V;
  constexpr int64_t kLanes = Isa::kLanes;
  V column_sums[Isa::kTile];
  if (out.column_sum)
    for (int64_t j = 0; j < tile.columns; ++j) column_sums[j] = Isa::zero();
  alignas(64) float lanes[kLanes];
  float least = 1;
  for (int64_t i = 0; i < tile.rows; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = i + l < tile.rows ? shift : kNoTerm;
    const V shifts = Isa::load(lanes);
    V sum = Isa::zero();
    for (int64_t j0 = 0; j0 < tile.columns; j0 += kShortSum) {  // two levels keep rounding errors small
      V part = Isa::zero();
      for (int64_t j = j0; j < tile.columns && j < j0 + kShortSum; ++j) {
        const V e = exp2(Isa::load(scores + j * stride + i), shifts);
        part = Isa::add(part, e);
        if (out.column_sum) column_sums[j] = Isa::add(column_sums[j], e);
      }
      sum = Isa::add(sum, part);
    }
    Isa::store(lanes, sum);
    for (int64_t l = 0; l < kLanes && i + l < tile.rows; ++l) {
      out.row_shift[i + l] = shift;
      out.row_sum[i + l] = lanes[l];
      least = lanes[l] < least ? lanes[l] : least;
    }
  }
  if (out.column_sum)
    for (int64_t j = 0; j < tile.columns; ++j) {
      out.column_shift[j] = shift;
      out.column_sum[j] = Isa::hsum(column_sums[j]);
      least = out.column_sum[j] < least ? out.column_sum[j] : least;
    }
  return least >= kSmallestTrustedSum;
}

// Sums with a shift for each row and each column. A row or column without a term has sum 0 and shift 0.
template <class Isa>
void fold_own_shifts(const TileOperands& tile, const float* scores, int64_t stride, Log2Scale scale,
                     const Exp2<Isa>& exp2, const float* row_max, const FoldOutputs& out) {
  using V = typename Isa::V;
  constexpr int64_t kLanes = Isa::kLanes;
  alignas(64) float lanes[kLanes];
  for (int64_t i = 0; i < tile.rows; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const bool counts = i + l < tile.rows && !is_masked(row_max[i + l]);
      lanes[l] = counts ? ceil_log2<Isa>(row_max[i + l], scale) : kNoTerm;
    }
    const V shifts = Isa::load(lanes);
    for (int64_t l = 0; l < kLanes && i + l < tile.rows; ++l)
      out.row_shift[i + l] = lanes[l] == kNoTerm ? 0 : lanes[l];
    V sum = Isa::zero();
    for (int64_t j = 0; j < tile.columns; ++j)
      sum = Isa::add(sum, exp2(Isa::load(scores + j * stride + i), shifts));
    Isa::store(lanes, sum);
    for (int64_t l = 0; l < kLanes && i + l < tile.rows; ++l) out.row_sum[i + l] = lanes[l];
  }
  if (!out.column_sum) return;
  for (int64_t j = 0; j < tile.columns; ++j) {
    const float* column = scores + j * stride;
    float m = column[0];
    for (int64_t i = 1; i < tile.rows; ++i) m = column[i] > m ? column[i] : m;
    out.column_shift[j] = out.column_sum[j] = 0;
    if (is_masked(m)) continue;
    const float shift = ceil_log2<Isa>(m, scale);
    V sum = Isa::zero();
    for (int64_t i = 0; i < tile.rows; i += kLanes) {
      for (int64_t l = 0; l < kLanes; ++l) lanes[l] = i + l < tile.rows ? shift : kNoTerm;
      sum = Isa::add(sum, exp2(Isa::load(column + i), Isa::load(lanes)));
    }
    out.column_shift[j] = shift;
    out.column_sum[j] = Isa::hsum(sum);
  }
}

template <class Isa>
void fold(const TileOperands& tile, const float* scores, int64_t stride, Log2Scale scale,
          const float* row_max, const FoldOutputs& out) {
  const Exp2<Isa> exp2(scale);
  float max = row_max[0];
  for (int64_t i = 1; i < tile.rows; ++i) max = row_max[i] > max ? row_max[i] : max;
  // a tile in which every pair is masked has no shift of its own
  const bool any = !is_masked(max);
  if (any && fold_one_shift<Isa>(tile, scores, stride, exp2, ceil_log2<Isa>(max, scale), out)) return;
  fold_own_shifts<Isa>(tile, scores, stride, scale, exp2, row_max, out);
}

}  // namespace
}  // namespace infcl::cpu
