// The product that a tile of a gradient is: of G, or its transpose, with features, over a range of logits.
#pragma once

#include "gradient_tile.cuh"
#include "mainloop.cuh"

namespace infcl::cuda {

// sums += the product. kMajorG: along which side of the tile's product G is contiguous.
template <class Kind, Major kMajorG>
INFCL_DEVICE void add_product(const AccumulateArgs& a, const GradientProduct& p,
                              const GradientTile<kDepth>& tile, Patch<MmaLayout>& sums) {
  const int64_t stride = a.padded_dim;
  const int64_t g_corner =
      kMajorG == Major::kAlongDepth ? tile.row * a.g_stride + tile.begin : tile.begin * a.g_stride + tile.row;
  const Planes g = plus(Planes{a.g_high, a.g_low}, g_corner);
  const Planes features = plus(p.features, tile.begin * stride + tile.feature);
  const bool busy = MmaLayout::warp_column() * MmaLayout::kWarpColumns < tile.features;
  multiply_add<Kind>(OperandLoads<kMajorG>(g, a.g_stride, kTile),
                     OperandLoads<Major::kAlongSide>(features, stride, tile.features), tile.steps(),
                     shared_memory<Stage[kStages]>(), busy, sums);
}

}  // namespace infcl::cuda
