// The two functions of a base-2 logit x that a sigmoid loss needs, and the kernel that folds it. Both
// functions are formed of e = 2^-|x|, which lies in (0, 1], so they cannot overflow.
#pragma once

#include "cpu/kernels/exp2.h"
#include "cpu/kernels/fold.h"
#include "cpu/kernels/micro_kernel.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

template <class Isa>
struct Sigmoid {
  using V = typename Isa::V;
  V high, low, bias;
  Exp2<Isa> exp2{Log2Scale{1, 0}};

  Sigmoid(Log2Scale s, float b) : high(Isa::set1(s.high)), low(Isa::set1(s.low)), bias(Isa::set1(b)) {}

  INFCL_INLINE V logit(V dot) const { return Isa::fma(dot, high, Isa::fma(dot, low, bias)); }
  INFCL_INLINE V tail(V x) const { return exp2(Isa::sub(Isa::zero(), Isa::abs(x)), Isa::zero()); }

  // 1 / (1 + 2^-x). With e: sigma(|x|) = 1 / (1 + e), sigma(-|x|) = e / (1 + e).
  INFCL_INLINE V sigma(V dot) const {
    const V x = logit(dot), e = tail(x);
    const V numerator = Isa::select_negative(x, e, Isa::set1(1.f));
    return Isa::div(numerator, Isa::add(Isa::set1(1.f), e));
  }

  // ln(1 + 2^x) = max(x, 0) ln 2 + ln(1 + e). The logarithm is 2 atanh(t) with t = e / (2 + e) <= 1/3, a
  // series in t with relative error 3e-8.
  INFCL_INLINE V softplus(V dot) const {
    const V x = logit(dot), e = tail(x);
    const V t = Isa::div(e, Isa::add(e, Isa::set1(2.f)));
    const V u = Isa::mul(t, t);
    V p = Isa::fma(Isa::set1(2.f / 13), u, Isa::set1(2.f / 11));
    p = Isa::fma(p, u, Isa::set1(2.f / 9));
    p = Isa::fma(p, u, Isa::set1(2.f / 7));
    p = Isa::fma(p, u, Isa::set1(2.f / 5));
    p = Isa::fma(p, u, Isa::set1(2.f / 3));
    p = Isa::fma(p, u, Isa::set1(2.f));
    return Isa::fma(Isa::max(x, Isa::zero()), Isa::set1(0.69314718f), Isa::mul(p, t));
  }
};

template <class Isa>
void fold_sigmoid(const TileOperands& tile, const float* scores, int64_t stride, Log2Scale scale, float bias,
                  float* row_sum) {
  using V = typename Isa::V;
  const Sigmoid<Isa> sigmoid(scale, bias);
  alignas(64) float lanes[Isa::kLanes];
  for (int64_t i = 0; i < tile.rows; i += Isa::kLanes) {
    V sum = Isa::zero();
    for (int64_t j0 = 0; j0 < tile.columns; j0 += kShortSum) {
      V part = Isa::zero();
      for (int64_t j = j0; j < tile.columns && j < j0 + kShortSum; ++j)
        part = Isa::add(part, sigmoid.softplus(Isa::load(scores + j * stride + i)));
      sum = Isa::add(sum, part);
    }
    Isa::store(lanes, sum);
    for (int64_t l = 0; l < Isa::kLanes && i + l < tile.rows; ++l) row_sum[i + l] = lanes[l];
  }
}

}  // namespace
}  // namespace infcl::cpu
