// The vector type of NEON with products of bfloat16 pairs (BFDOT). Accumulators, exponentials and sums stay
// float32. vector_scalar.h says what kernels expect of each member. Speed: not measured.
#pragma once

#include "cpu/kernels/vector_neon.h"

namespace infcl::cpu {
namespace {

struct NeonBf16 : Neon {
  static constexpr const char* kName = "neonbf16";
  static constexpr int kPair = 2;
  // BFDOT rounds sums to odd and turns subnormals into 0. Newer processors also have a mode that rounds to
  // nearest, and the operating system chooses. All lanes round alike.
  static V mac(V a, V b, V c) { return vbfdotq_f32(c, vreinterpretq_bf16_f32(a), vreinterpretq_bf16_f32(b)); }
  // By element, so that a pair takes a load and no copy into all lanes.
  static V mac_element(float a, V b, V c) {
    const float32x2_t pair = {a, 0};
    return vbfdotq_lane_f32(c, vreinterpretq_bf16_f32(b), vreinterpret_bf16_f32(pair), 0);
  }

  // A bfloat16 value is the upper half of a float: the first value of a pair is shifted up.
  template <int kPart>
  static Wide load_part(const float* p) {
    const uint32x2_t pairs = vreinterpret_u32_f32(vld1_f32(p));
    const uint32x2_t bits = kPart == 0 ? vshl_n_u32(pairs, 16) : vand_u32(pairs, vdup_n_u32(0xffff0000));
    return vcvt_f64_f32(vreinterpret_f32_u32(bits));
  }

  static V pairs_along(const float* p) {
    return vreinterpretq_f32_bf16(vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(load(p)), load(p + kLanes)));
  }
  static V pairs_across(V a, V b) {
    const uint16x4_t first = vreinterpret_u16_bf16(vcvt_bf16_f32(a));
    const uint16x4_t second = vreinterpret_u16_bf16(vcvt_bf16_f32(b));
    return vreinterpretq_f32_u16(vcombine_u16(vzip1_u16(first, second), vzip2_u16(first, second)));
  }
};

}  // namespace
}  // namespace infcl::cpu
