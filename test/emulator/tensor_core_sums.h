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
  static constexpr int kNothing = -400;  // below the exponent of every product and sum

  static int exponent(float x) {
    const auto biased = static_cast<int>(bit_cast<uint32_t>(x) >> 23 & 255);
    return x == 0 ? kNothing : std::max(biased, 1) - 127;
  }
  static double power_of_two(int n) { return bit_cast<double>(static_cast<int64_t>(n + 1023) << 52); }
  // To float32, towards zero.
  static float cut(double x) {
    return static_cast<float>(bit_cast<double>(bit_cast<uint64_t>(x) & ~((uint64_t{1} << 29) - 1)));
  }

  void add_step(const float (&a)[kDepth], int first, float (&sums)[kColumns]) const {
    alignas(64) int largest[kColumns];
    alignas(64) double scale[kColumns], whole[kColumns];
    for (int j = 0; j < kColumns; j++) largest[j] = exponent(sums[j]);
    for (int k = first; k < first + step_.terms; k++) {
      const int of_a = exponent(a[k]);
      for (int j = 0; j < kColumns; j++) largest[j] = std::max(largest[j], of_a + exponents_[k][j]);
    }
    for (int j = 0; j < kColumns; j++) {
      largest[j] = std::max(largest[j], kNothing) - 23 - step_.extra_bits;
      scale[j] = power_of_two(-largest[j]);
      whole[j] = std::trunc(sums[j] * scale[j]);
    }
    for (int k = first; k < first + step_.terms; k++)
      for (int j = 0; j < kColumns; j++)
        whole[j] += std::trunc(static_cast<double>(a[k]) * b_[k][j] * scale[j]);
    for (int j = 0; j < kColumns; j++) sums[j] = cut(whole[j] * power_of_two(largest[j]));
  }

  const float (&b_)[kDepth][kColumns];
  const TensorCoreStep step_;
  alignas(64) int exponents_[kDepth][kColumns];
};

}  // namespace infcl::emulator
