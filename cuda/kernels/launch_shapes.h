// Grid, block and shared memory of every kernel, and the constants they follow from: the one place that host
// and device take them from. A shape with an empty grid means there is nothing to launch.
#pragma once

#include "kernel_args.h"

namespace infcl::cuda {

constexpr int kThreads = 256;  // of a block, whatever the kernel
constexpr int kWarpsOfBlock = kThreads / 32;
constexpr int kDepth = 32;  // terms of a dot product that a stage of the ring holds
constexpr int kStages = 3;  // 48 KiB: two blocks to a multiprocessor also where it has 100 KiB
constexpr unsigned kStageBytes = 2 * kTile * kDepth * sizeof(uint16_t);
constexpr unsigned kRingBytes = kStages * kStageBytes;

struct LaunchShape {
  unsigned grid_x, grid_y, grid_z;
  unsigned threads;
  unsigned dynamic_shared_bytes;
  constexpr bool empty() const { return grid_x == 0 || grid_y == 0 || grid_z == 0; }
};

INFCL_HOST_DEVICE constexpr int64_t tiles_of(int64_t count) { return (count + kTile - 1) / kTile; }

constexpr LaunchShape launch_shape(int64_t grid_x, int64_t grid_y = 1, unsigned dynamic_shared_bytes = 0) {
  return {static_cast<unsigned>(grid_x), static_cast<unsigned>(grid_y), 1, kThreads, dynamic_shared_bytes};
}

// The `plain` kernels know labelled positives, triangles and sigmoids; anything else needs the `general`
// ones.
constexpr bool is_plain(const Mask& r, bool label_smoothing) {
  return !label_smoothing && !r.row_classes && !r.row_ids && !r.row_limits;
}

// One block per tile, x along rows: blocks that run together share columns.
constexpr LaunchShape scores_shape(const ScoresArgs& a) {
  return launch_shape(tiles_of(a.row_count), tiles_of(a.column_count), kRingBytes);
}

INFCL_HOST_DEVICE constexpr int64_t gradient_tiles(const GradientProduct& p) {
  return p.out ? tiles_of(p.count) : 0;
}

// One block per tile of a gradient, x along features: blocks that run together share G. First the rows'
// tiles, then the columns'.
constexpr LaunchShape accumulate_shape(const AccumulateArgs& a) {
  return launch_shape(tiles_of(a.padded_dim), gradient_tiles(a.rows) + gradient_tiles(a.columns), kRingBytes);
}

constexpr int64_t blocks_for(int64_t count, int64_t per_block) { return (count + per_block - 1) / per_block; }

constexpr LaunchShape reduce_shape(const ReduceArgs& a) {
  return launch_shape(blocks_for(a.count, kThreads));
}
constexpr LaunchShape sum_tiles_shape(const SumTilesArgs&) { return launch_shape(1); }

// A warp to a row, a pair, and a row with all its pairs.
constexpr LaunchShape split_shape(const SplitArgs& a) {
  return launch_shape(blocks_for(a.rows, kWarpsOfBlock));
}
constexpr LaunchShape pair_dots_shape(const PairArgs& a) {
  return launch_shape(blocks_for(a.count, kWarpsOfBlock));
}
constexpr LaunchShape pair_gradients_shape(const PairArgs& a) {
  return launch_shape(blocks_for(blocks_for(a.count, a.per_row), kWarpsOfBlock));
}

}  // namespace infcl::cuda
