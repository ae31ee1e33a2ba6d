// Folds the tiles' partial sums into the sums of the whole similarity, in the order of the tiles.
#include "collect.cuh"

namespace infcl::cuda {

INFCL_DEVICE void fold_partial(Gathered& all, const Partial& part) {
  fold_sum(all.sum, all.shift, part.sum, part.shift);
  all.dot_sum += part.dot_sum;
  all.positive_dot_sum += part.positive_dot_sum;
  all.count += part.count;
  all.max_dot = fmaxf(all.max_dot, part.max_dot);
  all.positive_max_dot = fmaxf(all.positive_max_dot, part.positive_max_dot);
}

// How many parts a thread loads before it folds the first. If a thread loaded and folded them one by one,
// each load would wait for memory.
constexpr int kPartsAtOnce = 8;

// Calls fold(*find(i)) for i from 0 to count - 1, in this order. If find(i) is null, there is no call.
template <class Part, class Find, class Fold>
INFCL_DEVICE void fold_parts(int count, Find find, Fold fold) {
  for (int first = 0; first < count; first += kPartsAtOnce) {
    const Part* from[kPartsAtOnce];
    Part part[kPartsAtOnce];
#pragma unroll
    for (int i = 0; i < kPartsAtOnce; ++i) {
      from[i] = first + i < count ? find(first + i) : nullptr;
      if (from[i]) part[i] = *from[i];
    }
#pragma unroll
    for (int i = 0; i < kPartsAtOnce; ++i)
      if (from[i]) fold(part[i]);
  }
}

extern "C" __global__ void __launch_bounds__(kThreads)
    reduce_kernel(const __grid_constant__ ReduceArgs args) {
  const int index = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (index >= args.count) return;
  const int diagonal = index / kTile;
  const int begin = args.triangle_side == 0 ? diagonal : 0;
  const int end = args.triangle_side == 1 ? diagonal : args.tiles;
  Gathered all = args.gathered[index];
  fold_parts<Partial>(
      end - begin, [&](int i) { return args.partials + (begin + i) * args.stride + index; },
      [&](const Partial& part) { fold_partial(all, part); });
  args.gathered[index] = all;
}

INFCL_DEVICE void add(TileSums& all, const TileSums& part) {
  all.dot_sum += part.dot_sum;
  all.sum += part.sum;
  all.masked += part.masked;
  all.skipped += part.skipped;
}

// One block. Thread t sums tiles t, t + 256, ..., and a tree folds the threads' sums.
extern "C" __global__ void __launch_bounds__(kThreads)
    sum_tiles_kernel(const __grid_constant__ SumTilesArgs args) {
  __shared__ TileSums warps[kWarpsOfBlock];
  TileSums sums{0, 0, 0, 0};
  const int tiles = args.row_tiles * args.column_tiles, thread = static_cast<int>(threadIdx.x);
  const auto find = [&](int i) {
    const int tile = thread + i * kThreads;
    const bool absent = args.triangle && tile % args.column_tiles < tile / args.column_tiles;
    return absent ? nullptr : args.tile_sums + tile;
  };
  fold_parts<TileSums>((tiles - thread + kThreads - 1) / kThreads, find,
                       [&](const TileSums& tile) { add(sums, tile); });
  sums = {fold_warp(sums.dot_sum, Sum{}), fold_warp(sums.sum, Sum{}),
          fold_warp(static_cast<long long>(sums.masked), Sum{}),
          fold_warp(static_cast<long long>(sums.skipped), Sum{})};
  if (lane_id() == 0) warps[warp_id()] = sums;
  __syncthreads();
  if (threadIdx.x > 0) return;
  TileSums total = *args.total;
  for (const TileSums& warp : warps) add(total, warp);
  *args.total = total;
}

}  // namespace infcl::cuda
