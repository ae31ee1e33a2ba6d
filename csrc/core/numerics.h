// Numbers and functions of the loss's arithmetic that the CPU kernels, the CUDA kernels and the engine have
// in common. Both nvcc and the host's compiler read this file.
//
// Softplus and sigma of the sigmoid loss are here in float64 only. The kernels' functions in
// csrc/cpu/kernels/sigmoid.h and cuda/kernels/logit.cuh differ in more than their type. They take base-2
// logits, use an exponential of their own instruction set, and replace the logarithm by a series. Each of the
// three rounds in its own way, and results depend on this rounding to the last bit.
#pragma once

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define INFCL_HOST_DEVICE __host__ __device__
#else
#define INFCL_HOST_DEVICE
#endif

namespace infcl {

// The dot of a pair that does not count. The engine refuses features whose dots could come near this number.
// It also refuses logit scales so small that the exponential of this dot would not be 0.
constexpr float kMaskedDot = -FLT_MAX;
INFCL_HOST_DEVICE constexpr bool is_masked(float dot) { return dot <= kMaskedDot; }

// A shift so large that any exponential under it is 0.
constexpr float kNoTerm = FLT_MAX;

// A kernel folds a tile with one shift for all its rows and columns. If the sum of a row or column is below
// this number, terms may have underflowed. The kernel then folds the tile again, with a shift for each row
// and column.
constexpr float kSmallestTrustedSum = 0x1p-60f;

// Normalisers of a tile share one exponential per pair if their shifts, in base 2, differ by less than
// this number.
constexpr float kLargestSpread = 100;

// float32 holds every integer up to this number. A larger shift has no next integer in float32.
constexpr double kLargestExactShift = 0x1p24;

// 2^n for n in [-1022, 1023]. Built from bits: std::ldexp is a call that showed in profiles.
INFCL_HOST_DEVICE inline double exact_power(int n) {
#ifdef __CUDA_ARCH__
  return __hiloint2double((n + 1023) << 20, 0);
#else
  const uint64_t bits = static_cast<uint64_t>(n + 1023) << 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return power;
#endif
}

// sum * 2^n for an integer n <= 0, as a term of a sum whose own shift is larger by -n. Such a sum is at least
// 2^-149, the smallest float32, and terms stay far below 2^200. Below n = -1000 the term changes no bit.
INFCL_HOST_DEVICE inline double scaled_down(double sum, float n) {
  return n < -1000 ? 0 : sum * exact_power(static_cast<int>(n));
}

// Folds sum * 2^shift into all * 2^all_shift. Shifts are integers, so rescaling a sum is exact and the result
// does not depend on how often a sum was rescaled. A sum of 0 is empty, and its shift does not matter.
INFCL_HOST_DEVICE inline void fold_sum(double& all, float& all_shift, double sum, float shift) {
  if (sum == 0) return;
  if (all == 0) {
    all = sum;
    all_shift = shift;
  } else if (shift <= all_shift) {
    all += scaled_down(sum, shift - all_shift);
  } else {
    all = sum + scaled_down(all, all_shift - shift);
    all_shift = shift;
  }
}

// Neither function overflows.
inline double softplus(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace infcl
