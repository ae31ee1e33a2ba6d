// How far a loss may be off because dots are rounded to float32: tells whether a second product in float64 is
// worth its time. docs/numerics.md derives the numbers.
#include <cmath>

#include "core/loss_state.h"

namespace infcl {

// A partial sum of a dot is the dot's own growth along the features plus a random walk, and each addition
// rounds it.
double LogitError::of(double logit) const {
  constexpr double kUnit = 0x1p-24;
  return kUnit * (0.25 * std::sqrt(static_cast<double>(dim)) * std::fabs(logit) + 0.25 * longest_logit);
}

double LossState::expected_error(const LogitError& error) const {
  double squares = 0;
  const auto add = [&](double of_anchor) { squares += of_anchor * of_anchor; };
  if (o_.positives == PositiveKind::kClass) {
    for (int n = 0; n < o_.normaliser_count; ++n)
      for (int64_t i = 0; i < anchor_count(n); ++i) add(class_error(n, i, error));
  } else {
    for (int64_t i = 0; i < r_.queries.rows; ++i)
      add(weight(i) *
          (o_.sigmoid ? sigmoid_row(i).loss * error.of(error.longest_logit) : labelled_error(i, error)));
  }
  return total_weight_ > 0 ? std::sqrt(squares) / total_weight_ : 0;
}

// The derivatives of a row are p_j - [j is the positive], less what smoothing spreads: their squares add up
// to at most 2 (1 - p)^2 with p of the positive. So a row whose positive has it all has no error. Both logits
// that matter are no larger than the log-sum-exp or the positive.
double LossState::labelled_error(int64_t i, const LogitError& error) const {
  const double x = scale2_ * positive_dots_[i];
  double sum = 0;
  for (int n = 0; n < o_.normaliser_count; ++n) {
    const double lse = normalisers_[n].lse.log2(anchor_of(n, i));
    const double others =
        1 - normalisers_[n].lse.softmax(positive_logit(i), anchor_of(n, i)) + r_.label_smoothing;
    sum += o_.normalisers[n].weight * others * error.of(kLn2 * std::fmax(std::fabs(x), std::fabs(lse)));
  }
  return std::sqrt(2.) * sum;
}

// p_j less an equal share for each positive, which all have at most the weight 1.
double LossState::class_error(int n, int64_t i, const LogitError& error) const {
  const int64_t positives = positive_counts_[n][i];
  if (positives == 0) return 0;
  const Normaliser& normaliser = normalisers_[n];
  const double mean = scale2_ * normaliser.positive_dot_sums[i] / static_cast<double>(positives);
  const double largest = std::fmax(std::fabs(mean), std::fabs(normaliser.lse.log2(i)));
  return std::sqrt(2.) * error.of(kLn2 * largest);
}

}  // namespace infcl
