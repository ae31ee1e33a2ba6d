// Base-2 logits and the functions of them, none of which overflows.
//
// There are two exponentials. The quick one rounds once, but a shift that was made of a rounded product may
// be off by half a unit in the last place of the logit: beyond 2^24 that is whole powers of two. The split
// one rounds as Base2Logit of the core does, whatever the size, and serves tiles with large shifts.
#pragma once

#include "mask.cuh"

namespace infcl::cuda {

// Up to this shift a product's rounding error is no more than 1/16.
constexpr float kLargestQuickShift = 0x1p20f;

// x = dot * (high + low). Two floats, so that the scale itself is not rounded.
struct Logit {
  float high, low;

  INFCL_DEVICE explicit Logit(const ScoresArgs& a) : high(a.scale_high), low(a.scale_low) {}

  // 2^(x - shift), with the large parts of x and shift taken from each other before anything is rounded, for
  // |shift| up to kLargestQuickShift. `limit` is what the difference cannot exceed where it counts.
  INFCL_DEVICE float quick_exp2(float dot, float shift, float limit) const {
    return exp2_approx(fminf(fmaf(dot, low, fmaf(dot, high, -shift)), limit));
  }
  // The least integer that is no less than x; of no use for a maximum over nothing.
  INFCL_DEVICE float ceiling(float dot) const { return is_masked(dot) ? 0 : ceilf(dot * high); }
};

// A logit of any size as a whole number and a rest, which is clamped to [-1/2, 1/2]: beyond 2^24 the
// product's own rounding error exceeds that. Large whole numbers that are near each other subtract exactly.
struct SplitLogit {
  float whole, rest;

  INFCL_DEVICE SplitLogit(const Logit& logit, float dot)
      : whole(rintf(dot * logit.high)),
        rest(__saturatef(fmaf(dot, logit.low, fmaf(dot, logit.high, -whole)) + 0.5f) - 0.5f) {}

  // 2^(x - shift) for any integer shift. Where it counts no logit is further above a shift than 1.
  INFCL_DEVICE float exp2(float shift) const { return exp2_approx(fminf(whole - shift, 1) + rest); }
};

// sigma(x) and softplus(x) through e = 2^-|x| in (0, 1]
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
  // max(x, 0) + ln(1 + e), the logarithm as 2 atanh(e / (2 + e)): a series in t <= 1/3, relative error 3e-8
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
