// The vector type of AVX-512 with products of bfloat16 pairs (VDPBF16PS). Accumulators, exponentials and sums
// stay float32. vector_scalar.h says what kernels expect of each member.
#pragma once

#include "cpu/kernels/vector_avx512.h"

namespace infcl::cpu {
namespace {

struct Avx512Bf16 : Avx512 {
  static constexpr const char* kName = "avx512bf16";
  static constexpr int kPair = 2;
  static V mac(V a, V b, V c) {
    return _mm512_dpbf16_ps(c, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  static V mac_element(float a, V b, V c) { return mac(set1(a), b, c); }

  // A bfloat16 value is the upper half of a float: the first value of a pair is shifted up.
  template <int kPart>
  static Wide load_part(const float* p) {
    const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i bits = kPart == 0
                             ? _mm256_slli_epi32(pairs, 16)
                             : _mm256_and_si256(pairs, _mm256_set1_epi32(static_cast<int>(0xffff0000)));
    return _mm512_cvtps_pd(_mm256_castsi256_ps(bits));
  }

  static V pairs_along(const float* p) {
    return reinterpret_cast<V>(_mm512_cvtne2ps_pbh(load(p + kLanes), load(p)));
  }
  static V pairs_across(V a, V b) {
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                                23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return reinterpret_cast<V>(
        _mm512_permutexvar_epi16(interleave, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a))));
  }
};

}  // namespace
}  // namespace infcl::cpu
