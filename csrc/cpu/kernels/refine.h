// What rounding in the scores kernel does to a loss: the sum of g_ij times the error of dot ij, which a
// second product in float64 finds. The packed operands are those of the logits, so the dots are of the same
// numbers.
#pragma once

#include <cstring>

#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/scores.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

// Float64 of packed elements; of pairs, either their first values or their second.
template <class Isa, int kPart>
INFCL_INLINE typename Isa::Wide widen(const float* p) {
  if constexpr (Isa::kPair == 1) {
    return Isa::load_wide(p);
  } else {
    return Isa::template load_part<kPart>(p);
  }
}

// A strip of columns against a panel of rows, whose lanes are twice as many registers as there are: it is
// formed in two halves.
template <class Isa>
struct WideMicroTile {
  using Wide = typename Isa::Wide;
  static constexpr int64_t kLanes = Isa::kLanes / 2, kHalf = panel_width<Isa>() / 2;
  static constexpr int kVectors = Isa::kVectors, kStrip = Isa::kStrip;
  Wide sums[2][kStrip][kVectors] = {};

  // Adds some features: `a` of the strip's columns, [kStrip][panel], `b` of the rows, a panel each. The
  // product of two floats is exact in float64.
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
        for (int u = 0; u < kVectors; ++u) acc[r][u] += a[r * kPanel] * v[u];
    }
    std::memcpy(sums[half], acc, sizeof acc);
  }
};

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

// dot_tile in float64; of its halves only those that hold real rows.
template <class Isa>
INFCL_NOINLINE void wide_dot_micro_tile(const TileOperands& c, int64_t column, int64_t row,
                                        WideMicroTile<Isa>& micro_tile) {
  constexpr int64_t kPanel = panel_width<Isa>();
  const int64_t depth = (c.dim + Isa::kPair - 1) / Isa::kPair;
  const int halves = c.rows - row > WideMicroTile<Isa>::kHalf ? 2 : 1;
  const float* a = c.column_panels + column * kPanel;
  const float* b = c.transposed_rows + row * depth;
  for (int64_t d = 0; d < depth; d += kPanel, a += c.column_panel_rows * kPanel, b += kPanel * kPanel) {
    const int64_t count = depth - d < kPanel ? depth - d : kPanel;
    add_features<Isa, 0>(a, b, count, halves, micro_tile);
    if constexpr (Isa::kPair == 2) add_features<Isa, 1>(a, b, count, halves, micro_tile);
  }
}

// Largest |g| of a micro-tile, its real rows and columns.
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

// sum g * (wide dots - dots), of the first `columns` and `rows` of the micro-tile
template <class Isa>
double refine_micro_tile(const WideMicroTile<Isa>& wide, const float* dots, const float* g, int64_t columns,
                         int64_t rows) {
  constexpr int64_t kPanel = panel_width<Isa>(), kLanes = WideMicroTile<Isa>::kLanes;
  double total = 0;
  for (int64_t i = 0; i < kPanel && i < rows; i += kLanes) {
    const int64_t half = i / WideMicroTile<Isa>::kHalf, u = i % WideMicroTile<Isa>::kHalf / kLanes;
    typename Isa::Wide sums{};
    for (int64_t r = 0; r < columns; ++r)
      sums += Isa::load_wide(g + r * Isa::kTile + i) *
              (wide.sums[half][r][u] - Isa::load_wide(dots + r * kPanel + i));
    double lanes[kLanes];
    std::memcpy(lanes, &sums, sizeof lanes);
    for (int64_t l = 0; l < kLanes && i + l < rows; ++l) total += lanes[l];
  }
  return total;
}

template <class Isa>
Refinement refine(const TileOperands& c, Range columns, const float* g, float negligible) {
  constexpr int64_t kPanel = panel_width<Isa>();
  alignas(64) float dots[Isa::kStrip * kPanel];
  Refinement total;
  for (int64_t j = columns.begin; j < columns.end; j += Isa::kStrip) {
    const int64_t strip = columns.end - j < Isa::kStrip ? columns.end - j : Isa::kStrip;
    for (int64_t i = 0; i < c.rows; i += kPanel) {
      const float* micro_tile = g + j * Isa::kTile + i;
      if (largest_magnitude<Isa>(micro_tile, strip, c.rows - i) <= negligible) continue;
      WideMicroTile<Isa> wide;
      wide_dot_micro_tile<Isa>(c, j, i, wide);
      dot_micro_tile<Isa>(c, j, i, dots, kPanel, dots, kPanel);
      total.sum += refine_micro_tile<Isa>(wide, dots, micro_tile, strip, c.rows - i);
      total.pairs += strip * (c.rows - i < kPanel ? c.rows - i : kPanel);
    }
  }
  return total;
}

}  // namespace
}  // namespace infcl::cpu
