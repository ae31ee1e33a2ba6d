// The scores of a tile, and in the backward pass the gradients of its logits, one micro-tile at a time.
// The outer loop takes strips of columns, the inner loop panels of rows: a strip stays in L1 while the row
// panels stream from L2. With many features not all row panels fit into L2. Then the loops visit a few row
// panels at a time.
#pragma once

#include "cpu/kernels/exp2.h"
#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/sigmoid.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

// scores[r][lane] = the dot of row `lane` and column r, for one strip of columns and one panel of rows.
// `next` is the memory that the caller writes next: the product fetches it into the cache. Not inlined:
// beside the constants of the caller's code, accumulators would be spilled.
template <class Isa>
INFCL_NOINLINE void score_micro_tile(const TileOperands& tile, int64_t column, int64_t row, float* scores,
                                     int64_t stride, const float* next, int64_t next_stride) {
  constexpr int64_t kPanel = panel_width<Isa>();
  const int64_t depth = (tile.dim + Isa::kPair - 1) / Isa::kPair;
  const float* a = tile.column_panels + column * kPanel;
  const float* b = tile.transposed_rows + row * depth;
  const int64_t jump = tile.column_panel_rows * kPanel;
  ResultPrefetch<Isa, Isa::kStrip> prefetch(next, next_stride, depth);
  MicroTile<Isa, Isa::kStrip> micro_tile;
  micro_tile.clear();
  int64_t d = 0;
  for (; d + kPanel <= depth; d += kPanel, a += jump, b += kPanel * kPanel)
    micro_tile.template run<1, kPanel>(a, b, kPanel, prefetch, a + jump);
  if (d < depth) micro_tile.template run<1, kPanel>(a, b, depth - d, prefetch, nullptr);
  micro_tile.store(scores, stride);
}

// Calls f(column, row) for the corner of every micro-tile.
template <class Isa, class F>
INFCL_INLINE void for_each_micro_tile(const TileOperands& tile, Range columns, F f) {
  constexpr int64_t kPanel = panel_width<Isa>();
  const int64_t panel_bytes = tile.dim * kPanel * static_cast<int64_t>(sizeof(float)) / Isa::kPair;
  const int64_t near = kPanel * (Isa::kNearBytes > panel_bytes ? Isa::kNearBytes / panel_bytes : 1);
  for (int64_t begin = 0; begin < tile.rows; begin += near)
    for (int64_t j = columns.begin; j < columns.end; j += Isa::kStrip)
      for (int64_t i = begin; i < tile.rows && i < begin + near; i += kPanel) f(j, i);
}

// Raises row_max[lane] to the largest score of that row in the micro-tile.
template <class Isa>
INFCL_INLINE void raise_maxima(const float* scores, int64_t stride, int64_t columns, float* row_max) {
#pragma GCC unroll 4
  for (int v = 0; v < Isa::kVectors; ++v, scores += Isa::kLanes, row_max += Isa::kLanes) {
    typename Isa::V most = Isa::load(row_max);
    for (int64_t r = 0; r < columns; ++r) most = Isa::max(most, Isa::load(scores + r * stride));
    Isa::store(row_max, most);
  }
}

template <class Isa>
void scores(const TileOperands& tile, Range columns, float* scores, int64_t stride, float* row_max) {
  for_each_micro_tile<Isa>(tile, columns, [&](int64_t j, int64_t i) {
    float* out = scores + j * stride + i;
    score_micro_tile<Isa>(tile, j, i, out, stride, out, stride);
    const int64_t strip = columns.end - j < Isa::kStrip ? columns.end - j : Isa::kStrip;
    if (row_max) raise_maxima<Isa>(out, stride, strip, row_max + i);  // while the micro-tile is in L1
  });
}

// Adds up the first `count` lanes. Lanes of padding may hold anything, NaN included.
template <class Isa>
INFCL_INLINE float sum_lanes(const typename Isa::V* sums, int64_t count) {
  constexpr int64_t kPanel = panel_width<Isa>();
  if (count >= kPanel) {
    typename Isa::V all = sums[0];
    for (int v = 1; v < Isa::kVectors; ++v) all = Isa::add(all, sums[v]);
    return Isa::hsum(all);
  }
  alignas(64) float lanes[kPanel];
  for (int v = 0; v < Isa::kVectors; ++v) Isa::store(lanes + v * Isa::kLanes, sums[v]);
  float total = 0;
  for (int64_t l = 0; l < count; ++l) total += lanes[l];
  return total;
}

