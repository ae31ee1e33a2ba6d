// Fused multiply-adds in registers: the unit in which the other programs measure.
#pragma once

#include <immintrin.h>

// The latency is 4 cycles, and a cycle starts two: at least 8 chains are needed. 24 chains use most of the 32
// registers of AVX-512.
constexpr int kChains512 = 24;

// Appends `steps` multiply-adds to every chain.
__attribute__((target("avx512f"), always_inline)) inline void multiply_add(__m512 (&sum)[kChains512],
                                                                           long steps) {
  __m512 x = _mm512_set1_ps(1e-3f), y = x;
  for (long step = 0; step < steps; ++step) {
    asm volatile("" : "+v"(x), "+v"(y));  // keeps the products inside the loop
#pragma GCC unroll 24
    for (int c = 0; c < kChains512; ++c) sum[c] = _mm512_fmadd_ps(x, y, sum[c]);
  }
}
