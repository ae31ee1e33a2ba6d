// float16 and bfloat16 as bits, and rounding to them. NaN is the hardware's canonical 0x7fff.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace infcl::emulator {

enum class Rounding : uint8_t { kNearest, kZero, kDown, kUp };

template <class To, class From>
inline To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

inline float bfloat16_to_float(uint16_t bits) { return bit_cast<float>(uint32_t{bits} << 16); }

inline float float16_to_float(uint16_t bits) {
  const uint32_t magnitude = (uint32_t{bits} & 0x7fff) << 13;
  const uint32_t scaled =
      bit_cast<uint32_t>(bit_cast<float>(magnitude) * 0x1p112f);  // subnormals come out normal
  const uint32_t special = magnitude | 0x7f800000;                // infinity, NaN
  const uint32_t sign = (uint32_t{bits} & 0x8000) << 16;
  return bit_cast<float>(sign | (magnitude >= 0x0f800000 ? special : scaled));
}

// To nearest even; branch-free, so that a warp's loop is a vector loop.
inline uint16_t float_to_bfloat16(float value) {
  const uint32_t bits = bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fff : rounded);
}

// To nearest even: adding a power of two that leaves 10 bits of mantissa makes the addition round.
inline uint16_t float_to_float16(float value) {
  const uint32_t bits = bit_cast<uint32_t>(value);
  const uint32_t twice = bits + bits;
  float base = (bit_cast<float>(bits & 0x7fffffff) * 0x1p112f) * 0x1p-110f;  // overflow becomes infinity
  uint32_t bias = twice & 0xff000000;
  bias = bias < 0x71000000 ? 0x71000000 : bias;
  base = bit_cast<float>((bias >> 1) + 0x07800000) + base;
  const uint32_t sum = bit_cast<uint32_t>(base);
  const uint32_t rounded = (sum >> 13 & 0x7c00) + (sum & 0x0fff);
  const uint32_t sign = bits >> 16 & 0x8000;
  return static_cast<uint16_t>(twice > 0xff000000 ? 0x7fff : sign | rounded);
}

// One rounding, from anything a double holds, in any direction.
template <int kExponentBits, int kMantissaBits>
uint16_t round_to_16_bits(double value, Rounding rounding) {
  constexpr int kSmallestExponent = 2 - (1 << (kExponentBits - 1));
  constexpr uint32_t kInfinity = ((1u << kExponentBits) - 1) << kMantissaBits;
  if (std::isnan(value)) return 0x7fff;
  const uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (std::isinf(value)) return static_cast<uint16_t>(sign | kInfinity);
  if (magnitude == 0) return static_cast<uint16_t>(sign);
  const int exponent = std::ilogb(magnitude);
  const int quantum = (exponent < kSmallestExponent ? kSmallestExponent : exponent) - kMantissaBits;
  const double scaled = std::ldexp(magnitude, -quantum);
  const bool away = rounding == (sign ? Rounding::kDown : Rounding::kUp);
  const double rounded = rounding == Rounding::kNearest ? std::nearbyint(scaled)
                         : away                         ? std::ceil(scaled)
                                                        : std::floor(scaled);
  uint64_t bits = (static_cast<uint64_t>(quantum - kSmallestExponent + kMantissaBits) << kMantissaBits) +
                  static_cast<uint64_t>(rounded);
  if (bits >= kInfinity) bits = rounding == Rounding::kNearest || away ? kInfinity : kInfinity - 1;
  return static_cast<uint16_t>(sign | bits);
}

inline uint16_t round_to_float16(double value, Rounding r) { return round_to_16_bits<5, 10>(value, r); }
inline uint16_t round_to_bfloat16(double value, Rounding r) { return round_to_16_bits<8, 7>(value, r); }

}  // namespace infcl::emulator
