// The product of two operands on sm_90, in steps of depth 64: out[i][j] = sum_k a[i][k] b[j][k], as in
// mainloop.cuh. One thread lets the tensor memory accelerator fill a ring of stages. Two warpgroups multiply
// each stage that has arrived, 64 rows of the tile each, and hand the stage back. The two blocks of a cluster
// may use one operand together: each block then reads half of it.
#pragma once

#include "operands.cuh"
#include "tile_sm90.cuh"

namespace infcl::cuda {

// Where an operand's tile begins in its matrix.
struct OperandOrigin {
  int side, depth;
};

enum class Operand { kA, kB };

template <Major kMajor, bool kShared>
INFCL_DEVICE void load_tile(const unsigned char* tile, const TensorMap& map, const OperandOrigin& origin,
                            int step, const TransactionBarrier& full, const Neighbour& neighbour) {
  const int depth = origin.depth + step * kBox;
#pragma unroll
  for (int box = 0; box < kBoxesOfTile; ++box) {
    const int side = origin.side + box * kBox;
    const bool along_depth = kMajor == Major::kAlongDepth;
    const int x = along_depth ? depth : side, y = along_depth ? side : depth;
    const uint32_t to = shared_address(tile + box * kBoxBytes);
    if (!kShared || !neighbour.shares)
      copy_box(to, map, x, y, full);
    else if (box == neighbour.own_rank)
      copy_box_to_blocks(to, map, x, y, full, Neighbour::both());
  }
}

// The producer thread's part: fills the ring. The small products come first.
template <class Kind, Major kA, Major kB, Operand kShared>
INFCL_DEVICE void fill_ring(const PlaneMaps& a, OperandOrigin a_origin, const PlaneMaps& b,
                            OperandOrigin b_origin, int steps, const Neighbour& neighbour, Ring& ring) {
  RingPosition at;
  for (int product = Kind::kProducts - 1; product >= 0; --product) {
    const TensorMap& a_map = reads_low_of_a(product) ? a.low : a.high;
    const TensorMap& b_map = reads_low_of_b(product) ? b.low : b.high;
    for (int step = 0; step < steps; ++step, at.advance()) {
      StageSm90& stage = ring.stages[at.stage];
      const TransactionBarrier& full = ring.full[at.stage];
      ring.empty[at.stage].wait(at.parity ^ 1);
      ring.full[at.stage].arrive_expecting(kStageBytesSm90);
      load_tile<kA, kShared == Operand::kA>(stage.a, a_map, a_origin, step, full, neighbour);
      load_tile<kB, kShared == Operand::kB>(stage.b, b_map, b_origin, step, full, neighbour);
    }
  }
}

// wgmma's descriptor of an operand in shared memory, in units of 16 bytes. It holds the address, the distance
// between groups of eight rows of 128 bytes, and the distance between boxes along the side. An operand along
// the depth crosses no box, and the ISA ignores the last field; CUTLASS sets it to 1, and so does this
// function. The address field has 14 bits. In a cluster, bits 24 and up of a shared address hold the block's
// rank. The mask keeps the rank out of the next field.
template <Major kMajor>
INFCL_DEVICE uint64_t describe(const unsigned char* operand) {
  constexpr uint64_t kSwizzle128 = uint64_t{1} << 62;
  constexpr uint32_t kAddressMask = (1u << 18) - 1;
  constexpr uint64_t kEightRows = 8 * 128 / 16, kNextBox = kMajor == Major::kAlongSide ? kBoxBytes / 16 : 1;
  return kSwizzle128 | kEightRows << 32 | kNextBox << 16 | (shared_address(operand) & kAddressMask) >> 4;
}

// The step of a descriptor to the next 16 terms of the depth: within rows, or to the rows below.
template <Major kMajor>
INFCL_DEVICE constexpr uint64_t next_terms() {
  return kMajor == Major::kAlongDepth ? 16 * sizeof(uint16_t) / 16 : 16 * 128 / 16;
}

// A consumer warpgroup's part: multiplies its 64 rows of the tile. It starts the products of a stage, and
// only then waits for the products of the stage before.
template <class Kind, Major kA, Major kB>
INFCL_DEVICE void empty_ring(int steps, const Neighbour& neighbour, Ring& ring, Patch<WgmmaLayout>& out) {
  const int group = warp_id() / 4;
  RingPosition at;
  int before = 0;
  for (int step = 0; step < steps; ++step, at.advance()) {
    const StageSm90& stage = ring.stages[at.stage];
    ring.full[at.stage].wait(at.parity);
    const uint64_t a = describe<kA>(stage.a + group * kBoxBytes), b = describe<kB>(stage.b);
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < kBox / 16; ++k)
      wgmma<typename Kind::Type, kA == Major::kAlongSide, kB == Major::kAlongSide>(
          out.value, a + k * next_terms<kA>(), b + k * next_terms<kB>(), step == 0 && k == 0);
    wgmma_commit();
    if (step > 0) {
      wgmma_wait<1>();
      if (lane_id() == 0) neighbour.hand_back(ring.empty[before]);
    }
    before = at.stage;
  }
  wgmma_finish(out.value);
}

INFCL_DEVICE void initialize(Ring& ring, const Neighbour& neighbour) {
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < kStagesSm90; ++stage) {
      ring.full[stage].initialize(1);
      ring.empty[stage].initialize(neighbour.arrivals_at_empty());
    }
    fence_barriers();
  }
  neighbour.begin();
}

// out = the product over `steps` > 0 tiles of depth. Returns false for the producer, which has no
// more work. For the other warps, the stages' memory is free for other use, but they may not exit
// before neighbour.end().
template <class Kind, Major kA, Major kB, Operand kShared>
INFCL_DEVICE bool multiply_sm90(const PlaneMaps& a, OperandOrigin a_origin, const PlaneMaps& b,
                                OperandOrigin b_origin, int steps, const Neighbour& neighbour, Ring& ring,
                                Patch<WgmmaLayout>& out) {
  initialize(ring, neighbour);
  if (is_producer()) {
    give_registers<kProducerRegisters>();
    if (threadIdx.x == kThreads)
      fill_ring<Kind, kA, kB, kShared>(a, a_origin, b, b_origin, steps, neighbour, ring);
    return false;
  }
  take_registers<kConsumerRegisters>();
  empty_ring<Kind, kA, kB>(Kind::kProducts * steps, neighbour, ring, out);
  neighbour.has_arrived();
  WgmmaLayout::sync();
  return true;
}

}  // namespace infcl::cuda
