// The fallback, called "scalar": whatever the compiler's baseline target has, through four-lane generic
// vectors and no intrinsics. Runs on any processor; speed is not its purpose.
#pragma once

#include <cstdint>
#include <cstring>

namespace infcl::cpu {
namespace {

struct Scalar {
  typedef float V __attribute__((vector_size(16)));
  typedef int32_t VI __attribute__((vector_size(16)));
  typedef double Wide __attribute__((vector_size(16)));  // half as many lanes
  static constexpr const char* kName = "scalar";
  static constexpr int kPair = 1;
  static constexpr int kLanes = 4;
  static constexpr int kStrip = 4, kVectors = 2, kRowStrip = 4;
  static constexpr int kRowGranule = 8;  // whole panels and whole row strips
  static constexpr int64_t kTile = 192;
  static constexpr int64_t kNearBytes = 256 << 10;

  static V zero() { return V{}; }
  static V set1(float x) { return V{x, x, x, x}; }
  static V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
  static V add(V a, V b) { return a + b; }
  static V sub(V a, V b) { return a - b; }
  static V mul(V a, V b) { return a * b; }
  static V max(V a, V b) { return a > b ? a : b; }
  static V min(V a, V b) { return a < b ? a : b; }
  // the product of packed elements; here plain floats
  static V mac(V a, V b, V c) { return fma(a, b, c); }
  static V div(V a, V b) { return a / b; }
  static V abs(V a) { return a < zero() ? -a : a; }
  static V select_negative(V x, V yes, V no) { return x < zero() ? yes : no; }
  static V fma(V a, V b, V c) { return a * b + c; }
  // With one rounding for certain, which the target's own `a * b + c` need not have: the product of two
  // floats is exact in float64.
  static V fused_multiply_add(V a, V b, V c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return fma(a, b, c);
#else
    typedef double Whole __attribute__((vector_size(32)));
    return __builtin_convertvector(__builtin_convertvector(a, Whole) * __builtin_convertvector(b, Whole) +
                                       __builtin_convertvector(c, Whole),
                                   V);
#endif
  }
  static V round(V a) {  // adding and taking away 2^23 of a's sign drops the fraction of anything below 2^23
    const V most = set1(8388608.f), magic = a < zero() ? -most : most;
    return abs(a) < most ? (a + magic) - magic : a;
  }
  static V ceil(V a) {
    const V n = round(a);
    return n < a ? n + set1(1.f) : n;
  }
  static V scale2(V a, V n) {
    n = min(max(n, set1(-127.f)), set1(127.f));
    const VI bits = (__builtin_convertvector(n, VI) + 127) << 23;
    V power;
    std::memcpy(&power, &bits, sizeof power);
    return a * power;
  }
  static Wide load_wide(const float* p) {
    typedef float Half __attribute__((vector_size(8)));
    Half v;
    std::memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, Wide);
  }
  static float hsum(V v) { return (v[0] + v[2]) + (v[1] + v[3]); }
};

}  // namespace
}  // namespace infcl::cpu
