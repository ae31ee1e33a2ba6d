// A block computes a tile of 128 x 128 with 8 warps. This file says which thread has which elements, and how
// the operand tiles of mma.sync lie in shared memory.
#pragma once

#include "launch_shapes.h"
#include "ptx.cuh"

namespace infcl::cuda {

INFCL_DEVICE int lane_id() { return static_cast<int>(threadIdx.x % 32); }
INFCL_DEVICE int warp_id() { return static_cast<int>(threadIdx.x / 32); }

// How the warps divide a tile. Warps above each other have consecutive numbers. Each of a multiprocessor's
// four schedulers then still has work if a strip of columns has none.
template <int kRowsOfWarp, int kColumnsOfWarp>
struct WarpGrid {
  static constexpr int kWarpRows = kRowsOfWarp, kWarpColumns = kColumnsOfWarp;
  static constexpr int kWarpsAlongRows = kTile / kWarpRows, kWarpsAlongColumns = kTile / kWarpColumns;
  static_assert(kWarpsAlongRows * kWarpsAlongColumns == kWarpsOfBlock, "every warp has one part of the tile");
  INFCL_DEVICE static int warp_row() { return warp_id() % kWarpsAlongRows; }
  INFCL_DEVICE static int warp_column() { return warp_id() / kWarpsAlongRows; }
};

// The tile as mma.sync leaves it. The block has these 8 warps and no others.
struct MmaLayout : WarpGrid<64, 32> {
  INFCL_DEVICE static void sync() { __syncthreads(); }
  INFCL_DEVICE static bool sync_or(bool any) { return __syncthreads_or(any); }
};

// A thread's elements of the tile, as the accumulators of 16-row matrix products hold them: two neighbours of
// every 8 x 8 elements.
template <class Layout>
struct Patch {
  static constexpr int kRows = Layout::kWarpRows / 8, kColumns = Layout::kWarpColumns / 4;
  float value[kRows][kColumns / 2][2];

  INFCL_DEVICE float& at(int r, int c) { return value[r][c / 2][c % 2]; }
  INFCL_DEVICE float at(int r, int c) const { return value[r][c / 2][c % 2]; }
  INFCL_DEVICE static int row(int r) {
    return Layout::warp_row() * Layout::kWarpRows + lane_id() / 4 + 8 * r;
  }
  INFCL_DEVICE static int column(int c) {
    return Layout::warp_column() * Layout::kWarpColumns + lane_id() % 4 * 2 + c / 2 * 8 + c % 2;
  }
  // Calls f(r, c, element) for each element, row by row.
  template <class F>
  INFCL_DEVICE void for_each(F f) {
#pragma unroll
    for (int r = 0; r < kRows; ++r)
#pragma unroll
      for (int c = 0; c < kColumns; ++c) f(r, c, at(r, c));
  }
  // The same, but column by column if there are more columns than rows. Fewer values along a side are then in
  // use at a time.
  template <class F>
  INFCL_DEVICE void for_each_along_shorter_side(F f) {
    if constexpr (kRows >= kColumns) {
      for_each(f);
    } else {
#pragma unroll
      for (int c = 0; c < kColumns; ++c)
#pragma unroll
        for (int r = 0; r < kRows; ++r) f(r, c, at(r, c));
    }
  }
  INFCL_DEVICE void clear() {
    for_each([](int, int, float& x) { x = 0; });
  }
};

// The direction in which an operand is contiguous in memory: the depth, over which products sum, or the side
// of the tile.
enum class Major { kAlongDepth, kAlongSide };

// An operand's tile in shared memory: rows of 16-byte chunks. ldmatrix reads one chunk of eight consecutive
// rows. A permutation of the chunks within each row puts these eight chunks into different banks.
template <Major>
struct TileLayout;

template <>
struct TileLayout<Major::kAlongDepth> {  // 128 rows of 32 terms; two rows fill all banks once
  static constexpr int kRows = kTile, kChunks = kDepth / 8;
  INFCL_DEVICE static uint32_t offset(int row, int chunk) {
    return static_cast<uint32_t>(row * kChunks + (chunk ^ (row / 2 % 4))) * 16;
  }
};

template <>
struct TileLayout<Major::kAlongSide> {  // 32 rows, one for each term, of 128 elements
  static constexpr int kRows = kDepth, kChunks = kTile / 8;
  INFCL_DEVICE static uint32_t offset(int row, int chunk) {
    return static_cast<uint32_t>(row * kChunks + (chunk ^ (row % 8))) * 16;
  }
};

struct Stage {
  alignas(1024) uint16_t a[kTile * kDepth];
  alignas(1024) uint16_t b[kTile * kDepth];
};
static_assert(sizeof(Stage) == kStageBytes, "hosts reserve what kernels use");

// Dynamic shared memory: the ring of stages, and later an epilogue's data in the same place.
template <class T, unsigned kReservedBytes = kRingBytes>
INFCL_DEVICE T& shared_memory() {
  static_assert(sizeof(T) <= kReservedBytes, "hosts reserve this and no more");
  extern __shared__ __align__(1024) unsigned char bytes[];
  return *reinterpret_cast<T*>(bytes);
}

}  // namespace infcl::cuda
