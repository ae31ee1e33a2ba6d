// Programs of sm_90a that are wrong, one mistake each, named by `mistake`; 0 is none.
#include "cuda/kernels/ptx_sm90.cuh"

using namespace infcl::cuda;

namespace {

struct Box {
  alignas(1024) uint16_t element[64][64];  // permuted as the hardware does
};

// Elements of a row and of a chunk of 8 are permuted within the row, by the row.
__device__ uint16_t at(const Box& box, int row, int column) {
  return box.element[row][(column / 8 ^ row % 8) * 8 + column % 8];
}

// The address of the same place in another block, which only shared::cluster may use.
__device__ uint32_t in_block(uint32_t address, uint32_t rank) {
  uint32_t there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(address), "r"(rank));
  return there;
}

// As arrive_in_block(), and releases what was done before to the whole cluster: ordinary reads, here.
__device__ void release_to_block(const TransactionBarrier& barrier, uint32_t rank) {
  const uint32_t there = in_block(barrier.address(), rank);
  asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(there) : "memory");
}

}  // namespace

// One thread of 64 copies a box, and all of them wait for it and read it, rows apart.
extern "C" __global__ void box_kernel(int mistake, const __grid_constant__ TensorMap map, uint16_t* out) {
  __shared__ Box box;
  __shared__ TransactionBarrier full, other;
  const int t = threadIdx.x;
  const uint32_t to = shared_address(&box) + (mistake == 5 ? 64 : 0);
  if (t == 0) {
    if (mistake != 1) full.initialize(mistake == 9 ? 2 : 1);
    if (mistake == 15) full.initialize(1);  // again
    other.initialize(1);
    if (mistake != 2) fence_barriers();
  }
  __syncthreads();
  if (t == 0) {
    const unsigned bytes = sizeof(Box) + (mistake == 4 ? 16 : 0) - (mistake == 3 ? 16 : 0);
    if (mistake == 11) {
      other.arrive_expecting(sizeof(Box));
      copy_box(to, map, 0, 0, other);
    }
    if (mistake == 7 || mistake == 14) copy_box(to, map, 0, 0, full);  // 7: announced below, and that is fine
    if (mistake == 14) full.arrive();                                  // and announces nothing
    if (mistake != 14) full.arrive_expecting(bytes);
    if (mistake == 10) full.arrive();
    if (mistake == 18) box.element[5][5] = 1;  // before the copy, and that is fine
    if (mistake != 7 && mistake != 14)
      copy_box(to, map, mistake == 16 ? 32 : 0, mistake == 16 ? 70 : 0, full);
    if (mistake == 19) box.element[5][5] = 1;  // while it is under way
  }
  if (mistake == 13) return;
  if (mistake == 17) full.wait(2);
  if (mistake != 6) full.wait(mistake == 8 ? 1 : 0);
  if (mistake == 12 && t == 0) {  // others may still read
    full.arrive_expecting(sizeof(Box));
    copy_box(to, map, 64, 0, full);
    full.wait(1);
  }
  for (int column = 0; column < 64; ++column) out[t * 64 + column] = at(box, t, column);
  if (mistake == 6) full.wait(0);  // too late
}

