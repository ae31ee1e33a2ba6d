// 16-bit floats on the host, rounded to nearest even: the slow, obvious way, by value.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace half {

inline float from_bfloat16(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

inline uint16_t to_bfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (std::isnan(value)) return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline float from_float16(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 31) return static_cast<float>(fraction ? NAN : sign * HUGE_VAL);
  const double value = exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
  return static_cast<float>(sign * value);
}

inline uint16_t to_float16(float value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return 0x7fff;
  const double magnitude = std::fabs(static_cast<double>(value));
  if (magnitude == 0) return sign;
  int exponent;
  std::frexp(magnitude, &exponent);            // magnitude < 2^exponent
  exponent = exponent < -13 ? -13 : exponent;  // subnormals share a unit
  const double units = std::nearbyint(std::ldexp(magnitude, 11 - exponent));
  if (magnitude >= 65520) return sign | 0x7c00;
  // carries of the fraction run into the exponent as they should
  const int bits = (exponent + 13) * 1024 + static_cast<int>(units);
  return sign | static_cast<uint16_t>(bits);
}

}  // namespace half
