// The two gradient products of a cell. Panels of features outside, strips inside: a panel of the packed
// operand (57 KB at k = 448) is reused by every strip, and g comes from L2.
#pragma once

#include "cpu/kernels.h"
#include "cpu/micro_kernel.h"

namespace infcl {
namespace {

struct Product {
  const float* panels;  // vector operand
  int64_t panel_rows;
  int64_t k, rows, dim;
};

template <class Isa, int MR, int AK, int AR>
INFCL_INLINE void product(const Product& p, Range features, const float* g, bool overwrite, float* out) {
  constexpr int64_t kPanel = panel_width<Isa>();
  for (int64_t d = features.begin; d < features.end; d += kPanel) {
    const float* b = p.panels + d * p.panel_rows;
    const int64_t width = p.dim - d < kPanel ? p.dim - d : kPanel;
    for (int64_t r = 0; r < p.rows; r += MR) {
      float* c = out + r * p.dim + d;
      ResultPrefetch<Isa, MR> prefetch{c, p.dim};
      const int64_t rows = p.rows - r < MR ? p.rows - r : MR;
      if (rows < MR) prefetch.left = 0;
      Tile<Isa, MR> tile;
      tile.clear();
      tile.template run<AK, AR>(g + r * AR, b, p.k, prefetch, nullptr);
      if (rows < MR || width < kPanel) {
        tile.write_part(c, p.dim, rows, width, overwrite);
      } else if (overwrite) {
        tile.store(c, p.dim);
      } else {
        tile.add_to(c, p.dim);
      }
    }
  }
}

// d_q_i += sum_j g_ij k_j
template <class Isa>
void accumulate_queries(const CellOperands& c, Range features, const float* g, bool overwrite,
                        float* d_queries) {
  product<Isa, Isa::kQueryStrip, Isa::kCell, 1>({c.key_panels, c.key_panel_rows, c.columns, c.rows, c.dim},
                                                features, g, overwrite, d_queries);
}

// d_k_j += sum_i g_ij q_i
template <class Isa>
void accumulate_keys(const CellOperands& c, Range features, const float* g, bool overwrite, float* d_keys) {
  product<Isa, Isa::kStrip, 1, Isa::kCell>({c.query_panels, c.query_panel_rows, c.rows, c.columns, c.dim},
                                           features, g, overwrite, d_keys);
}

}  // namespace
}  // namespace infcl
