// The vector type of AVX2 with FMA: 8 lanes. The micro-tile is 6 x 16: 12 of the 16 registers accumulate.
// vector_scalar.h says what kernels expect of each member.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace infcl::cpu {
namespace {

struct Avx2 {
  using V = __m256;
  using Wide = __m256d;
  static constexpr const char* kName = "avx2";
  static constexpr int kPair = 1;
  static constexpr int kLanes = 8;
  static constexpr int kStrip = 6, kVectors = 2, kRowStrip = 6;
  static constexpr int kRowGranule = 48;            // whole panels and whole row strips
  static constexpr int64_t kTile = 240;             // g is 225 KiB: fits a 512 KiB L2 beside its panels
  static constexpr int64_t kNearBytes = 512 << 10;  // of row panels, in an L2 of 1 MiB

  static V zero() { return _mm256_setzero_ps(); }
  static V set1(float a) { return _mm256_set1_ps(a); }
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static V add(V a, V b) { return _mm256_add_ps(a, b); }
  static V sub(V a, V b) { return _mm256_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  static V max(V a, V b) { return _mm256_max_ps(a, b); }
  static V min(V a, V b) { return _mm256_min_ps(a, b); }
  static V mac(V a, V b, V c) { return fma(a, b, c); }
  static V mac_element(float a, V b, V c) { return mac(set1(a), b, c); }
  static V div(V a, V b) { return _mm256_div_ps(a, b); }
  static V abs(V a) { return _mm256_andnot_ps(set1(-0.f), a); }
  static V select_negative(V a, V yes, V no) { return _mm256_blendv_ps(no, yes, a); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V fused_multiply_add(V a, V b, V c) { return fma(a, b, c); }
  static V round(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static V ceil(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  // Writes n into the exponent of a float. n <= -127 gives +0.
  static V scale2(V a, V n) {
    n = min(max(n, set1(-127.f)), set1(127.f));
    const __m256i bits =
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return mul(a, _mm256_castsi256_ps(bits));
  }
  static V count_greater(V n, V a, V b) {
    return add(n, _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ), set1(1.f)));
  }
  static unsigned lanes_greater(V a, V b) {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)));
  }
  static Wide load_wide(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
  static Wide wide_mac(double a, Wide b, Wide c) { return c + a * b; }
  static float hsum(V v) {
    __m128 m = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_add_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_add_ss(m, _mm_shuffle_ps(m, m, 1)));
  }
};

}  // namespace
}  // namespace infcl::cpu
