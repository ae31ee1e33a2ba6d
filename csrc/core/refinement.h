// Decides when the loss needs the refinement: a second product in float64 that corrects the rounding of dots
// to float32. docs/numerics.md derives the numbers.
#pragma once

#include <cstdint>

#include "core/float_range.h"
#include "core/loss_state.h"
#include "core/request.h"

namespace infcl {

// Standard error of a logit made of float32 dots.
struct LogitError {
  int64_t dim;
  double longest_logit;  // the largest that the lengths of rows allow
  double of(double logit) const;
};

// Whether the rounding of dots may show in `loss`: with few rows, long rows or a large scale.
bool needs_refinement(const ContrastiveRequest&, const RowLengths&, const LossState&, double loss);

// The |g| up to which the refinement may skip a pair. `queries` and `keys` count the rows of all ranks.
float smallest_refined_g(const ContrastiveRequest&, const RowLengths&, int64_t queries, int64_t keys);

}  // namespace infcl
