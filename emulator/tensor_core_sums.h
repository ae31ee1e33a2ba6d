// The sums of tensor cores, as a device forms them. Products of 16-bit numbers are exact. A step aligns its
// products and the sum so far to the largest exponent among them, and drops the bits that lie below the kept
// ones. The sum of the step is cut to float32. Nothing is rounded to nearest, so sums shrink towards zero.
//
// Terms of a step and kept bits are what others measured on cards: Fasi, Higham, Mikaitis, Pranesh,
// "Numerical behavior of NVIDIA tensor cores" (2021), up to A100; Khattak, Mikaitis, "Accurate models of
// NVIDIA tensor cores" (2025), also H100. This project has not yet repeated these measurements on a card.
#pragma once

#include <algorithm>
#include <cmath>

#include "half.h"

namespace infcl::emulator {

struct TensorCoreStep {
  int terms;       // that one step adds to the sum
  int extra_bits;  // below float32's last that a step keeps of its addends
};
constexpr TensorCoreStep tensor_core_step(int sm) {
  return sm < 90 ? TensorCoreStep{8, 1} : TensorCoreStep{16, 2};
}

// Products with kDepth rows of kColumns numbers.
template <int kDepth, int kColumns>
class TruncatedSums {
 public:
  TruncatedSums(const float (&b)[kDepth][kColumns], TensorCoreStep step) : b_(b), step_(step) {
    for (int k = 0; k < kDepth; k++)
      for (int j = 0; j < kColumns; j++) exponents_[k][j] = exponent(b[k][j]);
  }

  // sums[j] += sum over k of a[k] * b[k][j]
  void add(const float (&a)[kDepth], float (&sums)[kColumns]) const {
    for (int first = 0; first < kDepth; first += step_.terms) add_step(a, first, sums);
  }

 private:
  static constexpr int kZero = -400, kNotFinite = 1000;
  // Exponents of products and sums that float and int hold when scaled. Below the last: zeros.
  static constexpr int kLargest = 100, kSmallest = -90, kLargestOfZero = kZero + 128;

  static int exponent(float x) {
    const auto biased = static_cast<int>(bit_cast<uint32_t>(x) >> 23 & 255);
    return x == 0 ? kZero : biased == 255 ? kNotFinite : std::max(biased, 1) - 127;
  }
  template <class T, class Bits>
  static T power_of_two(int n) {
    constexpr int kMantissa = sizeof(T) == 4 ? 23 : 52, kBias = sizeof(T) == 4 ? 127 : 1023;
    return bit_cast<T>(static_cast<Bits>(n + kBias) << kMantissa);
  }
  // To float32, towards zero.
  static float cut(double x) {
    return static_cast<float>(bit_cast<double>(bit_cast<uint64_t>(x) & ~((uint64_t{1} << 29) - 1)));
  }

  void add_step(const float (&a)[kDepth], int first, float (&sums)[kColumns]) const {
    alignas(64) int largest[kColumns];
    for (int j = 0; j < kColumns; j++) largest[j] = exponent(sums[j]);
    for (int k = first; k < first + step_.terms; k++) {
      const int of_a = exponent(a[k]);
      for (int j = 0; j < kColumns; j++) largest[j] = std::max(largest[j], of_a + exponents_[k][j]);
    }
    int unusual = 0;
    for (int j = 0; j < kColumns; j++)
      unusual |= (largest[j] > kLargest) | ((largest[j] < kSmallest) & (largest[j] > kLargestOfZero));
    if (unusual)
      add_any(a, first, largest, sums);
    else
      add_usual(a, first, largest, sums);
  }

  // The rule as it stands, in double.
  void add_any(const float (&a)[kDepth], int first, const int (&largest)[kColumns],
               float (&sums)[kColumns]) const {
    for (int j = 0; j < kColumns; j++) {
      const int unit = std::max(largest[j], kZero) - 23 - step_.extra_bits;
      const auto scale = power_of_two<double, int64_t>(-unit);
      double whole = std::trunc(sums[j] * scale);
      for (int k = first; k < first + step_.terms; k++)
        whole += std::trunc(static_cast<double>(a[k]) * b_[k][j] * scale);
      sums[j] = cut(whole * power_of_two<double, int64_t>(unit));
    }
  }

  // The same where scaled products are exact in float and fit an int, which truncates. Eight of them, and the
  // sum so far, are less than 2^31.
  void add_usual(const float (&a)[kDepth], int first, const int (&largest)[kColumns],
                 float (&sums)[kColumns]) const {
    constexpr int kHalf = 8;
    alignas(64) int unit[kColumns], whole[2][kColumns] = {};
    alignas(64) float scale[kColumns];
    for (int j = 0; j < kColumns; j++) {
      unit[j] = std::max(largest[j], kSmallest) - 23 - step_.extra_bits;
      scale[j] = power_of_two<float, int32_t>(-unit[j]);
      whole[0][j] = static_cast<int>(sums[j] * scale[j]);
    }
    for (int k = 0; k < step_.terms; k++)
      for (int j = 0; j < kColumns; j++)
        whole[k / kHalf][j] += static_cast<int>(a[first + k] * b_[first + k][j] * scale[j]);
    for (int j = 0; j < kColumns; j++) {
      const double sum = static_cast<double>(whole[0][j]) + whole[1][j];
      sums[j] = cut(sum * power_of_two<double, int64_t>(unit[j]));
    }
  }

  const float (&b_)[kDepth][kColumns];
  const TensorCoreStep step_;
  alignas(64) int exponents_[kDepth][kColumns];
};

}  // namespace infcl::emulator
