// A tile of a gradient: where it lies, what it sums over, and how it is written. Of accumulate and its sm_90
// form.
#pragma once

#include "tile.cuh"

namespace infcl::cuda {

// Which tile this block makes, and the range of logits it sums over, kStep at a time.
template <int kStep>
struct GradientTile {
  int row, feature;  // of its corner
  int begin, end;    // a multiple of kStep; G is zero beyond the logits
  int features;      // that exist of the tile

  INFCL_DEVICE GradientTile(const AccumulateArgs& a, bool of_rows, int tile)
      : row(tile * kTile), feature(static_cast<int>(blockIdx.x) * kTile), begin(0) {
    features = min(kTile, a.padded_dim - feature);
    end = ((of_rows ? a.column_count : a.row_count) + kStep - 1) / kStep * kStep;
    if (!a.triangle) return;
    if (of_rows) {
      begin = row;
    } else {
      end = min(row + kTile, end);
    }
  }
  INFCL_DEVICE int steps() const { return (end - begin) / kStep; }
};

template <class Layout, int kStep>
INFCL_DEVICE void write_gradient(const GradientProduct& p, const GradientTile<kStep>& tile, int64_t stride,
                                 float factor, const Patch<Layout>& sums) {
  using Patch = Patch<Layout>;
#pragma unroll
  for (int r = 0; r < Patch::kRows; ++r) {
    const int row = tile.row + Patch::row(r);
    if (row >= p.count) continue;
#pragma unroll
    for (int c = 0; c < Patch::kColumns; c += 2) {
      const int column = Patch::column(c);
      if (column >= tile.features) continue;
      float2* out = reinterpret_cast<float2*>(p.out + row * stride + tile.feature + column);
      const float2 before = p.overwrite ? make_float2(0, 0) : *out;
      *out = make_float2(before.x + factor * sums.at(r, c), before.y + factor * sums.at(r, c + 1));
    }
  }
}

}  // namespace infcl::cuda
