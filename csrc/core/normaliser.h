// What the forward laps gather about the anchors of one normaliser, and what the backward laps need of it.
// Vectors that an objective has no use for stay empty, and emptiness is how backends know.
#pragma once

#include <cstdint>
#include <vector>

#include "core/lse.h"

namespace infcl {

struct Normaliser {
  LseVector lse;                          // of x over everything that counts against the anchor
  std::vector<double> dot_sums;           // label smoothing: sum of q.k over the same terms
  std::vector<int64_t> counts;            // and their number
  std::vector<double> positive_dot_sums;  // class positives: sum of q.k over them
};

// Factors of g. All carry the logit scale, the row weight and the mean over anchors.
struct NormaliserGrad {
  const LseVector* lse = nullptr;  // normalised
  std::vector<double> weights;     // of exp(x - lse)
  std::vector<float> uniform;      // label smoothing: subtracted from every term of the anchor; else empty
  std::vector<float> positive_shares;  // class positives: subtracted from each of them; else empty
};

}  // namespace infcl
