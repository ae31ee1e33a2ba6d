// Both gradients as accumulate.cu makes them, but for the tiles of G that the gradient filter leaves out.
// What is kept lies in runs of neighbouring tiles, each a product of its own: a run begins with an empty
// pipeline, which is nothing beside the tiles that are skipped where filtering pays at all.
#include "accumulate.cuh"
#include "collect.cuh"

namespace infcl::cuda {

// Bit k: tile k of G along the sum is kept. All lanes of a warp call it.
INFCL_DEVICE uint64_t kept_tiles(const AccumulateArgs& a, bool of_rows, int tile,
                                 const GradientTile<kDepth>& at) {
  static_assert(kMaxMacroBlockSide <= 64 * kTile, "a bit for each");
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

// Takes the first run of bits out of `kept` and makes it a range.
INFCL_DEVICE GradientTile<kDepth> next_run(const GradientTile<kDepth>& tile, uint64_t& kept) {
  const int first = __ffsll(static_cast<long long>(kept)) - 1;
  const uint64_t after = ~(kept >> first);  // a one wherever the run does not reach
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