// The scores of one micro-tile.
struct MicroTileScores {
  const float* data;
  int64_t stride;
  int64_t column, row;    // corner in the tile
  int64_t columns, rows;  // size without padding
};

// g of one micro-tile. A micro-tile is so small that float32 holds its sums.
template <class Isa, GradFormula kFormula>
INFCL_NOINLINE LogitGradSums grad_micro_tile(const MicroTileScores& t, Log2Scale scale,
                                             const LogitGradArgs& a, float* g) {
  using V = typename Isa::V;
  const Exp2<Isa> exp2(scale);
  const Sigmoid<Isa> sigmoid(scale, a.bias);
  V dot_sum[Isa::kVectors], sum[Isa::kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < Isa::kVectors; ++v) dot_sum[v] = sum[v] = Isa::zero();
  for (int64_t r = 0; r < t.columns; ++r) {
    const V column = Isa::set1(a.column_factor[t.column + r]);
#pragma GCC unroll 4
    for (int v = 0; v < Isa::kVectors; ++v) {
      const int64_t i = t.row + v * Isa::kLanes;
      const V dot = Isa::load(t.data + r * t.stride + v * Isa::kLanes);
      const V row = Isa::load(a.row_factor + i);
      V value;
      if constexpr (kFormula == GradFormula::kOneExp) {
        value = Isa::mul(exp2(dot, Isa::set1(a.shift)), Isa::add(row, column));
      } else if constexpr (kFormula == GradFormula::kTwoExps) {
        value = Isa::add(Isa::mul(row, exp2(dot, Isa::load(a.row_shift + i))),
                         Isa::mul(column, exp2(dot, Isa::set1(a.column_shift[t.column + r]))));
      } else {
        value = Isa::mul(row, sigmoid.sigma(dot));
        sum[v] = Isa::add(sum[v], value);
      }
      Isa::store(g + r * Isa::kTile + v * Isa::kLanes, value);
      dot_sum[v] = Isa::fma(value, dot, dot_sum[v]);
    }
  }
  LogitGradSums out;
  out.dot_sum = sum_lanes<Isa>(dot_sum, t.rows);
  if constexpr (kFormula == GradFormula::kSigmoid) out.sum = sum_lanes<Isa>(sum, t.rows);
  return out;
}

template <class Isa, GradFormula kFormula>
LogitGradSums logit_grad_with(const TileOperands& tile, Range columns, Log2Scale scale,
                              const LogitGradArgs& args, float* g) {
  constexpr int64_t kStride = Isa::kTile, kPanel = panel_width<Isa>();
  LogitGradSums total;
  alignas(64) float scores[Isa::kStrip * kPanel];
  for_each_micro_tile<Isa>(tile, columns, [&](int64_t j, int64_t i) {
    const int64_t strip = columns.end - j < Isa::kStrip ? columns.end - j : Isa::kStrip;
    MicroTileScores micro_tile{scores, kPanel, j, i, strip, tile.rows - i};
    float* out = g + j * kStride + i;
    if (args.scores) {
      micro_tile.data = args.scores + j * args.scores_stride + i;
      micro_tile.stride = args.scores_stride;
    } else {
      score_micro_tile<Isa>(tile, j, i, scores, kPanel, out, kStride);
    }
    const LogitGradSums sums = grad_micro_tile<Isa, kFormula>(micro_tile, scale, args, out);
    total.dot_sum += sums.dot_sum;
    total.sum += sums.sum;
  });
  return total;
}

template <class Isa>
LogitGradSums logit_grad(const TileOperands& tile, Range columns, Log2Scale scale, const LogitGradArgs& args,
                         float* g) {
  switch (args.formula) {
    case GradFormula::kOneExp:
      return logit_grad_with<Isa, GradFormula::kOneExp>(tile, columns, scale, args, g);
    case GradFormula::kTwoExps:
      return logit_grad_with<Isa, GradFormula::kTwoExps>(tile, columns, scale, args, g);
    case GradFormula::kSigmoid:
      break;
  }
  return logit_grad_with<Isa, GradFormula::kSigmoid>(tile, columns, scale, args, g);
}

}  // namespace
}  // namespace infcl::cpu