// A warpgroup multiplies two boxes by one, and writes the first column of what it gets.
extern "C" __global__ void product_kernel(int mistake, const __grid_constant__ TensorMap map, float* out) {
  __shared__ Box a, b[2];
  __shared__ TransactionBarrier full;
  const int t = threadIdx.x;
  if (t == 0) {
    full.initialize(1);
    fence_barriers();
  }
  __syncthreads();
  if (t == 0) {
    full.arrive_expecting(3 * sizeof(Box));
    copy_box(shared_address(&a), map, 0, 0, full);
    copy_box(shared_address(b), map, 0, 0, full);
    copy_box(shared_address(b + 1), map, 0, 64, full);
  }
  if (mistake != 1) full.wait(0);
  const uint64_t layout = (mistake == 5 ? uint64_t{2} << 62 : uint64_t{1} << 62) | uint64_t{64} << 32;
  uint32_t from = shared_address(&a) + (mistake == 6 ? 128 : 0) + (mistake == 7 ? t % 2 * 1024 : 0);
  if (mistake == 10) from += t / 96 * 1024;  // the last warp alone
  const uint64_t left = layout | from >> 4, right = layout | shared_address(b) >> 4;
  float c[2][16][2];
  for (auto& half : c)
    for (auto& pair : half) pair[0] = pair[1] = 0;
  if (mistake != 2) wgmma_fence();
  if (mistake == 8) {
    if (t % 32 < 16) wgmma<BFloat16, false, false>(c, left, right, true);
  } else {
    wgmma<BFloat16, false, false>(c, left, right, true);
  }
  if (mistake == 4) asm volatile("mov.f32 %0, 0f3F800000;" : "=f"(c[0][0][0]));
  if (mistake != 3) wgmma_commit();
  if (mistake == 9 && t == 0) a.element[40][3] = 0;  // while it may be read
  wgmma_finish(c);
  if (t % 4 == 0) {
    const int row = t / 32 * 16 + t % 32 / 4;
    out[row] = c[0][0][0];
    out[row + 8] = c[1][0][0];
  }
}

// Three warpgroups begin with 168 registers a thread, and one gives to the others.
extern "C" __global__ void registers_kernel(int mistake, int* out) {
  if (threadIdx.x < 128) {
    if (mistake != 1) give_registers<40>();
    if (mistake == 2) take_registers<32>();
    if (mistake == 3) give_registers<48>();
  } else {
    take_registers<232>();
  }
  out[threadIdx.x] = 1;
}

// Each of two blocks copies a box for both, twice, and reads what both have copied.
extern "C" __global__ void __cluster_dims__(2, 1, 1)
    cluster_kernel(int mistake, const __grid_constant__ TensorMap map, uint16_t* out) {
  __shared__ Box boxes[2];
  __shared__ TransactionBarrier full, empty;
  __shared__ volatile uint16_t word;
  const int t = threadIdx.x;
  const uint32_t rank = cluster_rank();
  [[maybe_unused]] uint32_t x;
  if (t == 0) {
    full.initialize(1);
    empty.initialize(2);
    if (mistake != 12) fence_barriers();
    word = 1;
  }
  if (mistake != 1) {
    if (mistake == 14)
      cluster_arrive();
    else if (mistake != 7)
      cluster_arrive_relaxed();
    if (mistake == 8) cluster_arrive();
    cluster_wait();
    if (mistake == 13 || mistake == 14) x = word;  // no mistake after an arrival that releases
  } else {
    __syncthreads();
  }
  const uint32_t there = in_block(empty.address(), rank ^ 1);
  if (mistake == 16) asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(there));
  if (mistake == 17) asm volatile("ld.shared.u32 %0, [%1];" : "=r"(x) : "r"(there));
  if (mistake == 18) copy_box(there, map, 0, 0, full);
  for (int round = 0; round < 2; ++round) {
    if (t == 0) {
      if (mistake != 5) empty.wait(1 ^ round);
      full.arrive_expecting(sizeof boxes);
      const uint16_t blocks = mistake == 2 ? 1 << rank : mistake == 9 ? 7 : 3;
      copy_box_to_blocks(shared_address(&boxes[rank]), map, 64 * round, 64 * rank, full, blocks);
    }
    full.wait(round);
    for (int box = 0; box < 2; ++box)
      for (int column = 0; column < 64; ++column)
        out[((blockIdx.x * 2 + round) * 128 + box * 64 + t) * 64 + column] = at(boxes[box], t, column);
    __syncthreads();
    if (t > 0) continue;
    empty.arrive();
    if (mistake == 11)
      empty.arrive_in_block(rank ^ 1);
    else if (mistake != 4)
      release_to_block(empty, mistake == 3 ? 2 : rank ^ 1);
  }
  if (mistake == 6) return;          // the other block may still arrive
  if (mistake == 10 && rank == 0) {  // it has long arrived, but who knows
    for (int i = 0; i < 1 << 20; ++i) asm volatile("mov.u32 %0, %%laneid;" : "=r"(x));
    return;
  }
  if (mistake == 15)
    cluster_arrive_relaxed();
  else
    cluster_arrive();
  cluster_wait();
}
