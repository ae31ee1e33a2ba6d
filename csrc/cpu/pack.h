// Features into the layouts of kernels.h. All reading of the caller's memory in the float32 path happens
// here.
#pragma once

#include <cstring>

#include "cpu/kernels.h"
#include "cpu/micro_kernel.h"

namespace infcl {
namespace {

INFCL_INLINE const float* float_row(const MatrixView& m, int64_t i) {
  return static_cast<const float*>(m.row(i));
}

template <class Isa>
void pack_panels(const MatrixView& m, Range rows, float* out, int64_t panel_rows) {
  constexpr int64_t kPanel = panel_width<Isa>();
  for (int64_t r = 0; r < panel_rows; ++r) {
    const bool real = r < rows.size();
    const float* src = real ? float_row(m, rows.begin + r) : nullptr;
    for (int64_t d = 0; d < m.dim; d += kPanel) {
      float* dst = out + d * panel_rows + r * kPanel;
      const int64_t width = m.dim - d < kPanel ? m.dim - d : kPanel;
      if (real && width == kPanel) {
        std::memcpy(dst, src + d, sizeof(float) * kPanel);
      } else {
        for (int64_t q = 0; q < kPanel; ++q) dst[q] = real && q < width ? src[d + q] : 0.f;
      }
    }
  }
}

// Blocks of 16 features: each source row is read a line at a time, each destination line is written while it
// is in L1.
template <class Isa>
void pack_transposed(const MatrixView& m, Range rows, float* out) {
  constexpr int64_t kPanel = panel_width<Isa>(), kBlock = 16;
  for (int64_t p = 0; p < rows.size(); p += kPanel, out += m.dim * kPanel)
    for (int64_t d0 = 0; d0 < m.dim; d0 += kBlock) {
      const int64_t d1 = m.dim - d0 < kBlock ? m.dim : d0 + kBlock;
      for (int64_t lane = 0; lane < kPanel; ++lane) {
        const bool real = p + lane < rows.size();
        const float* src = real ? float_row(m, rows.begin + p + lane) : nullptr;
        for (int64_t d = d0; d < d1; ++d) out[d * kPanel + lane] = real ? src[d] : 0.f;
      }
    }
}

template <class Isa>
int64_t find_not_finite(const MatrixView& m, Range rows) {
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    const float* row = float_row(m, i);
    // x - x is 0 for every finite x and NaN otherwise, and sums keep a NaN.
    typename Isa::V bad[4] = {Isa::zero(), Isa::zero(), Isa::zero(), Isa::zero()};
    int64_t d = 0;
    for (; d + 4 * Isa::kLanes <= m.dim; d += 4 * Isa::kLanes)
      for (int u = 0; u < 4; ++u) {
        const typename Isa::V x = Isa::load(row + d + u * Isa::kLanes);
        bad[u] = Isa::add(bad[u], Isa::sub(x, x));
      }
    float sum = Isa::hsum(Isa::add(Isa::add(bad[0], bad[1]), Isa::add(bad[2], bad[3])));
    for (; d < m.dim; ++d) sum += row[d] - row[d];
    if (sum == 0) continue;
    for (d = 0; d < m.dim; ++d)
      if (row[d] - row[d] != 0) return i * m.dim + d;
  }
  return -1;
}

}  // namespace
}  // namespace infcl
