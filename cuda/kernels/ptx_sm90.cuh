// One function for each instruction of sm_90a that CUDA C++ cannot express: clusters, transaction barriers,
// tensor copies and products of whole warpgroups.
#pragma once

#include "ptx.cuh"
#include "tensor_maps_sm90.h"

namespace infcl::cuda {

// Barrier 1, among the first `kCount` threads of a block. Barrier 0 is the barrier of all threads.
template <int kCount>
INFCL_DEVICE void named_barrier() {
  asm volatile("bar.sync 1, %0;" ::"n"(kCount) : "memory");
}

template <int kCount>
INFCL_DEVICE bool named_barrier_or(bool any) {
  uint32_t result;
  asm volatile(
      "{\n"
      ".reg .pred any, all;\n"
      "setp.ne.u32 any, %1, 0;\n"
      "bar.red.or.pred all, 1, %2, any;\n"
      "selp.u32 %0, 1, 0, all;\n"
      "}"
      : "=r"(result)
      : "r"(static_cast<uint32_t>(any)), "n"(kCount)
      : "memory");
  return result;
}

// The barrier among the threads of a cluster that have not exited. All threads of a warp must call these
// functions. Writes before cluster_arrive() are visible after cluster_wait(), which costs a memory barrier.
// Writes before cluster_arrive_relaxed() are not, except the barriers for which fence_barriers() was called.
INFCL_DEVICE void cluster_arrive() { asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory"); }
INFCL_DEVICE void cluster_arrive_relaxed() {
  asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory");
}
INFCL_DEVICE void cluster_wait() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }

INFCL_DEVICE uint32_t cluster_rank() {
  uint32_t rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

// A barrier in shared memory. A phase ends when all arrivals and all announced bytes have come.
struct TransactionBarrier {
  uint64_t state;

  INFCL_DEVICE uint32_t address() const { return shared_address(this); }
  INFCL_DEVICE void initialize(int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address()), "r"(arrivals) : "memory");
  }
  INFCL_DEVICE void arrive() {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(address()) : "memory");
  }
  // Arrives at this barrier's counterpart in another block of the cluster. The arrival releases memory to its
  // own block alone, and so costs no memory barrier. A caller may therefore hand over only memory that needs
  // no memory barrier. The caller has waited for wgmma's reads of this memory, and copies write it next.
  INFCL_DEVICE void arrive_in_block(uint32_t rank) {
    uint32_t there;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(address()), "r"(rank));
    asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0];" ::"r"(there) : "memory");
  }
  INFCL_DEVICE void arrive_expecting(unsigned bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address()), "r"(bytes)
                 : "memory");
  }
  // Waits until the phase of this parity has ended. The phase before the first has parity 1.
  INFCL_DEVICE void wait(uint32_t parity) const {
    while (!try_wait(parity)) {
    }
  }

 private:
  INFCL_DEVICE bool try_wait(uint32_t parity) const {
    uint32_t over;
    asm volatile(
        "{\n"
        ".reg .pred over;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 over, [%1], %2;\n"
        "selp.u32 %0, 1, 0, over;\n"
        "}"
        : "=r"(over)
        : "r"(address()), "r"(parity)
        : "memory");
    return over;
  }
};

// Makes initialised barriers visible to the copies that arrive at them. After a barrier of any kind, they are
// visible to all threads of the cluster too.
INFCL_DEVICE void fence_barriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

// Copies a box to shared memory in the background; x goes along contiguous elements. Elements outside of the
// matrix are zeros.
INFCL_DEVICE void copy_box(uint32_t shared, const TensorMap& map, int x, int y,
                           const TransactionBarrier& arrival) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], "
      "[%4];" ::"r"(shared),
      "l"(&map), "r"(x), "r"(y), "r"(arrival.address())
      : "memory");
}

// Copies a box to the same place in each block of the cluster whose bit is set in `blocks`. The copy arrives
// at the barrier of each of these blocks.
INFCL_DEVICE void copy_box_to_blocks(uint32_t shared, const TensorMap& map, int x, int y,
                                     const TransactionBarrier& arrival, uint16_t blocks) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], "
      "[%1, {%2, %3}], [%4], %5;" ::"r"(shared),
      "l"(&map), "r"(x), "r"(y), "r"(arrival.address()), "h"(blocks)
      : "memory");
}

// Gives registers back, or waits until enough registers are free. All warps of a warpgroup must call
// these functions.
template <int kRegisters>
INFCL_DEVICE void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
INFCL_DEVICE void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

// Needed before products whose registers or shared memory had another use before.
INFCL_DEVICE void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
INFCL_DEVICE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int kPending>
INFCL_DEVICE void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

// The 64 accumulators of a thread as operands of the instruction. A thread has two neighbours of each eight
// columns, in two rows whose distance is 8.
#define INFCL_EIGHT(j) "+f"(c[0][j][0]), "+f"(c[0][j][1]), "+f"(c[1][j][0]), "+f"(c[1][j][1])
#define INFCL_ACCUMULATORS                                                                              \
  INFCL_EIGHT(0), INFCL_EIGHT(1), INFCL_EIGHT(2), INFCL_EIGHT(3), INFCL_EIGHT(4), INFCL_EIGHT(5),       \
      INFCL_EIGHT(6), INFCL_EIGHT(7), INFCL_EIGHT(8), INFCL_EIGHT(9), INFCL_EIGHT(10), INFCL_EIGHT(11), \
      INFCL_EIGHT(12), INFCL_EIGHT(13), INFCL_EIGHT(14), INFCL_EIGHT(15)
using Accumulators = float[2][16][2];

// Waits until all products are done. The statement names the accumulators, so that the compiler reads none of
// them earlier.
INFCL_DEVICE void wgmma_finish(Accumulators& c) {
  asm volatile("wgmma.wait_group.sync.aligned 0;" : INFCL_ACCUMULATORS : : "memory");
}

#define INFCL_WGMMA(TYPE)                                                                       \
  asm volatile(                                                                                 \
      "{\n"                                                                                     \
      ".reg .pred accumulate;\n"                                                                \
      "setp.eq.u32 accumulate, %66, 0;\n"                                                       \
      "wgmma.mma_async.sync.aligned.m64n128k16.f32." TYPE "." TYPE                              \
      " "                                                                                       \
      "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "       \
      "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "        \
      "%34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, "        \
      "%50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "                 \
      "%64, %65, accumulate, 1, 1, %67, %68;\n"                                                 \
      "}"                                                                                       \
      : INFCL_ACCUMULATORS                                                                      \
      : "l"(a), "l"(b), "r"(static_cast<uint32_t>(fresh)), "n"(kTransposedA), "n"(kTransposedB) \
      : "memory")

template <class Type>
constexpr bool kIsBFloat16 = false;
template <>
constexpr bool kIsBFloat16<BFloat16> = true;

// Starts c += a b of a warpgroup; `fresh`: c = a b. The descriptors a and b name 64 x 16 and 16 x 128
// elements. Transposed: an operand is contiguous along the side, not along the depth. c is valid after
// wgmma_finish() or wgmma_wait().
template <class Type, bool kTransposedA, bool kTransposedB>
INFCL_DEVICE void wgmma(Accumulators& c, uint64_t a, uint64_t b, bool fresh) {
  if constexpr (kIsBFloat16<Type>) {
    INFCL_WGMMA("bf16");
  } else {
    INFCL_WGMMA("f16");
  }
}

#undef INFCL_WGMMA
#undef INFCL_ACCUMULATORS
#undef INFCL_EIGHT

}  // namespace infcl::cuda
