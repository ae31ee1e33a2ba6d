// Functions that nvcc compiles for the device and the host's compiler for the test that checks it.
#pragma once

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define BOTH __host__ __device__
#define BOTH_NOINLINE __host__ __device__ __noinline__
#else
#define BOTH inline
#define BOTH_NOINLINE inline
#endif

// Divergent loops, a call that nvcc may not inline, and an early return.
BOTH_NOINLINE uint32_t collatz_steps(uint32_t n, uint32_t limit) {
  uint32_t steps = 0;
  for (; n != 1; steps++) {
    if (steps == limit) return 0xffffffffu;
    n = n % 2 ? 3 * n + 1 : n / 2;
  }
  return steps;
}

// Becomes a branch table.
BOTH uint32_t dispatched(uint32_t which, uint32_t x) {
  switch (which) {
    case 0:
      return x * x + 1;
    case 1:
      return x / 3;
    case 2:
      return x % 7 + collatz_steps(x % 50 + 1, 1000);
    case 3:
      return ~x;
    case 4:
      return x << (x & 15);
    case 5:
      return x ^ (x >> 3);
    case 6:
      return x * 2654435761u;
    case 7:
      return x + (x > 100 ? 5 : 11);
    default:
      return 42;
  }
}

// An array that must live in local memory.
BOTH int64_t indexed(uint32_t x) {
  int64_t table[12];
  for (int i = 0; i < 12; i++) table[i] = static_cast<int64_t>(i) * i - x;
  table[x % 12] = -1;
  int64_t sum = 0;
  for (uint32_t i = 0; i <= x % 12; i++) sum += table[(i * 5 + x) % 12];
  return sum;
}

// Integer arithmetic of every width, as the compiler spells it.
BOTH uint64_t integers(uint32_t x, uint64_t y) {
  const int32_t a = static_cast<int32_t>(x), b = static_cast<int32_t>(y | 1);
  const int64_t c = static_cast<int64_t>(y), d = static_cast<int64_t>(x) - 5000;
  const int16_t e = static_cast<int16_t>(x);
  const uint8_t g = static_cast<uint8_t>(y);
  uint64_t h = static_cast<uint64_t>(a / b) + static_cast<uint64_t>(a % b) * 3;
  h ^= static_cast<uint64_t>(c / (d | 1)) + static_cast<uint64_t>(c % (d | 1));
  h += static_cast<uint64_t>(e >> 2) * g + (x >> (y & 31)) + (y >> (x & 63)) +
       static_cast<uint64_t>(c >> (x & 63));
  h ^= static_cast<uint64_t>(a < b ? a : b) << 7;
  h += y / 1000003u + y % 1000003u + x / 10 + static_cast<uint64_t>(a / 10);
  return h * 0x9e3779b97f4a7c15u + (static_cast<uint64_t>(x) * static_cast<uint32_t>(y) >> 16);
}

// Operations that IEEE rounds correctly: the same bits are expected.
BOTH float exact_floats(float x, float y) {
  float z = x * y;
  z = z + x;
  z = z / (y * y + 1.0f);
  z = sqrtf(fabsf(z)) - fminf(x, y) + fmaxf(x, z);
  z = fmaf(z, x, y);
  z = floorf(z * 8.0f) + rintf(x * 3.0f) - truncf(y) + ceilf(x);
  z = copysignf(z, x) + static_cast<float>(static_cast<int32_t>(y * 100.0f)) + static_cast<float>(x > y);
  return std::isfinite(z) ? z : -1.0f;
}

BOTH double exact_doubles(double x, float y) {
  double z = x * y;
  z = z / (y + 3.25) + sqrt(fabs(x));
  z = fma(z, x, static_cast<double>(y));
  return z + static_cast<double>(static_cast<int64_t>(x * 1e6)) + floor(z) - fmin(x, z);
}

// Library functions: close, not equal.
BOTH float library_floats(float x) {
  return expf(x) + logf(fabsf(x) + 1.0f) + sinf(x) * cosf(x) + tanhf(x) + exp2f(x) + log1pf(fabsf(x)) +
         powf(fabsf(x) + 0.5f, 1.5f);
}

BOTH double library_doubles(double x) {
  return exp(x) + log(fabs(x) + 1.0) + exp2(x) + log1p(fabs(x)) + sin(x);
}
