// C = A B^T for row-major 16-bit A [m][k] and B [n][k]: cp.async into swizzled shared memory, ldmatrix,
// mma.sync, as the library's own kernels do it. One block of 8 warps a 128x128 tile, k in steps of 32.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

namespace {

constexpr int kTile = 128, kStep = 32, kStages = 3, kChunks = kStep / 8;

__device__ uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

__device__ int swizzled(int row, int chunk) { return (row * kChunks + (chunk ^ (row >> 1 & 3))) * 8; }

__device__ void load_tile(uint16_t* to, const uint16_t* from, int row0, int rows, int k0, int dim) {
  for (int i = threadIdx.x; i < kTile * kChunks; i += blockDim.x) {
    const int r = i / kChunks, c = i % kChunks;
    const bool inside = row0 + r < rows && k0 + c * 8 < dim;
    const uint16_t* source = inside ? from + static_cast<size_t>(row0 + r) * dim + k0 + c * 8 : from;
    const int bytes = inside ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to + swizzled(r, c))),
                 "l"(source), "r"(bytes)
                 : "memory");
  }
}

__device__ void ldmatrix(uint32_t (&r)[4], const uint16_t* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

template <bool kBFloat>
__device__ void mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (kBFloat)
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

struct Stage {
  uint16_t a[kTile * kStep], b[kTile * kStep];
};

template <bool kBFloat>
__device__ void gemm(const uint16_t* a, const uint16_t* b, float* c, int m, int n, int dim) {
  extern __shared__ __align__(128) unsigned char storage[];
  Stage* stages = reinterpret_cast<Stage*>(storage);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int row0 = blockIdx.x * kTile, column0 = blockIdx.y * kTile;
  const int warp_row = warp / 2 * 32, warp_column = warp % 2 * 64;
  const int steps = (dim + kStep - 1) / kStep;
  auto fetch = [&](int step) {
    if (step < steps) {
      load_tile(stages[step % kStages].a, a, row0, m, step * kStep, dim);
      load_tile(stages[step % kStages].b, b, column0, n, step * kStep, dim);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
  };
  float acc[2][8][4] = {};
  fetch(0);
  fetch(1);
  for (int step = 0; step < steps; step++) {
    asm volatile("cp.async.wait_group 1;" ::: "memory");
    __syncthreads();
    fetch(step + 2);
    const Stage& s = stages[step % kStages];
#pragma unroll
    for (int k = 0; k < kStep / 16; k++) {
      uint32_t fa[2][4], fb[4][4];
#pragma unroll
      for (int i = 0; i < 2; i++)
        ldmatrix(fa[i], s.a + swizzled(warp_row + i * 16 + lane % 16, k * 2 + lane / 16));
#pragma unroll
      for (int j = 0; j < 4; j++)
        ldmatrix(fb[j],
                 s.b + swizzled(warp_column + j * 16 + lane % 8 + lane / 16 * 8, k * 2 + lane / 8 % 2));
#pragma unroll
      for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < 8; j++)
          mma<kBFloat>(acc[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
    }
  }
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 8; j++)
      for (int e = 0; e < 4; e++) {
        const int row = row0 + warp_row + i * 16 + lane / 4 + e / 2 * 8;
        const int column = column0 + warp_column + j * 8 + lane % 4 * 2 + e % 2;
        if (row < m && column < n) c[static_cast<size_t>(row) * n + column] = acc[i][j][e];
      }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256, 1)
    gemm_bfloat16_kernel(const uint16_t* a, const uint16_t* b, float* c, int m, int n, int dim) {
  gemm<true>(a, b, c, m, n, dim);
}

extern "C" __global__ void __launch_bounds__(256, 1)
    gemm_float16_kernel(const uint16_t* a, const uint16_t* b, float* c, int m, int n, int dim) {
  gemm<false>(a, b, c, m, n, dim);
}
