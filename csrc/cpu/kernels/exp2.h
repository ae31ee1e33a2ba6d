// 2^(dot * scale - shift) in one step: the only exponential of these kernels, always float32.
#pragma once

#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

// Holds the scale in registers while a kernel sweeps a tile.
template <class Isa>
struct Exp2 {
  using V = typename Isa::V;
  V high, low;

  explicit Exp2(Log2Scale s) : high(Isa::set1(s.high)), low(Isa::set1(s.low)) {}

  // `shift` holds integers. n must be the same integer as in Base2Logit, since sums subtract one logit from
  // another. Fused steps form the fraction f, so that f is rounded once and not three times. f is clamped,
  // because beyond 2^24 the rounding error of the product exceeds 1/2. The polynomial has degree 5: relative
  // error 8e-8 on [-1/2, 1/2].
  INFCL_INLINE V operator()(V dot, V shift) const {
    const V n = Isa::round(Isa::mul(dot, high));
    V f = Isa::fused_multiply_add(dot, low, Isa::fused_multiply_add(dot, high, Isa::sub(Isa::zero(), n)));
    f = Isa::max(Isa::min(f, Isa::set1(0.5000001f)), Isa::set1(-0.5000001f));
    V p = Isa::fma(Isa::set1(0.001327647206f), f, Isa::set1(0.009675541397f));
    p = Isa::fma(p, f, Isa::set1(0.05550713274f));
    p = Isa::fma(p, f, Isa::set1(0.2402211972f));
    p = Isa::fma(p, f, Isa::set1(0.6931469671f));
    p = Isa::fma(p, f, Isa::set1(1.000000072f));
    return Isa::scale2(p, Isa::sub(n, shift));
  }
};

}  // namespace
}  // namespace infcl::cpu
