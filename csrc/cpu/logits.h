// Logits of a cell, and in the backward pass their gradient, one register tile at a time: strips of keys
// outside, panels of queries inside, so that a strip stays in L1 while the query panels stream from L2.
#pragma once

#include "cpu/exp2.h"
#include "cpu/kernels.h"
#include "cpu/micro_kernel.h"

namespace infcl {
namespace {

// x[r][lane] = q_lane . k_r for one strip of keys and one panel of queries. `next` is what the caller writes
// after this. Not inlined: mixed with the epilogue's constants the accumulators would be spilled.
template <class Isa>
INFCL_NOINLINE void dot_tile(const CellOperands& c, int64_t key, int64_t query, float* x, int64_t stride,
                             const float* next) {
  constexpr int64_t kPanel = panel_width<Isa>();
  const float* a = c.key_panels + key * kPanel;
  const float* b = c.queries + query * c.dim;
  const int64_t jump = c.key_panel_rows * kPanel;
  ResultPrefetch<Isa, Isa::kStrip> prefetch{next, Isa::kCell};
  Tile<Isa, Isa::kStrip> tile;
  tile.clear();
  int64_t d = 0;
  for (; d + kPanel <= c.dim; d += kPanel, a += jump, b += kPanel * kPanel)
    tile.template run<1, kPanel>(a, b, kPanel, prefetch, a + jump);
  if (d < c.dim) tile.template run<1, kPanel>(a, b, c.dim - d, prefetch, nullptr);
  tile.store(x, stride);
}

template <class Isa>
void logits(const CellOperands& c, Range keys, float* x) {
  constexpr int64_t kStride = Isa::kCell;
  for (int64_t j = keys.begin; j < keys.end; j += Isa::kStrip)
    for (int64_t i = 0; i < c.rows; i += panel_width<Isa>()) {
      float* out = x + j * kStride + i;
      dot_tile<Isa>(c, j, i, out, kStride, out);
    }
}

// The first `count` lanes of per-lane sums; lanes of padding may hold anything, NaN included.
template <class Isa>
INFCL_INLINE float sum_lanes(const typename Isa::V* sums, int64_t count) {
  alignas(64) float lanes[panel_width<Isa>()];
  for (int v = 0; v < Isa::kVectors; ++v) Isa::store(lanes + v * Isa::kLanes, sums[v]);
  float total = 0;
  for (int64_t l = 0; l < count; ++l) total += lanes[l];
  return total;
}

// One tile of dots -> g, and the sum of g * dot. A tile is small enough for that sum to be a float.
template <class Isa, bool kOneExp>
INFCL_NOINLINE float grad_tile(const float* x, int64_t x_stride, int64_t strip_rows, int64_t lanes,
                               const Exp2<Isa>& exp2, const LogitGradArgs& a, int64_t key, int64_t query,
                               float* g) {
  using V = typename Isa::V;
  V total[Isa::kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < Isa::kVectors; ++v) total[v] = Isa::zero();
  for (int64_t r = 0; r < strip_rows; ++r) {
    const V column = Isa::set1(a.column_factor[key + r]);
#pragma GCC unroll 4
    for (int v = 0; v < Isa::kVectors; ++v) {
      const int64_t i = query + v * Isa::kLanes;
      const V dot = Isa::load(x + r * x_stride + v * Isa::kLanes);
      const V row = Isa::load(a.row_factor + i);
      V value;
      if (kOneExp) {
        value = Isa::mul(exp2(dot, Isa::set1(a.shift)), Isa::add(row, column));
      } else {
        value = Isa::add(Isa::mul(row, exp2(dot, Isa::load(a.row_shift + i))),
                         Isa::mul(column, exp2(dot, Isa::set1(a.column_shift[key + r]))));
      }
      Isa::store(g + r * Isa::kCell + v * Isa::kLanes, value);
      total[v] = Isa::fma(value, dot, total[v]);
    }
  }
  constexpr int64_t kPanel = panel_width<Isa>();
  return sum_lanes<Isa>(total, lanes < kPanel ? lanes : kPanel);
}

template <class Isa, bool kOneExp>
double logit_grad_with(const CellOperands& c, Range keys, Log2Scale scale, const LogitGradArgs& args,
                       float* g) {
  constexpr int64_t kStride = Isa::kCell, kPanel = panel_width<Isa>();
  const Exp2<Isa> exp2(scale);
  double total = 0;
  alignas(64) float dots[Isa::kStrip * kPanel];
  for (int64_t j = keys.begin; j < keys.end; j += Isa::kStrip) {
    const int64_t strip_rows = keys.end - j < Isa::kStrip ? keys.end - j : Isa::kStrip;
    for (int64_t i = 0; i < c.rows; i += kPanel) {
      const float* x = dots;
      int64_t x_stride = kPanel;
      float* out = g + j * kStride + i;
      if (args.kept) {
        x = args.kept + j * kStride + i;
        x_stride = kStride;
      } else {
        dot_tile<Isa>(c, j, i, dots, kPanel, out);
      }
      total += grad_tile<Isa, kOneExp>(x, x_stride, strip_rows, c.rows - i, exp2, args, j, i, out);
    }
  }
  return total;
}

template <class Isa>
double logit_grad(const CellOperands& c, Range keys, Log2Scale scale, const LogitGradArgs& args, float* g) {
  return args.one_exp ? logit_grad_with<Isa, true>(c, keys, scale, args, g)
                      : logit_grad_with<Isa, false>(c, keys, scale, args, g);
}

}  // namespace
}  // namespace infcl
