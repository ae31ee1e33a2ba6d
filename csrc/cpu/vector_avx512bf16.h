// AVX-512 with products of bfloat16 pairs (VDPBF16PS) into float32 accumulators; exponentials and sums stay
// float32.
#pragma once

#include "cpu/vector_avx512.h"

namespace infcl {
namespace {

struct Avx512Bf16 : Avx512 {
  static constexpr const char* kName = "avx512bf16";
  static constexpr int kPair = 2;
  static V mac(V a, V b, V c) {
    return _mm512_dpbf16_ps(c, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
};

}  // namespace
}  // namespace infcl
