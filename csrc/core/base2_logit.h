// Base-2 logits of any size that float32 holds. A kernel splits a logit into a whole number and a rest, which
// depend on the dot alone. A number that is subtracted from a logit must be split in the same way. Beyond
// 2^24, two ways of rounding one number can differ by several whole numbers.
#pragma once

#include <cmath>

namespace infcl {

constexpr double kLn2 = 0.69314718055994530942;
constexpr double kLog2E = 1.44269504088896340736;

// 2^(dot * (high + low)) = exp(scale * dot). Two floats hold the scale without rounding it to one. `low` is
// not negative, so that the products with `high` and with `low` overflow to the same side.
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
  // Splits as kernels do: the product is rounded to float32, then to an integer. The rest is clamped, because
  // beyond 2^24 the rounding error of the product exceeds 1/2.
  Base2Logit(float dot, Log2Scale scale) {
    const float product = dot * scale.high;
    whole = std::nearbyint(product);
    const double exact = static_cast<double>(dot) * (static_cast<double>(scale.high) + scale.low);
    rest = std::fmin(std::fmax(exact - whole, -0.5), 0.5);
  }

  double value() const { return whole + rest; }
};

}  // namespace infcl
