// Running log-sum-exp of many rows at once, in base 2. Row i stands for sum[i] * 2^shift[i]. Shifts are
// integers, so rescaling a sum to another shift is exact, and the result does not depend on how often it
// happens. An empty row has sum 0, which is exp(-inf): a fold into an empty row never gives NaN.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base2_logit.h"
#include "core/numerics.h"

namespace infcl {

// x * 2^n for any n: std::ldexp without its call where 2^n is a normal number.
inline double times_two_to(int n, double x) {
  return n < -1022 || n > 1023 ? std::ldexp(x, n) : x * exact_power(n);
}

// One row: sum * 2^shift.
struct LseSum {
  double sum = 0;
  float shift = 0;

  // Adds 2^x.
  void fold(const Base2Logit& x) { fold_sum(sum, shift, std::exp2(x.rest), static_cast<float>(x.whole)); }
  // log2 of the sum of exponentials; -inf when empty
  double log2() const { return shift + std::log2(sum); }
  // log2 of the sum, less x. The subtraction of the large parts comes before any rounding. If 2^x is a term
  // of the row, the sum is at least 2^x. Their quotient is then at least 1, and the result is not negative.
  double log2_less(const Base2Logit& x) const {
    const double difference = shift - x.whole;
    if (std::fabs(difference) > 900) return difference + (std::log2(sum) - x.rest);
    return std::log2(times_two_to(static_cast<int>(difference), sum) / std::exp2(x.rest));
  }
  // The softmax of x: 2^x divided by the row's sum; 0 for an empty row
  double softmax(const Base2Logit& x) const {
    return sum == 0 ? 0 : std::exp2((x.whole - shift) + x.rest) / sum;
  }
};

class LseVector {
 public:
  void reset(int64_t size) {
    shift_.assign(static_cast<size_t>(size), 0.f);
    sum_.assign(static_cast<size_t>(size), 0.);
  }

  // Adds terms with the sum `sum` * 2^shift to row i.
  void fold(int64_t i, double sum, float shift) { fold_sum(sum_[i], shift_[i], sum, shift); }

  void fold(int64_t i, const Base2Logit& x) { fold(i, std::exp2(x.rest), static_cast<float>(x.whole)); }

  // Brings the sums of [begin, end) into [1, 2), so that shift alone tells a row's magnitude. A shift beyond
  // 2^24 stays as it is, because float32 does not hold all integers there.
  void normalise(int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (sum_[i] == 0) continue;
      int e;
      const double mantissa = 2 * std::frexp(sum_[i], &e);
      const double shift = static_cast<double>(shift_[i]) + (e - 1);
      if (std::fabs(shift) > kLargestExactShift || std::fabs(shift_[i]) > kLargestExactShift) continue;
      sum_[i] = mantissa;
      shift_[i] = static_cast<float>(shift);
    }
  }

  int64_t size() const { return static_cast<int64_t>(sum_.size()); }
  float shift(int64_t i) const { return shift_[i]; }
  double sum(int64_t i) const { return sum_[i]; }
  LseSum at(int64_t i) const { return {sum_[i], shift_[i]}; }
  void set(int64_t i, const LseSum& row) {
    sum_[i] = row.sum;
    shift_[i] = row.shift;
  }
  // As the functions of LseSum.
  double log2(int64_t i) const { return at(i).log2(); }
  double log2_less(int64_t i, const Base2Logit& x) const { return at(i).log2_less(x); }
  double softmax(const Base2Logit& x, int64_t i) const { return at(i).softmax(x); }

  static int64_t bytes(int64_t size) { return size * static_cast<int64_t>(sizeof(float) + sizeof(double)); }

 private:
  std::vector<float> shift_;
  std::vector<double> sum_;
};

}  // namespace infcl
