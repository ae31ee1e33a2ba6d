// One value from one type to another, as cvt rounds, saturates and flushes.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "half.h"
#include "kernel.h"

namespace infcl::emulator::conversions {

struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

template <class T>
constexpr bool kIsHalf = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;
template <class T>
constexpr bool kIsFloat = std::is_floating_point_v<T> || kIsHalf<T>;

enum Mode : uint8_t { kNearest, kZero, kDown, kUp, kNoRounding };  // the first four as in Rounding

inline double widen(Float16 x) { return float16_to_float(x.bits); }
inline double widen(BFloat16 x) { return bfloat16_to_float(x.bits); }
inline double widen(float x) { return x; }
inline double widen(double x) { return x; }

inline double round_to_integer(double x, uint8_t mode) {
  switch (mode) {
    case kZero:
      return std::trunc(x);
    case kDown:
      return std::floor(x);
    case kUp:
      return std::ceil(x);
    default:
      return std::nearbyint(x);
  }
}

// Saturates; NaN is 0, or the sign bit where 64 bits are read or written.
template <class To, class From>
To float_to_integer(From from, uint8_t mode) {
  const double x = widen(from);
  if (x != x) return sizeof(To) == 8 || sizeof(From) == 8 ? To(To{1} << (8 * sizeof(To) - 1)) : To{0};
  const double rounded = round_to_integer(x, mode);
  const double limit = std::ldexp(1.0, static_cast<int>(8 * sizeof(To)) - (std::is_signed_v<To> ? 1 : 0));
  if (rounded >= limit) return std::numeric_limits<To>::max();
  if (rounded < (std::is_signed_v<To> ? -limit : 0.0)) return std::numeric_limits<To>::min();
  return static_cast<To>(rounded);
}

template <class To>
To narrow(double x, uint8_t mode) {
  if constexpr (std::is_same_v<To, Float16>) return {round_to_float16(x, static_cast<Rounding>(mode & 3))};
  if constexpr (std::is_same_v<To, BFloat16>) return {round_to_bfloat16(x, static_cast<Rounding>(mode & 3))};
  if constexpr (std::is_floating_point_v<To>) return static_cast<To>(x);  // in the mode that is set
}

template <class To, class From>
To saturate_integer(From x) {
  using Limits = std::numeric_limits<To>;
  if constexpr (std::is_signed_v<From>) {
    if (x < 0 && (!std::is_signed_v<To> || static_cast<int64_t>(x) < static_cast<int64_t>(Limits::min())))
      return Limits::min();
    if (x < 0) return static_cast<To>(x);
  }
  return static_cast<uint64_t>(x) > static_cast<uint64_t>(Limits::max()) ? Limits::max() : static_cast<To>(x);
}

template <class To, class From>
To convert_value(From x, const Instruction& in) {
  if constexpr (!kIsFloat<From> && !kIsFloat<To>) {
    return in.saturate ? saturate_integer<To>(x) : static_cast<To>(x);
  } else if constexpr (!kIsFloat<From>) {
    if constexpr (kIsHalf<To>)
      return narrow<To>(static_cast<double>(x), in.variant);
    else
      return static_cast<To>(x);
  } else if constexpr (!kIsFloat<To>) {
    return float_to_integer<To>(x, in.variant);
  } else {
    double v = widen(x);
    if (in.flush && std::fabs(v) < std::numeric_limits<float>::min()) v = std::copysign(0.0, v);
    if (in.combine) v = round_to_integer(v, in.variant);
    if (in.saturate) v = v > 0 ? (v < 1 ? v : 1.0) : 0.0;
    return narrow<To>(v, in.variant);
  }
}

}  // namespace infcl::emulator::conversions
