// A block of sm_90: two consumer warpgroups have a tile of 128 x 128 in wgmma's accumulators, and one
// producer warpgroup loads their operands. This file also lays out the block's shared memory.
#pragma once

#include "ptx_sm90.cuh"
#include "tile.cuh"

namespace infcl::cuda {

// The tile as wgmma.m64n128 leaves it. The producer has exited by then, so barriers count the other 8 warps.
struct WgmmaLayout : WarpGrid<16, 128> {
  INFCL_DEVICE static void sync() { named_barrier<kThreads>(); }
  INFCL_DEVICE static bool sync_or(bool any) { return named_barrier_or<kThreads>(any); }
};

INFCL_DEVICE bool is_producer() { return threadIdx.x >= kThreads; }

struct StageSm90 {
  alignas(1024) unsigned char a[kBoxesOfTile * kBoxBytes];
  alignas(1024) unsigned char b[kBoxesOfTile * kBoxBytes];
};
static_assert(sizeof(StageSm90) == kStageBytesSm90, "hosts reserve what kernels use");

// The ring of stages, with two barriers for each stage: full (one arrival, and the stage's bytes) and empty
// (an arrival of every warp).
struct Ring {
  StageSm90 stages[kStagesSm90];
  TransactionBarrier full[kStagesSm90], empty[kStagesSm90];
};

// The ring, and later an epilogue's data in place of the stages.
template <class Epilogue>
union SharedSm90 {
  Ring ring;
  Epilogue epilogue;
};

template <class Epilogue>
INFCL_DEVICE SharedSm90<Epilogue>& shared_memory_sm90() {
  static_assert(sizeof(Epilogue) <= kStagesSm90 * kStageBytesSm90, "barriers outlive the stages");
  return shared_memory<SharedSm90<Epilogue>, kSharedBytesSm90>();
}

#define INFCL_KERNEL_SM90 \
  __global__ void __cluster_dims__(kClusterSm90, 1, 1) __launch_bounds__(kThreadsSm90, 1)

// The other block of the cluster. If both blocks use the same operand (`shares`), each loads half of
// every operand tile and sends it to both. A block sends when both have finished with the tile that lay
// there before.
struct Neighbour {
  bool shares;
  uint32_t own_rank = cluster_rank();

  INFCL_DEVICE explicit Neighbour(bool has_work) : shares(has_work) {}
  INFCL_DEVICE static constexpr uint16_t both() { return (1 << kClusterSm90) - 1; }
  INFCL_DEVICE int arrivals_at_empty() const { return shares ? kClusterSm90 * kWarpsOfBlock : kWarpsOfBlock; }
  INFCL_DEVICE void hand_back(TransactionBarrier& empty) const {
    empty.arrive();
    if (shares) empty.arrive_in_block(own_rank ^ 1);
  }
  // begin() makes the barriers visible to the neighbour. end() waits until the neighbour has arrived at the
  // last of this block's barriers.
  INFCL_DEVICE void begin() const {
    if (!shares) return __syncthreads();
    cluster_arrive_relaxed();  // makes only the barriers visible, and initialize() has fenced them
    cluster_wait();
  }
  // This arrival releases, because it must not overtake the arrivals at the neighbour's barriers. Their
  // memory ends when the neighbour exits.
  INFCL_DEVICE void has_arrived() const {
    if (shares) cluster_arrive();
  }
  INFCL_DEVICE void end() const {
    if (shares) cluster_wait();
  }
};

// A position in the ring: the stage, and the parity of how often the position has gone round the ring.
struct RingPosition {
  int stage = 0;
  uint32_t parity = 0;

  INFCL_DEVICE void advance() {
    if (++stage == kStagesSm90) {
      stage = 0;
      parity ^= 1;
    }
  }
};

}  // namespace infcl::cuda
