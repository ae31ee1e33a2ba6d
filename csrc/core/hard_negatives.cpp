#include "core/hard_negatives.h"

#include <algorithm>
#include <cmath>

namespace infcl {

HardNegativeState::HardNegativeState(const ContrastiveRequest& r)
    : r_(r), scale_(log2_scale(r.logit_scale + r.hard_negative_hardness)) {
  if (r.hard_negatives.rows == 0) return;
  dots_.assign(static_cast<size_t>(r.hard_negatives.rows), 0.f);
  errors_.assign(static_cast<size_t>(r.queries.rows), 0.f);
}

// An excluded negative is marked by a dot of -inf, whose exponential is 0.
int64_t HardNegativeState::fold(Range queries, Normaliser& n, std::vector<float>& row_max_dots,
                                const std::vector<float>& limits) {
  if (dots_.empty()) return 0;
  int64_t excluded = 0;
  for (int64_t i = queries.begin; i < queries.end; ++i) {
    const Range own = r_.hard_negative_rows().of(i);
    for (int64_t at = own.begin; at < own.end; ++at) {
      float& dot = dots_[at];
      const bool same_id = r_.hard_negative_ids && r_.hard_negative_ids[at] == r_.query_ids[i];
      const bool guided_out = !excluded_.empty() && excluded_[at];
      if (same_id || guided_out || (r_.has_margin && dot > limits[i])) {
        dot = -HUGE_VALF;
        ++excluded;
        continue;
      }
      n.lse.fold(i, Base2Logit(dot, scale_));
      // less its error, so that a dot which equals the positive's stays a tie
      row_max_dots[i] = std::max(row_max_dots[i], dot - errors_[i]);
      if (n.counts.empty()) continue;
      n.dot_sums[i] += dot;
      ++n.counts[i];
    }
  }
  return excluded;
}

double HardNegativeState::prepare_gradient(const NormaliserGrad& g) {
  double dot_sum = 0;
  grads_.assign(dots_.size(), 0.f);
  if (dots_.empty()) return 0;
  for (int64_t i = 0; i < r_.queries.rows; ++i) {
    const Range own = r_.hard_negative_rows().of(i);
    for (int64_t at = own.begin; at < own.end; ++at) {
      const float dot = dots_[at];
      if (!std::isfinite(dot)) continue;
      double grad = g.weights[i] * g.lse->softmax(Base2Logit(dot, scale_), i);
      // LossState::dot_sum_correction has the uniform term's part of the sum
      dot_sum += grad * dot;
      if (!g.uniform.empty()) grad -= g.uniform[i];
      grads_[at] = static_cast<float>(grad);
    }
  }
  return dot_sum;
}

}  // namespace infcl
