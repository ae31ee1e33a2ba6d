// What floating-point instructions compute, a lane at a time: one struct each, and what modifies them.
//
// Approximations are computed more exactly than the hardware does: compare with tolerances.
#pragma once

#include <cmath>
#include <initializer_list>
#include <limits>

#include "half.h"

namespace infcl::emulator::floats {

template <class T>
constexpr T kSmallestNormal = std::numeric_limits<T>::min();

template <class T>
inline T flush(T x) {
  return std::fabs(x) < kSmallestNormal<T> ? std::copysign(T{0}, x) : x;
}

struct Add {
  template <class T>
  static T apply(T a, T b) {
    return a + b;
  }
};
struct Subtract {
  template <class T>
  static T apply(T a, T b) {
    return a - b;
  }
};
struct Multiply {
  template <class T>
  static T apply(T a, T b) {
    return a * b;
  }
};
struct Divide {
  template <class T>
  static T apply(T a, T b) {
    return a / b;
  }
};
struct FusedMultiplyAdd {
  template <class T>
  static T apply(T a, T b, T c) {
    return std::fma(a, b, c);
  }
};
// The smaller one; a number rather than a NaN; -0 is less than +0.
struct Minimum {
  template <class T>
  static T apply(T a, T b) {
    if (a == b) return std::signbit(a) ? a : b;
    return a < b || b != b ? a : b;
  }
};
struct Maximum {
  template <class T>
  static T apply(T a, T b) {
    if (a == b) return std::signbit(a) ? b : a;
    return a > b || b != b ? a : b;
  }
};
template <class Op>
struct PropagateNan {
  template <class T>
  static T apply(T a, T b) {
    return a != a || b != b ? std::numeric_limits<T>::quiet_NaN() : Op::apply(a, b);
  }
};
struct Negate {
  template <class T>
  static T apply(T a) {
    return -a;
  }
};
struct Absolute {
  template <class T>
  static T apply(T a) {
    return std::fabs(a);
  }
};
struct Reciprocal {
  template <class T>
  static T apply(T a) {
    return 1 / a;
  }
};
// rcp.approx.ftz.f64 reads and gives the upper half of a double.
struct ReciprocalOfUpperHalf {
  static double apply(double a) {
    auto upper = [](double x) { return bit_cast<double>(bit_cast<uint64_t>(x) & 0xffffffff00000000u); };
    return upper(1 / upper(a));
  }
};
struct SquareRoot {
  template <class T>
  static T apply(T a) {
    return std::sqrt(a);
  }
};
struct ReciprocalSquareRoot {
  template <class T>
  static T apply(T a) {
    return 1 / std::sqrt(a);
  }
};
// 2^x = 2^n 2^f, n the nearest integer: Taylor's series of 2^f in double is exact to float; no branches, so
// that a warp is a vector loop.
struct Exp2 {
  static float apply(float x) {
    constexpr double kShift = 0x1.8p52;  // adding it rounds to an integer in the low bits
    double v = x;
    v = v < -160.0 ? -160.0 : v;
    v = v > 140.0 ? 140.0 : v;
    const double shifted = v + kShift;
    const double f = (v - (shifted - kShift)) * 0.693147180559945309417;
    double p = 1.0 / 362880;
    for (double inverse :
         {1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1.0, 1.0})
      p = p * f + inverse;
    const uint64_t n = bit_cast<uint64_t>(shifted) - bit_cast<uint64_t>(kShift);
    return static_cast<float>(p * bit_cast<double>((n + 1023) << 52));
  }
};
struct Log2 {
  static float apply(float x) { return std::log2(x); }
};
struct Sine {
  static float apply(float x) { return std::sin(x); }
};
struct Cosine {
  static float apply(float x) { return std::cos(x); }
};
struct HyperbolicTangent {
  static float apply(float x) { return std::tanh(x); }
};
struct CopySign {  // of a, onto b
  template <class T>
  static T apply(T a, T b) {
    return std::copysign(b, a);
  }
};

// Flushes subnormals on the way in and out.
template <class Op>
struct Flushed {
  template <class... T>
  static auto apply(T... x) {
    return flush(Op::apply(flush(x)...));
  }
};
// To [0, 1], NaN to 0.
template <class Op>
struct Saturated {
  template <class... T>
  static auto apply(T... x) {
    auto y = Op::apply(x...);
    using R = decltype(y);
    y = y > 0 ? y : R{0};
    return y < 1 ? y : R{1};
  }
};

// 16-bit types compute in double, where sums and products of two are exact, and round once.
struct AsFloat16 {
  static double widen(uint16_t bits) { return float16_to_float(bits); }
  static uint16_t narrow(double value) { return round_to_float16(value, Rounding::kNearest); }
};
struct AsBFloat16 {
  static double widen(uint16_t bits) { return bfloat16_to_float(bits); }
  static uint16_t narrow(double value) { return round_to_bfloat16(value, Rounding::kNearest); }
};
template <class Format, class Op>
struct Half {
  template <class... T>
  static uint16_t apply(T... x) {
    return Format::narrow(Op::apply(Format::widen(x)...));
  }
};
template <class Format, class Op>
struct HalfPair {
  template <class... T>
  static uint32_t apply(T... x) {
    uint32_t low = Half<Format, Op>::apply(static_cast<uint16_t>(x)...);
    uint32_t high = Half<Format, Op>::apply(static_cast<uint16_t>(x >> 16)...);
    return high << 16 | low;
  }
};

}  // namespace infcl::emulator::floats
