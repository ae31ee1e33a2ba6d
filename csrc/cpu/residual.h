// What rounding in the logits kernel does to a loss: the sum of g_ij times the error of dot ij, which a
// second product in float64 finds. The packed operands are those of the logits, so the dots are of the same
// numbers.
#pragma once

#include <cstring>

#include "cpu/kernels.h"
#include "cpu/logits.h"
#include "cpu/micro_kernel.h"

namespace infcl {
namespace {

// Two vectors of queries against a strip of keys: as many registers as the float32 tile.
template <class Isa>
struct WideTile {
  using Wide = typename Isa::Wide;
  static constexpr int kVectors = 2;
  static constexpr int64_t kLanes = Isa::kLanes / 2;
  Wide acc[Isa::kStrip][kVectors] = {};

  // `a`: some features of the strip's keys, [kStrip][panel]; `b`: of the queries, a panel for each feature.
  // The product of two floats is exact in float64.
  template <int kPart>
  INFCL_INLINE void run(const double* a, const float* b, int64_t count) {
    constexpr int64_t kPanel = panel_width<Isa>();
    for (int64_t k = 0; k < count; ++k, ++a, b += kPanel) {
      const Wide low = Isa::template widen<kPart>(b), high = Isa::template widen<kPart>(b + kLanes);
#pragma GCC unroll 32
      for (int r = 0; r < Isa::kStrip; ++r) {
        acc[r][0] += a[r * kPanel] * low;
        acc[r][1] += a[r * kPanel] * high;
      }
    }
  }
};

template <class Isa, int kPart>
INFCL_INLINE void widen_strip(const float* keys, double* out) {
  constexpr int64_t kLanes = WideTile<Isa>::kLanes;
  for (int64_t at = 0; at < Isa::kStrip * panel_width<Isa>(); at += kLanes) {
    const typename Isa::Wide v = Isa::template widen<kPart>(keys + at);
    std::memcpy(out + at, &v, sizeof v);
  }
}

// dot_tile in float64, for kVectors * kLanes queries.
template <class Isa>
INFCL_NOINLINE void wide_dot_tile(const CellOperands& c, int64_t key, const float* queries,
                                  WideTile<Isa>& tile) {
  constexpr int64_t kPanel = panel_width<Isa>();
  alignas(64) double keys[Isa::kStrip * kPanel];
  const int64_t depth = (c.dim + Isa::kPair - 1) / Isa::kPair;
  const float* a = c.key_panels + key * kPanel;
  WideTile<Isa> t;
  for (int64_t d = 0; d < depth; d += kPanel, a += c.key_panel_rows * kPanel, queries += kPanel * kPanel) {
    const int64_t count = depth - d < kPanel ? depth - d : kPanel;
    widen_strip<Isa, 0>(a, keys);
    t.template run<0>(keys, queries, count);
    if constexpr (Isa::kPair == 2) {
      widen_strip<Isa, 1>(a, keys);
      t.template run<1>(keys, queries, count);
    }
  }
  tile = t;
}

// Largest |g| of a tile, its real rows and columns.
template <class Isa>
float largest_magnitude(const float* g, int64_t keys, int64_t queries) {
  constexpr int64_t kPanel = panel_width<Isa>();
  alignas(64) float lanes[kPanel];
  for (int v = 0; v < Isa::kVectors; ++v) {
    typename Isa::V most = Isa::zero();
    for (int64_t r = 0; r < keys; ++r)
      most = Isa::max(most, Isa::abs(Isa::load(g + r * Isa::kCell + v * Isa::kLanes)));
    Isa::store(lanes + v * Isa::kLanes, most);
  }
  float most = 0;
  for (int64_t l = 0; l < (queries < kPanel ? queries : kPanel); ++l)
    most = lanes[l] > most ? lanes[l] : most;
  return most;
}

// sum g * (wide dots - dots), of the first `keys` and `queries` of the tile
template <class Isa>
double residual_tile(const WideTile<Isa>& wide, const float* dots, const float* g, int64_t keys,
                     int64_t queries) {
  constexpr int64_t kPanel = panel_width<Isa>(), kLanes = WideTile<Isa>::kLanes;
  double total = 0;
  for (int v = 0; v < WideTile<Isa>::kVectors; ++v) {
    typename Isa::Wide sums{};
    for (int64_t r = 0; r < keys; ++r) {
      double exact[kLanes];
      std::memcpy(exact, &wide.acc[r][v], sizeof exact);
      for (int64_t l = 0; l < kLanes; ++l)
        sums[l] += g[r * Isa::kCell + v * kLanes + l] * (exact[l] - dots[r * kPanel + v * kLanes + l]);
    }
    for (int64_t l = 0; l < kLanes && v * kLanes + l < queries; ++l) total += sums[l];
  }
  return total;
}

template <class Isa>
ResidualSum residual_sum(const CellOperands& c, Range keys, const float* g, float negligible) {
  constexpr int64_t kPanel = panel_width<Isa>(), kStep = WideTile<Isa>::kVectors * WideTile<Isa>::kLanes;
  const int64_t depth = (c.dim + Isa::kPair - 1) / Isa::kPair;
  alignas(64) float dots[Isa::kStrip * kPanel];
  ResidualSum total;
  for (int64_t j = keys.begin; j < keys.end; j += Isa::kStrip) {
    const int64_t strip = keys.end - j < Isa::kStrip ? keys.end - j : Isa::kStrip;
    for (int64_t i = 0; i < c.rows; i += kPanel) {
      const float* tile = g + j * Isa::kCell + i;
      if (largest_magnitude<Isa>(tile, strip, c.rows - i) <= negligible) continue;
      dot_tile<Isa>(c, j, i, dots, kPanel, dots);
      for (int64_t lane = 0; lane < kPanel && i + lane < c.rows; lane += kStep) {
        WideTile<Isa> wide;
        wide_dot_tile<Isa>(c, j, c.queries + i * depth + lane, wide);
        total.sum += residual_tile<Isa>(wide, dots + lane, tile + lane, strip, c.rows - i - lane);
      }
      total.pairs += strip * (c.rows - i < kPanel ? c.rows - i : kPanel);
    }
  }
  return total;
}

}  // namespace
}  // namespace infcl
