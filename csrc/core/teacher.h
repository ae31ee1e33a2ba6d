// A teacher: another model whose softmax over the keys is a second target of each anchor. Its features are
// frozen. The loss gains, for each anchor a of the objective,
//   weight * sum_j t_aj (lse_a - x_aj),   t_aj = softmax_j(y_aj),   y_aj = logit_scale * (tq_a . tk_j).
// Pairs that a mask excludes have no probability on either side. Hinton et al. 2015, arXiv 1503.02531;
// open_clip's DistillClipLoss.
//
// One forward pass is enough: the sums of 2^y and of 2^y (q.k) rescale together. Afterwards their quotient is
// the mean dot of the anchor under the teacher, and that tells both loss and dL/ds.
#pragma once

#include <cstdint>
#include <vector>

#include "core/lse.h"
#include "core/normaliser.h"
#include "core/types.h"

namespace infcl {

struct Teacher {
  MatrixView queries, keys;  // [M x Dt] and [N x Dt]; no rows: the call has no teacher
  double logit_scale = 1;
  double weight = 0;  // of its term in the loss

  bool given() const { return queries.rows > 0; }
};

// The forward sums of the anchors of one normaliser, with y in base 2.
struct TeacherSums {
  LseVector lse;  // of y over everything that counts for the anchor. The engine adds its positive, in float64
  LseVector cross;  // sum of 2^y (q.k), of either sign

  // The mean of q.k under the teacher.
  double mean_dot(int64_t anchor) const;
};

// The part of a forward pass's arguments. Null sums: no teacher, or no anchors on that side.
struct TeacherFold {
  TeacherSums *rows = nullptr, *columns = nullptr;
  float* positive_dots = nullptr;  // [rows]: the teacher's dots of the labelled positives
};

// The part of a backward pass's arguments: T = sum over both sides of weights * 2^(y - lse) leaves G.
struct TeacherGrad {
  const NormaliserGrad *rows = nullptr, *columns = nullptr;
};

// The teacher's vectors between the passes. `anchors[n]`: the number of anchors of normaliser n.
class TeacherState {
 public:
  TeacherState(const Teacher&, const std::vector<int64_t>& anchors);

  bool given() const { return teacher_.given(); }
  double weight() const { return teacher_.given() ? teacher_.weight : 0; }
  // kNone: no such normaliser.
  TeacherFold fold(int row_normaliser, int column_normaliser);
  TeacherGrad grad(int row_normaliser, int column_normaliser) const;

  // Adds a query's positive, which is in no tile, to the sums of an anchor. `dot`: its own q.k.
  void add_positive(int normaliser, int64_t anchor, int64_t query, float dot);
  double mean_dot(int normaliser, int64_t anchor) const { return sums_[index(normaliser)].mean_dot(anchor); }

  void allocate_gradient();
  // Sets the factor of an anchor's probabilities in T, and returns the probability of its positive, the one
  // of `query`. After all sums of the anchor are complete.
  double prepare(int normaliser, int64_t anchor, int64_t query, double factor);
  // The probability that `prepare` returned.
  double positive_probability(int normaliser, int64_t anchor, int64_t query) const;

 private:
  static size_t index(int normaliser) { return static_cast<size_t>(normaliser); }

  const Teacher& teacher_;
  const Log2Scale scale_;
  std::vector<TeacherSums> sums_;      // of each normaliser
  std::vector<NormaliserGrad> grads_;  // of each normaliser
  std::vector<float> positive_dots_;   // of each query
};

}  // namespace infcl
