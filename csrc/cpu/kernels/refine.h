// Refinement: how much the rounding of the scores kernel changes a loss. The kernel forms each dot again in
// float64 and sums g_ij times the difference. Both products read the same packed operands, so they differ by
// rounding alone.
#pragma once

#include <cstring>

#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/scores.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

// Packed elements as float64. kPart says which value of a pair: 0 the first, 1 the second.
template <class Isa, int kPart>
INFCL_INLINE typename Isa::Wide widen(const float* p) {
  if constexpr (Isa::kPair == 1) {
    return Isa::load_wide(p);
  } else {
    return Isa::template load_part<kPart>(p);
  }
}

// The dots of a strip of columns and a panel of rows in float64. Float64 takes twice the registers, so each
// half of the panel is formed by itself.
template <class Isa>
struct WideMicroTile {
  using Wide = typename Isa::Wide;
  static constexpr int64_t kLanes = Isa::kLanes / 2, kHalf = panel_width<Isa>() / 2;
  static constexpr int kVectors = Isa::kVectors, kStrip = Isa::kStrip;
  Wide sums[2][kStrip][kVectors] = {};

  // Adds the products of `count` features: `a` holds the columns, [kStrip][panel], `b` the rows,
  // [count][panel]. The product of two floats is exact in float64.
  template <int kPart>
  INFCL_NOINLINE void add(const double* a, const float* b, int64_t count, int half) {
    constexpr int64_t kPanel = panel_width<Isa>();
    Wide acc[kStrip][kVectors];
    std::memcpy(acc, sums[half], sizeof acc);
    b += half * kHalf;
    for (int64_t k = 0; k < count; ++k, ++a, b += kPanel) {
      Wide v[kVectors];
#pragma GCC unroll 4
      for (int u = 0; u < kVectors; ++u) v[u] = widen<Isa, kPart>(b + u * kLanes);
#pragma GCC unroll 32
      for (int r = 0; r < kStrip; ++r)
#pragma GCC unroll 4
        for (int u = 0; u < kVectors; ++u) acc[r][u] = Isa::wide_mac(a[r * kPanel], v[u], acc[r][u]);
    }
    std::memcpy(sums[half], acc, sizeof acc);
  }
};

// Adds one panel of features. The columns are widened once for both halves.
template <class Isa, int kPart>
INFCL_INLINE void add_features(const float* columns, const float* rows, int64_t count, int halves,
                               WideMicroTile<Isa>& micro_tile) {
  constexpr int64_t kSize = Isa::kStrip * panel_width<Isa>();
  alignas(64) double wide[kSize];
  for (int64_t at = 0; at < kSize; at += WideMicroTile<Isa>::kLanes) {
    const typename Isa::Wide v = widen<Isa, kPart>(columns + at);
    std::memcpy(wide + at, &v, sizeof v);
  }
  for (int half = 0; half < halves; ++half) micro_tile.template add<kPart>(wide, rows, count, half);
}

// score_micro_tile in float64. Leaves out a half that holds padding alone.
template <class Isa>
INFCL_NOINLINE void wide_dot_micro_tile(const TileOperands& tile, int64_t column, int64_t row,
                                        WideMicroTile<Isa>& micro_tile) {
  constexpr int64_t kPanel = panel_width<Isa>();
  const int64_t depth = (tile.dim + Isa::kPair - 1) / Isa::kPair;
  const int halves = tile.rows - row > WideMicroTile<Isa>::kHalf ? 2 : 1;
  const float* a = tile.column_panels + column * kPanel;
  const float* b = tile.transposed_rows + row * depth;
  for (int64_t d = 0; d < depth; d += kPanel, a += tile.column_panel_rows * kPanel, b += kPanel * kPanel) {
    const int64_t count = depth - d < kPanel ? depth - d : kPanel;
    add_features<Isa, 0>(a, b, count, halves, micro_tile);
    if constexpr (Isa::kPair == 2) add_features<Isa, 1>(a, b, count, halves, micro_tile);
  }
}

// Largest |g| of a micro-tile, without its padding.
template <class Isa>
float largest_magnitude(const float* g, int64_t columns, int64_t rows) {
  constexpr int64_t kPanel = panel_width<Isa>();
  alignas(64) float lanes[kPanel];
  for (int v = 0; v < Isa::kVectors; ++v) {
    typename Isa::V most = Isa::zero();
    for (int64_t r = 0; r < columns; ++r)
      most = Isa::max(most, Isa::abs(Isa::load(g + r * Isa::kTile + v * Isa::kLanes)));
    Isa::store(lanes + v * Isa::kLanes, most);
  }
  float most = 0;
  for (int64_t l = 0; l < (rows < kPanel ? rows : kPanel); ++l) most = lanes[l] > most ? lanes[l] : most;
  return most;
}

// Sum of g * (wide dot - score) over the first `columns` and `rows` of the micro-tile.
template <class Isa>
double refine_micro_tile(const WideMicroTile<Isa>& wide, const float* scores, const float* g, int64_t columns,
                         int64_t rows) {
  constexpr int64_t kPanel = panel_width<Isa>(), kLanes = WideMicroTile<Isa>::kLanes;
  double total = 0;
  for (int64_t i = 0; i < kPanel && i < rows; i += kLanes) {
    const int64_t half = i / WideMicroTile<Isa>::kHalf, u = i % WideMicroTile<Isa>::kHalf / kLanes;
    typename Isa::Wide sums{};
    for (int64_t r = 0; r < columns; ++r)
      sums += Isa::load_wide(g + r * Isa::kTile + i) *
              (wide.sums[half][r][u] - Isa::load_wide(scores + r * kPanel + i));
    double lanes[kLanes];
    std::memcpy(lanes, &sums, sizeof lanes);
    for (int64_t l = 0; l < kLanes && i + l < rows; ++l) total += lanes[l];
  }
  return total;
}

template <class Isa>
Refinement refine(const TileOperands& tile, Range columns, const float* g, float least_g) {
  constexpr int64_t kPanel = panel_width<Isa>();
  alignas(64) float scores[Isa::kStrip * kPanel];
  Refinement total;
  for (int64_t j = columns.begin; j < columns.end; j += Isa::kStrip) {
    const int64_t strip = columns.end - j < Isa::kStrip ? columns.end - j : Isa::kStrip;
    for (int64_t i = 0; i < tile.rows; i += kPanel) {
      const float* micro_tile = g + j * Isa::kTile + i;
      if (largest_magnitude<Isa>(micro_tile, strip, tile.rows - i) <= least_g) continue;
      WideMicroTile<Isa> wide;
      wide_dot_micro_tile<Isa>(tile, j, i, wide);
      score_micro_tile<Isa>(tile, j, i, scores, kPanel, scores, kPanel);
      total.sum += refine_micro_tile<Isa>(wide, scores, micro_tile, strip, tile.rows - i);
      total.pairs += strip * (tile.rows - i < kPanel ? tile.rows - i : kPanel);
    }
  }
  return total;
}

}  // namespace
}  // namespace infcl::cpu
