// Both gradients of a macro-block on sm_90: accumulate.cu with wgmma's products. G, its transpose and
// the features need no copy in another layout, because wgmma reads operands that are contiguous in
// either direction.
#include "gradient_tile.cuh"
#include "mainloop_sm90.cuh"

namespace infcl::cuda {

// kMajorG: the direction in which G is contiguous, seen from this product. The neighbour block along the
// features reads the same part of G.
template <class Kind, Major kMajorG>
INFCL_DEVICE void accumulate_tile_sm90(const AccumulateArgs& a, const GradientProduct& p, const PlaneMaps& g,
                                       const PlaneMaps& features, const GradientTile<kBox>& tile) {
  auto& shared = shared_memory_sm90<char>();
  const Neighbour neighbour((tile.feature ^ kTile) < a.padded_dim);
  Patch<WgmmaLayout> sums;
  if (!multiply_sm90<Kind, kMajorG, Major::kAlongSide, Operand::kA>(g, {tile.row, tile.begin}, features,
                                                                    {tile.feature, tile.begin}, tile.steps(),
                                                                    neighbour, shared.ring, sums))
    return;
  write_gradient(p, tile, a.padded_dim, a.inverse_g_scale, sums);
  neighbour.end();
}

template <class Kind>
INFCL_DEVICE void accumulate_sm90(const AccumulateArgs& a, const AccumulateMaps& maps) {
  const int row_tiles = static_cast<int>(gradient_tiles(a.rows)), tile = static_cast<int>(blockIdx.y);
  const bool of_rows = tile < row_tiles;
  const GradientProduct& p = of_rows ? a.rows : a.columns;
  const GradientTile<kBox> at(a, of_rows, of_rows ? tile : tile - row_tiles);
  if (at.features <= 0) return;
  if (of_rows) {
    accumulate_tile_sm90<Kind, Major::kAlongDepth>(a, p, maps.g, maps.row_product, at);
  } else {
    accumulate_tile_sm90<Kind, Major::kAlongSide>(a, p, maps.g, maps.column_product, at);
  }
}

extern "C" {

INFCL_KERNEL_SM90
accumulate_bf16_sm90_kernel(const __grid_constant__ AccumulateArgs args,
                            const __grid_constant__ AccumulateMaps maps) {
  accumulate_sm90<BFloat16Plane>(args, maps);
}

INFCL_KERNEL_SM90
accumulate_two_planes_sm90_kernel(const __grid_constant__ AccumulateArgs args,
                                  const __grid_constant__ AccumulateMaps maps) {
  accumulate_sm90<TwoPlanes>(args, maps);
}

INFCL_KERNEL_SM90
accumulate_f16_sm90_kernel(const __grid_constant__ AccumulateArgs args,
                           const __grid_constant__ AccumulateMaps maps) {
  accumulate_sm90<Float16Plane>(args, maps);
}

}  // extern "C"

}  // namespace infcl::cuda
