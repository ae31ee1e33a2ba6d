// What the tensor memory accelerator of sm_90 is told of operands: the boxes that it copies to shared memory,
// the maps that hosts pass to kernels, and the shapes of their launches.
#pragma once

#include "launch_shapes.h"

namespace infcl::cuda {

// A box is 64 x 64 elements, rows of 128 bytes with 16-byte chunks permuted by row % 8: what wgmma calls the
// 128-byte swizzle. Two boxes make an operand's tile of 128 by one stage's depth, whichever way it lies.
constexpr int kBox = 64;
constexpr unsigned kBoxBytes = kBox * kBox * sizeof(uint16_t);
constexpr int kBoxesOfTile = kTile / kBox;

constexpr int kStagesSm90 = 4;  // of 32 KiB
constexpr unsigned kStageBytesSm90 = 2 * kBoxesOfTile * kBoxBytes;
constexpr unsigned kBarrierBytesSm90 = 2 * kStagesSm90 * sizeof(uint64_t);
// One kilobyte holds the barriers and keeps the size a multiple of the ring's alignment.
constexpr unsigned kSharedBytesSm90 = kStagesSm90 * kStageBytesSm90 + 1024;
static_assert(kBarrierBytesSm90 <= 1024, "barriers have their place");

// The warps that hold the tile, and a warpgroup that loads and gives its registers to them: a block starts
// with 168 registers a thread, all that a multiprocessor has.
constexpr int kThreadsSm90 = kThreads + 128;
constexpr int kProducerRegisters = 40, kConsumerRegisters = 232;
static_assert(128 * kProducerRegisters + kThreads * kConsumerRegisters <= 168 * kThreadsSm90,
              "what there is");

// Two blocks next to each other along x are a cluster, and share an operand where both have work.
constexpr int kClusterSm90 = 2;
static_assert(kClusterSm90 == kBoxesOfTile, "each loads one box of a shared tile");

// CUtensorMap of the driver
struct alignas(64) TensorMap {
  uint64_t opaque[16];
};

struct PlaneMaps {
  TensorMap high, low;  // low: unused by one plane
};

struct ScoresMaps {
  PlaneMaps rows, columns;
};

struct AccumulateMaps {
  PlaneMaps g;
  PlaneMaps row_product, column_product;  // of the features that each product multiplies G with
};

// Same tiles, in whole clusters.
constexpr LaunchShape on_sm90(LaunchShape s) {
  s.grid_x += s.grid_x % kClusterSm90;
  s.threads = kThreadsSm90;
  s.dynamic_shared_bytes = kSharedBytesSm90;
  return s;
}

}  // namespace infcl::cuda
