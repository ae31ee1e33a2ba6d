// Logits in base 2, of any size that float32 holds. A kernel splits a logit into a whole number and a rest,
// and both are functions of the dot alone. Whatever is subtracted from a logit must split the same way:
// beyond 2^24 two ways of rounding one number lie whole powers of two apart.
#pragma once

#include <cmath>

namespace infcl {

constexpr double kLn2 = 0.69314718055994530942;
constexpr double kLog2E = 1.44269504088896340736;

// 2^(dot * (high + low)) = exp(scale * dot). Two floats, so that the scale itself is not rounded. `low` is
// not negative: a product with `high` and one with `low` overflow to the same side.
struct Log2Scale {
  float high, low;
};

inline Log2Scale log2_scale(double logit_scale) {
  const double exact = logit_scale * kLog2E;
  float high = static_cast<float>(exact);
  if (high > exact) high = std::nextafter(high, 0.f);
  return {high, static_cast<float>(exact - high)};
}

// x = whole + rest, |rest| <= 1/2, with `whole` a float32 number.
struct Base2Logit {
  double whole = 0, rest = 0;

  Base2Logit() = default;
  // As kernels split: the product rounded to float32, then to an integer; the rest is clamped, because beyond
  // 2^24 the product's own rounding error exceeds 1/2.
  Base2Logit(float dot, Log2Scale scale) {
    const float product = dot * scale.high;
    whole = std::nearbyint(product);
    const double exact = static_cast<double>(dot) * (static_cast<double>(scale.high) + scale.low);
    rest = std::fmin(std::fmax(exact - whole, -0.5), 0.5);
  }

  double value() const { return whole + rest; }
};

}  // namespace infcl
