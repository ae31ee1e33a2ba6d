// The vector type of NEON, which every arm64 processor has: 4 lanes. The micro-tile is 6 x 16: 24 of the 32
// registers accumulate. Four pipes with a latency of four cycles need 16 sums that do not wait for each
// other.
// vector_scalar.h says what kernels expect of each member. Speed: not measured.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace infcl::cpu {
namespace {

struct Neon {
  using V = float32x4_t;
  using Wide = float64x2_t;
  static constexpr const char* kName = "neon";
  static constexpr int kPair = 1;
  static constexpr int kLanes = 4;
  // 24 accumulators, 4 loaded vectors, 1 broadcast element, 3 spare
  static constexpr int kStrip = 6, kVectors = 4, kRowStrip = 6;
  static constexpr int kRowGranule = 48;            // whole panels and whole row strips
  static constexpr int64_t kTile = 240;             // g is 225 KiB: fits a 512 KiB L2 beside its panels
  static constexpr int64_t kNearBytes = 256 << 10;  // of row panels, beside g in the same L2

  static V zero() { return vdupq_n_f32(0); }
  static V set1(float a) { return vdupq_n_f32(a); }
  static V load(const float* p) { return vld1q_f32(p); }
  static void store(float* p, V v) { vst1q_f32(p, v); }
  static V add(V a, V b) { return vaddq_f32(a, b); }
  static V sub(V a, V b) { return vsubq_f32(a, b); }
  static V mul(V a, V b) { return vmulq_f32(a, b); }
  static V max(V a, V b) { return vmaxnmq_f32(a, b); }  // the number, where the other one is NaN
  static V min(V a, V b) { return vminnmq_f32(a, b); }
  static V mac(V a, V b, V c) { return fma(a, b, c); }
  static V mac_element(float a, V b, V c) { return mac(set1(a), b, c); }
  static V div(V a, V b) { return vdivq_f32(a, b); }
  static V abs(V a) { return vabsq_f32(a); }
  static V select_negative(V a, V yes, V no) { return vbslq_f32(vcltzq_f32(a), yes, no); }
  static V fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
  static V fused_multiply_add(V a, V b, V c) { return fma(a, b, c); }
  static V round(V a) { return vrndnq_f32(a); }
  static V ceil(V a) { return vrndpq_f32(a); }
  // Writes n into the exponent of a float. n <= -127 gives +0.
  static V scale2(V a, V n) {
    n = min(max(n, set1(-127.f)), set1(127.f));
    const int32x4_t bits = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    return mul(a, vreinterpretq_f32_s32(bits));
  }
  static V count_greater(V n, V a, V b) {
    const uint32x4_t one = vreinterpretq_u32_f32(set1(1.f));
    return add(n, vreinterpretq_f32_u32(vandq_u32(vcgtq_f32(a, b), one)));
  }
  static unsigned lanes_greater(V a, V b) {
    const uint32x4_t bits = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vcgtq_f32(a, b), bits));
  }
  static Wide load_wide(const float* p) { return vcvt_f64_f32(vld1_f32(p)); }
  static Wide wide_mac(double a, Wide b, Wide c) { return vfmaq_n_f64(c, b, a); }
  static float hsum(V v) {
    const float32x2_t half = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(half, 0) + vget_lane_f32(half, 1);
  }
};

}  // namespace
}  // namespace infcl::cpu
