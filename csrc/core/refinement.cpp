#include "core/refinement.h"

#include <cmath>

namespace infcl {

namespace {

constexpr double kFloat32Unit = 0x1p-24;  // largest relative error of one rounding
// The loss is promised to this, relative to max(1, |loss|).
constexpr double kPromisedError = 1e-6;
// The estimated error is a standard error. A normal error exceeds five of them once in some million calls.
constexpr double kStandardErrorsInPromise = 5;
// All skipped pairs together may move the loss by the promised error divided by this.
constexpr double kSkippedDivisor = 20;
// The refinement treats the exponential of a logit as linear. For larger errors of a logit it is not.
constexpr double kLargestLinearError = 0.25;

double pair_count(const Objective& o, int64_t queries, int64_t keys) {
  double pairs = 0;
  for (int p = 0; p < o.similarity_count; ++p) {
    const SimilarityShape s = shape_of(o.similarities[p], queries, keys);
    pairs += static_cast<double>(s.rows) * static_cast<double>(s.columns);
  }
  return pairs;
}

}  // namespace

// A partial sum of a dot is the growth of the dot along the features plus a random walk. Each addition rounds
// the partial sum.
double LogitError::of(double logit) const {
  return kFloat32Unit *
         (0.25 * std::sqrt(static_cast<double>(dim)) * std::fabs(logit) + 0.25 * longest_logit);
}

bool needs_refinement(const ContrastiveRequest& r, const RowLengths& lengths, const LossState& state,
                      double loss) {
  constexpr double kTolerance = kPromisedError / kStandardErrorsInPromise;
  const double longest =
      std::fmax((r.logit_scale + r.hardness) * longest_product(r.objective, lengths),
                (r.logit_scale + r.hard_negative_hardness) * lengths.queries * lengths.hard_negatives);
  const LogitError error{r.queries.dim, longest};
  return error.of(error.longest_logit) < kLargestLinearError &&
         state.expected_error(error) > kTolerance * std::fmax(1, loss);
}

float smallest_refined_g(const ContrastiveRequest& r, const RowLengths& lengths, int64_t queries,
                         int64_t keys) {
  const double dot_error =
      kFloat32Unit * longest_product(r.objective, lengths) * std::sqrt(static_cast<double>(r.queries.dim));
  return static_cast<float>(
      kPromisedError / kSkippedDivisor /
      (pair_count(r.objective, queries, keys) * dot_error * (1 + r.hardness / r.logit_scale)));
}

}  // namespace infcl
