#include "cpu/gradient_factors.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace infcl::cpu {

GradientFactors::GradientFactors(const TileShape& c)
    : row_(c.rows), row_shift_(c.rows), column_(c.columns), column_shift_(c.columns) {}

// A term that does not exist has factor 0, and a shift under which its exponential is 0 and not infinite.
LogitGradArgs GradientFactors::clear(GradFormula formula) {
  for (std::vector<float>* factors : {&row_, &column_}) std::fill(factors->begin(), factors->end(), 0.f);
  for (std::vector<float>* shifts : {&row_shift_, &column_shift_})
    std::fill(shifts->begin(), shifts->end(), kNoTerm);
  LogitGradArgs out{};
  out.formula = formula;
  out.row_factor = row_.data();
  out.row_shift = row_shift_.data();
  out.column_factor = column_.data();
  out.column_shift = column_shift_.data();
  return out;
}

LogitGradArgs GradientFactors::sigmoid(const NormaliserGrad& rows, Range range, float bias) {
  LogitGradArgs out = clear(GradFormula::kSigmoid);
  out.bias = bias;
  for (int64_t i = range.begin; i < range.end; ++i)
    row_[i - range.begin] = static_cast<float>(rows.weights[i]);
  return out;
}

// One exponential per element is enough when all normalisers of the tile are within 2^100 of each other. Both
// terms are then 2^(x - c) (alpha_i 2^(c - a_i) + beta_j 2^(c - b_j)), with a shift c in the middle of the
// normalisers. A large logit scale makes large factors, which must not overflow on the way.
LogitGradArgs GradientFactors::softmax(const NormaliserGrad* rows, Range row_range,
                                       const NormaliserGrad* columns, Range column_range) {
  float low = HUGE_VALF, high = -HUGE_VALF;
  double largest = 0;
  const auto widen = [&](const NormaliserGrad* n, Range range) {
    for (int64_t i = range.begin; n && i < range.end; ++i) {
      if (n->lse->sum(i) == 0) continue;
      low = std::min(low, n->lse->shift(i));
      high = std::max(high, n->lse->shift(i));
      largest = std::max(largest, n->weights[i] / n->lse->sum(i));
    }
  };
  widen(rows, row_range);
  widen(columns, column_range);
  const float spread = low <= high ? high - low : 0;
  const bool one_exp =
      spread < kLargestSpread && times_two_to(static_cast<int>(spread / 2) + 1, largest) < FLT_MAX / 4;
  LogitGradArgs out = clear(one_exp ? GradFormula::kOneExp : GradFormula::kTwoExps);
  out.shift = low <= high ? std::floor((low + high) / 2) : 0;
  const auto fill = [&](const NormaliserGrad* n, Range range, std::vector<float>& factors,
                        std::vector<float>& shifts) {
    for (int64_t i = range.begin; n && i < range.end; ++i) {
      if (n->lse->sum(i) == 0) continue;  // an anchor without a single term
      const int rescale = one_exp ? static_cast<int>(out.shift - n->lse->shift(i)) : 0;
      factors[i - range.begin] = static_cast<float>(times_two_to(rescale, n->weights[i] / n->lse->sum(i)));
      shifts[i - range.begin] = n->lse->shift(i);
    }
  };
  fill(rows, row_range, row_, row_shift_);
  fill(columns, column_range, column_, column_shift_);
  return out;
}

}  // namespace infcl::cpu
