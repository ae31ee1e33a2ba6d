// Both gradients of a macro-block in one launch: G times the columns' features, and G's transpose times the
// rows' features. Each block makes one tile of 128 rows x 128 features, and no other block adds to this tile.
// So the order of each sum is fixed without atomics.
#include "accumulate.cuh"

namespace infcl::cuda {

template <class Kind, Major kMajorG>
INFCL_DEVICE void accumulate_tile(const AccumulateArgs& a, const GradientProduct& p,
                                  const GradientTile<kDepth>& tile) {
  const int64_t stride = a.padded_dim;
  Patch<MmaLayout> sums;
  sums.clear();
  add_product<Kind, kMajorG>(a, p, tile, sums);
  write_gradient(p, tile, stride, a.inverse_g_scale, sums);
}

template <class Kind>
INFCL_DEVICE void accumulate(const AccumulateArgs& a) {
  const int row_tiles = static_cast<int>(gradient_tiles(a.rows)), tile = static_cast<int>(blockIdx.y);
  const bool of_rows = tile < row_tiles;
  const GradientProduct& p = of_rows ? a.rows : a.columns;
  const GradientTile<kDepth> at(a, of_rows, of_rows ? tile : tile - row_tiles);
  if (of_rows) {
    accumulate_tile<Kind, Major::kAlongDepth>(a, p, at);
  } else {
    accumulate_tile<Kind, Major::kAlongSide>(a, p, at);
  }
}

extern "C" {

__global__ void __launch_bounds__(kThreads, 2)
    accumulate_bf16_kernel(const __grid_constant__ AccumulateArgs args) {
  accumulate<BFloat16Plane>(args);
}

__global__ void __launch_bounds__(kThreads, 2)
    accumulate_two_planes_kernel(const __grid_constant__ AccumulateArgs args) {
  accumulate<TwoPlanes>(args);
}

__global__ void __launch_bounds__(kThreads, 2)
    accumulate_f16_kernel(const __grid_constant__ AccumulateArgs args) {
  accumulate<Float16Plane>(args);
}

}  // extern "C"

}  // namespace infcl::cuda
