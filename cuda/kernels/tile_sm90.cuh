// A block of sm_90: two warpgroups that hold a tile of 128 x 128 in wgmma's accumulators, and one that feeds
// them. What lies where in shared memory.
#pragma once

#include "ptx_sm90.cuh"
#include "tile.cuh"

namespace infcl::cuda {

// The tile as wgmma.m64n128 leaves it. The producer is gone by then, so barriers are of the 8 warps.
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

// The ring of stages, and for each whether it is full (one arrival, and bytes) or empty (every warp's
// arrival).
struct Ring {
  StageSm90 stages[kStagesSm90];
  TransactionBarrier full[kStagesSm90], empty[kStagesSm90];
};

// What epilogues put in the place of stages.
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

// The other block of the cluster, and whether it shares this one's operand: each then loads half of a tile
// and sends it to both, when both are done with what was there before.
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
  // Begins with barriers that the neighbour knows, and ends when it has arrived at the last of them.
  INFCL_DEVICE void begin() const {
    if (!shares) return __syncthreads();
    cluster_arrive_relaxed();  // hands over nothing but the barriers, which initialize() has fenced
    cluster_wait();
  }
  // This one releases: it must not overtake the arrivals at the neighbour's barriers, whose memory is gone
  // when the neighbour exits.
  INFCL_DEVICE void has_arrived() const {
    if (shares) cluster_arrive();
  }
  INFCL_DEVICE void end() const {
    if (shares) cluster_wait();
  }
};

// A stage of a ring: which, and how often the ring has gone round.
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
