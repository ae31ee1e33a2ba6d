// Both gradients as in accumulate.cu, without the tiles of G that the gradient filter skips. The other tiles
// form runs of neighbours, and each run is one product. A run begins with an empty pipeline, but this cost is
// small beside the skipped tiles wherever a filter saves time at all.
#include "accumulate.cuh"
#include "collect.cuh"

namespace infcl::cuda {

// Bit k: the sum includes tile k of G. All lanes of a warp must call this function.
INFCL_DEVICE uint64_t kept_tiles(const AccumulateArgs& a, bool of_rows, int tile,
                                 const GradientTile<kDepth>& at) {
  static_assert(kMaxMacroBlockSide <= 64 * kTile, "one bit for each tile");
  const int64_t column_tiles = tiles_of(a.column_count);
  uint64_t kept = 0;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int k = 32 * half + lane_id();
    bool mine = k * kTile >= at.begin && k * kTile < at.end;
    if (mine) mine = !a.tile_sums[of_rows ? tile * column_tiles + k : k * column_tiles + tile].skipped;
    kept |= static_cast<uint64_t>(__ballot_sync(kAllLanes, mine)) << 32 * half;
  }
  return kept;
}

// Removes the first run of bits from `kept`, and returns its range of G.
INFCL_DEVICE GradientTile<kDepth> next_run(const GradientTile<kDepth>& tile, uint64_t& kept) {
  const int first = __ffsll(static_cast<long long>(kept)) - 1;
  const uint64_t after = ~(kept >> first);  // its first one is where the run ends
  const int length = after ? __ffsll(static_cast<long long>(after)) - 1 : 64;
  kept = first + length < 64 ? kept >> (first + length) << (first + length) : 0;
  GradientTile<kDepth> run = tile;
  run.begin = first * kTile;
  run.end = min(tile.end, (first + length) * kTile);
  return run;
}

template <class Kind>
INFCL_DEVICE void accumulate_skipping(const AccumulateArgs& a) {
  const int row_tiles = static_cast<int>(gradient_tiles(a.rows)), tile = static_cast<int>(blockIdx.y);
  const bool of_rows = tile < row_tiles;
  const GradientProduct& p = of_rows ? a.rows : a.columns;
  const int index = of_rows ? tile : tile - row_tiles;
  const GradientTile<kDepth> at(a, of_rows, index);
  uint64_t kept = kept_tiles(a, of_rows, index, at);
  if (!kept && !p.overwrite) return;
  Patch<MmaLayout> sums;
  sums.clear();
  while (kept) {
    const GradientTile<kDepth> run = next_run(at, kept);
    if (of_rows) {
      add_product<Kind, Major::kAlongDepth>(a, p, run, sums);
    } else {
      add_product<Kind, Major::kAlongSide>(a, p, run, sums);
    }
  }
  write_gradient(p, at, a.padded_dim, a.inverse_g_scale, sums);
}

extern "C" {

__global__ void __launch_bounds__(kThreads, 2)
    accumulate_skipping_bf16_kernel(const __grid_constant__ AccumulateArgs args) {
  accumulate_skipping<BFloat16Plane>(args);
}

__global__ void __launch_bounds__(kThreads, 2)
    accumulate_skipping_two_planes_kernel(const __grid_constant__ AccumulateArgs args) {
  accumulate_skipping<TwoPlanes>(args);
}

__global__ void __launch_bounds__(kThreads, 2)
    accumulate_skipping_f16_kernel(const __grid_constant__ AccumulateArgs args) {
  accumulate_skipping<Float16Plane>(args);
}

}  // extern "C"

}  // namespace infcl::cuda
