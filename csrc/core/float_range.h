// Tells before any product whether float32 can hold the numbers of a call. The lengths of the longest rows
// bound every dot, every partial sum of a dot, every logit and every gradient. So all backends and
// instruction sets refuse the same calls.
#pragma once

#include "core/request.h"

namespace infcl {

// Length of the longest row of each matrix; 0: there is no such matrix.
struct RowLengths {
  double queries = 0, keys = 0, hard_negatives = 0;
  double guide = 0, teacher = 0;  // the longest of all rows of either

  double of(Side s) const { return s == Side::kQueries ? queries : keys; }
};

// The largest |q| |k| among the pairs of the objective's similarities, without hard negatives.
double longest_product(const Objective&, const RowLengths&);

// Throws Error (kNotFinite). The message says which input to make smaller.
void refuse_overflow(const ContrastiveRequest&, const RowLengths&);
// The same for a search, which has only the dots of queries and keys.
void refuse_dot_overflow(const RowLengths&);

}  // namespace infcl
