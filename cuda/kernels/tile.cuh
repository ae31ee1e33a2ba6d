// A block computes a tile of 128 x 128 with 8 warps of 64 x 32. Which thread holds what of it, and how
// operand tiles lie in shared memory.
#pragma once

#include "launch_shapes.h"
#include "ptx.cuh"

namespace infcl::cuda {

constexpr int kWarpRows = 64, kWarpColumns = 32;
// Warps side by side in a tile. The warps of a column strip have consecutive numbers, so that each of the
// four schedulers of a multiprocessor still has work when a strip has none.
constexpr int kWarpsAlongRows = kTile / kWarpRows, kWarpsAlongColumns = kTile / kWarpColumns;

INFCL_DEVICE int lane_id() { return static_cast<int>(threadIdx.x % 32); }
INFCL_DEVICE int warp_id() { return static_cast<int>(threadIdx.x / 32); }
INFCL_DEVICE int warp_row() { return warp_id() % kWarpsAlongRows; }
INFCL_DEVICE int warp_column() { return warp_id() / kWarpsAlongRows; }

// A thread's share of the tile: 8 x 8 elements, as the accumulators of mma.m16n8k16 hold them.
struct Patch {
  static constexpr int kSide = 8;
  float value[kSide][kSide / 2][2];

  INFCL_DEVICE float& at(int r, int c) { return value[r][c / 2][c % 2]; }
  INFCL_DEVICE float at(int r, int c) const { return value[r][c / 2][c % 2]; }
  INFCL_DEVICE static int row(int r) { return warp_row() * kWarpRows + lane_id() / 4 + 8 * r; }
  INFCL_DEVICE static int column(int c) {
    return warp_column() * kWarpColumns + lane_id() % 4 * 2 + c / 2 * 8 + c % 2;
  }
  INFCL_DEVICE void clear() {
#pragma unroll
    for (int r = 0; r < kSide; ++r)
#pragma unroll
      for (int c = 0; c < kSide; ++c) at(r, c) = 0;
  }
};

// What is contiguous in memory of an operand: the depth that products sum over, or the side of the tile.
enum class Major { kAlongDepth, kAlongSide };

// An operand's tile in shared memory: rows of 16-byte chunks. Chunks are permuted within a row such that
// eight consecutive rows of one chunk, which is what ldmatrix reads, lie in different banks.
template <Major>
struct TileLayout;

template <>
struct TileLayout<Major::kAlongDepth> {  // 128 rows of 32 terms; two rows fill the banks once
  static constexpr int kRows = kTile, kChunks = kDepth / 8;
  INFCL_DEVICE static uint32_t offset(int row, int chunk) {
    return static_cast<uint32_t>(row * kChunks + (chunk ^ (row / 2 % 4))) * 16;
  }
};

template <>
struct TileLayout<Major::kAlongSide> {  // 32 terms' rows of 128
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

// The ring of stages and what epilogues put in its place.
template <class T>
INFCL_DEVICE T& shared_memory() {
  static_assert(sizeof(T) <= kRingBytes, "hosts reserve the ring and no more");
  extern __shared__ __align__(1024) unsigned char bytes[];
  return *reinterpret_cast<T*>(bytes);
}

}  // namespace infcl::cuda
