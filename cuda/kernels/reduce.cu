// Folds what tiles left into what the pass gathers, in the order of the tiles.
#include "collect.cuh"

namespace infcl::cuda {

// value * 2^n for an integer n <= 0; beyond the range of double nothing is left
INFCL_DEVICE double scaled_down(double value, float n) {
  return n < -1000 ? 0 : value * __hiloint2double((static_cast<int>(n) + 1023) << 20, 0);
}

// Adds sum * 2^shift. Shifts are integers, so rescaling is exact; an empty side has sum 0 and any shift.
INFCL_DEVICE void fold_sum(Gathered& all, double sum, float shift) {
  if (sum == 0) return;
  if (all.sum == 0) {
    all.sum = sum;
    all.shift = shift;
  } else if (shift <= all.shift) {
    all.sum += scaled_down(sum, shift - all.shift);
  } else {
    all.sum = sum + scaled_down(all.sum, all.shift - shift);
    all.shift = shift;
  }
}

INFCL_DEVICE void fold_partial(Gathered& all, const Partial& part) {
  fold_sum(all, part.sum, part.shift);
  all.dot_sum += part.dot_sum;
  all.positive_dot_sum += part.positive_dot_sum;
  all.count += part.count;
  all.max_dot = fmaxf(all.max_dot, part.max_dot);
  all.positive_max_dot = fmaxf(all.positive_max_dot, part.positive_max_dot);
}

extern "C" __global__ void __launch_bounds__(kThreads)
    reduce_kernel(const __grid_constant__ ReduceArgs args) {
  const int index = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (index >= args.count) return;
  const int diagonal = index / kTile;
  const int begin = args.triangle_side == 0 ? diagonal : 0;
  const int end = args.triangle_side == 1 ? diagonal : args.tiles;
  Gathered all = args.gathered[index];
  for (int tile = begin; tile < end; ++tile) fold_partial(all, args.partials[tile * args.stride + index]);
  args.gathered[index] = all;
}

// One block: thread t sums tiles t, t + 256, ..., and the threads' sums are folded like leaves of a tree.
extern "C" __global__ void __launch_bounds__(kThreads)
    sum_tiles_kernel(const __grid_constant__ SumTilesArgs args) {
  __shared__ TileSums warps[kWarpsOfBlock];
  TileSums sums{0, 0, 0, 0};
  const int64_t tiles = static_cast<int64_t>(args.row_tiles) * args.column_tiles;
  for (int64_t i = threadIdx.x; i < tiles; i += kThreads) {
    if (args.triangle && i % args.column_tiles < i / args.column_tiles) continue;
    sums.dot_sum += args.tile_sums[i].dot_sum;
    sums.sum += args.tile_sums[i].sum;
    sums.masked += args.tile_sums[i].masked;
    sums.left_out += args.tile_sums[i].left_out;
  }
  sums = {fold_warp(sums.dot_sum, Sum{}), fold_warp(sums.sum, Sum{}),
          fold_warp(static_cast<long long>(sums.masked), Sum{}),
          fold_warp(static_cast<long long>(sums.left_out), Sum{})};
  if (lane_id() == 0) warps[warp_id()] = sums;
  __syncthreads();
  if (threadIdx.x > 0) return;
  TileSums total = *args.total;
  for (const TileSums& warp : warps) {
    total.dot_sum += warp.dot_sum;
    total.sum += warp.sum;
    total.masked += warp.masked;
    total.left_out += warp.left_out;
  }
  *args.total = total;
}

}  // namespace infcl::cuda
