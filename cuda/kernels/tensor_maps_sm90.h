// Operands as the tensor memory accelerator of sm_90 reads them. The file has the boxes that it copies to
// shared memory, the maps that hosts pass to kernels, and the shapes of the launches.
#pragma once

#include "launch_shapes.h"

namespace infcl::cuda {

// A box has 64 x 64 elements, in rows of 128 bytes whose 16-byte chunks are permuted by row % 8. wgmma
// calls this layout the 128-byte swizzle. Two boxes make an operand tile of 128 by one stage's depth, in
// either direction.
constexpr int kBox = 64;
constexpr unsigned kBoxBytes = kBox * kBox * sizeof(uint16_t);
constexpr int kBoxesOfTile = kTile / kBox;

constexpr int kStagesSm90 = 4;  // of 32 KiB
constexpr unsigned kStageBytesSm90 = 2 * kBoxesOfTile * kBoxBytes;
constexpr unsigned kBarrierBytesSm90 = 2 * kStagesSm90 * sizeof(uint64_t);
// One more kilobyte has room for the barriers and keeps the size a multiple of the ring's alignment.
constexpr unsigned kSharedBytesSm90 = kStagesSm90 * kStageBytesSm90 + 1024;
static_assert(kBarrierBytesSm90 <= 1024, "barriers have their place");

// The 8 consumer warps have the tile; one producer warpgroup loads and gives most of its registers to them. A
// block starts with 168 registers a thread, which are all registers of a multiprocessor.
constexpr int kThreadsSm90 = kThreads + 128;
constexpr int kProducerRegisters = 40, kConsumerRegisters = 232;
static_assert(128 * kProducerRegisters + kThreads * kConsumerRegisters <= 168 * kThreadsSm90,
              "a multiprocessor has no more");

// Two neighbour blocks along x are a cluster. They load one operand together if both have work.
constexpr int kClusterSm90 = 2;
static_assert(kClusterSm90 == kBoxesOfTile, "each loads one box of a shared tile");

// The driver's CUtensorMap.
struct alignas(64) TensorMap {
  uint64_t opaque[16];
};

struct PlaneMaps {
  TensorMap high, low;  // low: unused if there is one plane
};

struct ScoresMaps {
  PlaneMaps rows, columns;
};

struct AccumulateMaps {
  PlaneMaps g;
  PlaneMaps row_product, column_product;  // the features of each product
};

// The shape on sm_90: the same tiles, in whole clusters.
constexpr LaunchShape on_sm90(LaunchShape s) {
  s.grid_x += s.grid_x % kClusterSm90;
  s.threads = kThreadsSm90;
  s.dynamic_shared_bytes = kSharedBytesSm90;
  return s;
}

}  // namespace infcl::cuda
