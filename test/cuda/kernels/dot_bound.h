// How far the sum of a tile's products may be from the exact sum, on a tensor core as on the emulator.
//
// A tensor core adds a few products a step (emulator/tensor_core_sums.h). A step of 8 with one extra bit
// is the worst of what kernels run on: each of 9 addends loses less than 2^-24 of the largest, and the sum is
// cut, by less than 2^-23 of itself. A step of 16 with two extra bits loses less. So do 8 fused multiply-adds
// that round to nearest, each by 2^-24 of a sum no larger than all that the step has seen.
#pragma once

#include <cmath>
#include <utility>

#include "operand.h"

namespace test {

class DotBound {
 public:
  void add(double product) {
    sum_ += product;
    seen_ += std::fabs(product);
    if (++terms_ == kStep) close_step();
  }
  double error() {
    if (terms_ > 0) close_step();
    return error_;
  }

 private:
  static constexpr int kStep = 8;
  void close_step() {
    error_ += (kStep + 1) * 0x1p-24 * seen_ + 0x1p-23 * std::fabs(sum_);
    seen_ = std::fabs(sum_);
    terms_ = 0;
  }

  double sum_ = 0, seen_ = 0, error_ = 0;  // seen: the sum before the step, and the sizes of its products
  int terms_ = 0;
};

// Bound of a dot whose products are those of pair(k), k < depth: a PlanePair of each operand. Two planes add
// up small products first and leave out low times low, which is at most 2^-18 of each product.
template <class F>
double dot_error(Precision precision, int depth, F pair) {
  DotBound bound;
  double low_low = 0;
  if (precision == Precision::kTwoPlanes) {
    for (const bool low_of_a : {true, false})
      for (int k = 0; k < depth; ++k) {
        const auto [a, b] = pair(k);
        bound.add(low_of_a ? a.low * b.high : a.high * b.low);
        if (low_of_a) low_low += std::fabs(a.low * b.low);
      }
  }
  for (int k = 0; k < depth; ++k) {
    const auto [a, b] = pair(k);
    bound.add(a.high * b.high);
  }
  return bound.error() + low_low;
}

}  // namespace test
