// Tells before any product is formed whether float32 holds the numbers of a call. The lengths of the longest
// rows bound every similarity, every partial sum of one, every logit and every gradient. So all backends and
// instruction sets refuse the same calls.
#pragma once

#include "core/request.h"

namespace infcl {

// Of the longest row of each matrix; 0: there is none.
struct RowLengths {
  double queries = 0, keys = 0, hard_negatives = 0;

  double of(Side s) const { return s == Side::kQueries ? queries : keys; }
};

// The largest |q| |k| among the pairs that the objective compares, hard negatives aside.
double longest_product(const Objective&, const RowLengths&);

// Throws Error kNotFinite, which says what to make smaller.
void refuse_overflow(const ContrastiveRequest&, const RowLengths&);

}  // namespace infcl
