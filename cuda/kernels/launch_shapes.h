// Grid, thread block and shared memory of every kernel, and the constants behind these numbers. Host and
// device both take them from here. A shape with an empty grid means that there is nothing to launch.
#pragma once

#include "kernel_args.h"

namespace infcl::cuda {

constexpr int kThreads = 256;  // of a block of any kernel but those for sm_90
constexpr int kWarpsOfBlock = kThreads / 32;
constexpr int kDepth = 32;  // features of a dot that one stage of the ring holds
constexpr int kStages = 3;  // 48 KiB: two blocks fit a multiprocessor even if it has only 100 KiB
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

// The `plain` kernels know labelled positives, triangles and sigmoid. Label smoothing, classes, ids, limits
// and the gradient filter need the `general` kernels.
constexpr bool is_plain(const Mask& r, bool label_smoothing) {
  return !label_smoothing && !r.row_classes && !r.row_ids && !r.row_limits;
}

// One block computes one tile. Grid axis x goes along rows, so that blocks of the same time read the
// same columns.
constexpr LaunchShape scores_shape(const ScoresArgs& a) {
  return launch_shape(tiles_of(a.row_count), tiles_of(a.column_count), kRingBytes);
}

INFCL_HOST_DEVICE constexpr int64_t gradient_tiles(const GradientProduct& p) {
  return p.out ? tiles_of(p.count) : 0;
}

// One block computes one tile of a gradient. Grid axis x goes along features, so that blocks of the same time
// read the same part of G. The tiles of the rows' gradient come first.
constexpr LaunchShape accumulate_shape(const AccumulateArgs& a) {
  return launch_shape(tiles_of(a.padded_dim), gradient_tiles(a.rows) + gradient_tiles(a.columns), kRingBytes);
}

constexpr int64_t blocks_for(int64_t count, int64_t per_block) { return (count + per_block - 1) / per_block; }

constexpr LaunchShape reduce_shape(const ReduceArgs& a) {
  return launch_shape(blocks_for(a.count, kThreads));
}
constexpr LaunchShape sum_tiles_shape(const SumTilesArgs&) { return launch_shape(1); }

// One warp works on a row, on a pair, or on a row with all its pairs.
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
