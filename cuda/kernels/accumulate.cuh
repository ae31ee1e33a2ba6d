// The product that makes a tile of a gradient: G or its transpose times features, over a range of rows or
// columns of G.
#pragma once

#include "gradient_tile.cuh"
#include "mainloop.cuh"

namespace infcl::cuda {

// sums += the product. kMajorG: the direction in which G is contiguous, seen from this product.
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
