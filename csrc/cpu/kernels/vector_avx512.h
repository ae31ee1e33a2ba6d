// The vector type of AVX-512F: 16 lanes. The micro-tile is 14 x 32: 28 of the 32 registers accumulate.
// vector_scalar.h says what kernels expect of each member.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace infcl::cpu {
namespace {

struct Avx512 {
  using V = __m512;
  using Wide = __m512d;
  static constexpr const char* kName = "avx512";
  static constexpr int kPair = 1;
  static constexpr int kLanes = 16;
  // 28 accumulators, 2 loaded vectors, 1 broadcast element, 1 spare. 8 x 32 for d_rows: kRowStrip
  // must divide 32.
  static constexpr int kStrip = 14, kVectors = 2, kRowStrip = 8;
  static constexpr int kRowGranule = 32;  // whole panels and whole row strips
  // g is 448 x 448 x 4 bytes = 784 KiB of a 1 MiB L2; 448 is a multiple of 14 and of 32
  static constexpr int64_t kTile = 448;
  static constexpr int64_t kNearBytes = 512 << 10;  // of row panels, in L2 beside strips and results

  static V zero() { return _mm512_setzero_ps(); }
  static V set1(float a) { return _mm512_set1_ps(a); }
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static V add(V a, V b) { return _mm512_add_ps(a, b); }
  static V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static V max(V a, V b) { return _mm512_max_ps(a, b); }
  static V min(V a, V b) { return _mm512_min_ps(a, b); }
  static V mac(V a, V b, V c) { return fma(a, b, c); }
  static V mac_element(float a, V b, V c) { return mac(set1(a), b, c); }
  static V div(V a, V b) { return _mm512_div_ps(a, b); }
  static V abs(V a) { return _mm512_abs_ps(a); }
  static V select_negative(V a, V yes, V no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, zero(), _CMP_LT_OQ), no, yes);
  }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V fused_multiply_add(V a, V b, V c) { return fma(a, b, c); }
  static V round(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static V ceil(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  static V scale2(V a, V n) { return _mm512_scalef_ps(a, n); }  // 0 on underflow
  static V count_greater(V n, V a, V b) {
    return _mm512_mask_add_ps(n, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), n, set1(1.f));
  }
  static unsigned lanes_greater(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
  static Wide load_wide(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
  static Wide wide_mac(double a, Wide b, Wide c) { return c + a * b; }
  static float hsum(V v) { return _mm512_reduce_add_ps(v); }
};

}  // namespace
}  // namespace infcl::cpu
