// Running log-sum-exp of many rows at once, in base 2. Row i stands for sum[i] * 2^shift[i]; shifts are
// integers, so that rescaling a sum to another shift is exact and the result does not depend on how often it
// was rescaled. An empty row has sum 0, which is exp(-inf): folding into it can never produce NaN.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace infcl {

constexpr double kLn2 = 0.69314718055994530942;
constexpr double kLog2E = 1.44269504088896340736;

// std::ldexp, inline: its call showed in the profile of a whole loss.
inline double times_two_to(int n, double x) {
  if (n < -1022 || n > 1023) return std::ldexp(x, n);
  const uint64_t bits = static_cast<uint64_t>(n + 1023) << 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return x * power;
}

class LseVector {
 public:
  void reset(int64_t size) {
    shift_.assign(static_cast<size_t>(size), 0.f);
    sum_.assign(static_cast<size_t>(size), 0.);
  }

  // (sum, shift) of some more terms of row i
  void fold(int64_t i, double sum, float shift) {
    if (sum == 0) return;
    double& s = sum_[i];
    float& c = shift_[i];
    if (s == 0) {
      s = sum;
      c = shift;
    } else if (shift <= c) {
      s += times_two_to(static_cast<int>(shift - c), sum);
    } else {
      s = sum + times_two_to(static_cast<int>(c - shift), s);
      c = shift;
    }
  }

  // Brings the sums of [begin, end) into [1, 2), so that shift alone tells a row's magnitude.
  void normalise(int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (sum_[i] == 0) continue;
      int e;
      sum_[i] = 2 * std::frexp(sum_[i], &e);
      shift_[i] += static_cast<float>(e - 1);
    }
  }

  int64_t size() const { return static_cast<int64_t>(sum_.size()); }
  float shift(int64_t i) const { return shift_[i]; }
  double sum(int64_t i) const { return sum_[i]; }
  // log2 of the row's sum of exponentials; -inf when empty
  double log2(int64_t i) const { return shift_[i] + std::log2(sum_[i]); }

  static int64_t bytes(int64_t size) { return size * static_cast<int64_t>(sizeof(float) + sizeof(double)); }

 private:
  std::vector<float> shift_;
  std::vector<double> sum_;
};

}  // namespace infcl
