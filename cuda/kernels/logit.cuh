// Base-2 logits and their functions: exponential, softplus and sigma. None of them overflows.
//
// There are two exponentials. The quick exponential rounds once. Its shift comes from a rounded product and
// may be off by half a unit in the last place of the logit. Beyond 2^24 this error is whole powers of two.
// The split exponential rounds as Base2Logit in core/base2_logit.h does, for logits of any size. Tiles with
// large shifts use the split exponential.
#pragma once

#include "mask.cuh"

namespace infcl::cuda {

// Up to this shift, a product's rounding error is at most 1/16.
constexpr float kLargestQuickShift = 0x1p20f;

// x = dot * (high + low). Two floats hold the scale without rounding.
struct Logit {
  float high, low;

  INFCL_DEVICE explicit Logit(const ScoresArgs& a) : high(a.scale_high), low(a.scale_low) {}

  // 2^(x - shift) for |shift| up to kLargestQuickShift. The subtraction comes before any rounding, because x
  // and shift may be large and near each other. `limit`: no pair that counts has a larger x - shift.
  INFCL_DEVICE float quick_exp2(float dot, float shift, float limit) const {
    return exp2_approx(fminf(fmaf(dot, low, fmaf(dot, high, -shift)), limit));
  }
  // The least integer that is not below x. A maximum over no dots gives 0, which has no meaning.
  INFCL_DEVICE float ceiling(float dot) const { return is_masked(dot) ? 0 : ceilf(dot * high); }
};

// A logit of any size as a whole number and a rest. The rest is clamped to [-1/2, 1/2], because beyond 2^24
// the product's own rounding error is larger. Large whole numbers that are near each other subtract exactly.
struct SplitLogit {
  float whole, rest;

  INFCL_DEVICE SplitLogit(const Logit& logit, float dot)
      : whole(rintf(dot * logit.high)),
        rest(__saturatef(fmaf(dot, logit.low, fmaf(dot, logit.high, -whole)) + 0.5f) - 0.5f) {}

  // 2^(x - shift) for any integer shift. The logit of a pair that counts exceeds the shift by at most 1.
  INFCL_DEVICE float exp2(float shift) const { return exp2_approx(fminf(whole - shift, 1) + rest); }
};

// sigma(x) and softplus(x) of a base-2 logit. Both use e = 2^-|x|, which lies in (0, 1].
struct SigmoidLogit {
  float high, low, bias;

  INFCL_DEVICE explicit SigmoidLogit(const ScoresArgs& a)
      : high(a.scale_high), low(a.scale_low), bias(a.bias) {}

  INFCL_DEVICE float logit(float dot) const { return fmaf(dot, high, fmaf(dot, low, bias)); }

  // sigma(|x|) = 1 / (1 + e), sigma(-|x|) = e / (1 + e)
  INFCL_DEVICE float sigma(float dot) const {
    const float x = logit(dot), e = exp2_approx(-fabsf(x));
    return __fdividef(x < 0 ? e : 1, 1 + e);
  }
  // max(x, 0) * ln 2 + ln(1 + e). The logarithm is 2 atanh(t) with t = e / (2 + e) <= 1/3, as a series with a
  // relative error of 3e-8.
  INFCL_DEVICE float softplus(float dot) const {
    const float x = logit(dot), e = exp2_approx(-fabsf(x));
    const float t = __fdividef(e, 2 + e), u = t * t;
    float p = fmaf(2.f / 13, u, 2.f / 11);
    p = fmaf(p, u, 2.f / 9);
    p = fmaf(p, u, 2.f / 7);
    p = fmaf(p, u, 2.f / 5);
    p = fmaf(p, u, 2.f / 3);
    p = fmaf(p, u, 2.f);
    return fmaf(fmaxf(x, 0), 0.69314718f, p * t);
  }
};

}  // namespace infcl::cuda
