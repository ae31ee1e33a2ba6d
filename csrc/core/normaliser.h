// The sums of the forward passes for the anchors of one normaliser, and the factors that the backward passes
// make from these sums. A vector that an objective does not use stays empty, and backends then skip its part.
#pragma once

#include <cstdint>
#include <vector>

#include "core/lse.h"

namespace infcl {

struct Normaliser {
  // The same vectors without any term.
  Normaliser blank() const {
    Normaliser n;
    n.lse.reset(lse.size());
    n.dot_sums.assign(dot_sums.size(), 0.);
    n.counts.assign(counts.size(), 0);
    n.positive_dot_sums.assign(positive_dot_sums.size(), 0.);
    return n;
  }

  // The anchors of `other` are those from `first` on.
  void add(const Normaliser& other, int64_t first = 0) {
    for (int64_t i = 0; i < other.lse.size(); ++i) lse.fold(first + i, other.lse.sum(i), other.lse.shift(i));
    add(other.dot_sums, first, dot_sums);
    add(other.counts, first, counts);
    add(other.positive_dot_sums, first, positive_dot_sums);
  }

  LseVector lse;                          // of x over everything that counts against the anchor
  std::vector<double> dot_sums;           // label smoothing: sum of q.k over the same terms
  std::vector<int64_t> counts;            // label smoothing: number of these terms
  std::vector<double> positive_dot_sums;  // class positives: sum of their q.k

 private:
  template <class T>
  static void add(const std::vector<T>& from, int64_t first, std::vector<T>& to) {
    for (size_t i = 0; i < from.size(); ++i) to[static_cast<size_t>(first) + i] += from[i];
  }
};

// Factors of g along the rows or columns of a similarity. Each factor includes the logit scale, the weight of
// the row and the division by the weights of all anchors.
struct NormaliserGrad {
  const LseVector* lse = nullptr;  // normalised; null for the rows of a sigmoid, which have no normaliser
  std::vector<double> weights;     // of exp(x - lse), or of sigma(x) where there is no lse
  std::vector<float> uniform;      // label smoothing: subtracted from every term of the anchor; else empty
  std::vector<float> positive_weights;  // class positives: subtracted from each positive; else empty
};

}  // namespace infcl
