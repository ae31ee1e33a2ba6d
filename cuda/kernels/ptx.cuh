// One function for each instruction that CUDA C++ cannot express. Only this file and ptx_sm90.cuh contain
// inline assembly.
#pragma once

#include <cstdint>

#define INFCL_DEVICE __device__ __forceinline__

namespace infcl::cuda {

INFCL_DEVICE uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

// Copies 16 bytes to shared memory in the background. Writes zeros if not `inside`.
INFCL_DEVICE void cp_async_16(uint32_t shared, const void* global, bool inside) {
  const int bytes = inside ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared), "l"(global), "r"(bytes)
               : "memory");
}

INFCL_DEVICE void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most `kPending` of the latest groups are under way.
template <int kPending>
INFCL_DEVICE void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// Loads four 8 x 8 matrices of 16-bit elements. Lane l gives the address of row l % 8 of matrix l / 8.
template <bool kTransposed>
INFCL_DEVICE void ldmatrix_x4(uint32_t (&out)[4], uint32_t shared) {
  if constexpr (kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(shared));
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(shared));
  }
}

// 2^x with a relative error of 2^-22. Subnormal results are zero.
INFCL_DEVICE float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// 16-bit floats in pairs: pack() rounds two float32 (the first into the low half), low() and high()
// read them.
struct BFloat16 {
  INFCL_DEVICE static uint32_t pack(float low, float high) {
    uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
  }
  INFCL_DEVICE static float low(uint32_t pair) { return __uint_as_float(pair << 16); }
  INFCL_DEVICE static float high(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }
  // c += a b on fragments of 16 x 16 and 16 x 8.
  INFCL_DEVICE static void mma(float (&c0)[2], float (&c1)[2], const uint32_t (&a)[4], uint32_t b0,
                               uint32_t b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c0[0]), "+f"(c0[1]), "+f"(c1[0]), "+f"(c1[1])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
};

struct Float16 {
  INFCL_DEVICE static uint32_t pack(float low, float high) {
    uint32_t pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
  }
  INFCL_DEVICE static float low(uint32_t pair) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(static_cast<uint16_t>(pair)));
    return value;
  }
  INFCL_DEVICE static float high(uint32_t pair) { return low(pair >> 16); }
  INFCL_DEVICE static void mma(float (&c0)[2], float (&c1)[2], const uint32_t (&a)[4], uint32_t b0,
                               uint32_t b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c0[0]), "+f"(c0[1]), "+f"(c1[0]), "+f"(c1[1])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
};

}  // namespace infcl::cuda
