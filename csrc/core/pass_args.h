// What the backend is told about each similarity: the objective's row of the table, the request and the
// anchors in its words.
#pragma once

#include "core/backend.h"
#include "core/loss_state.h"

namespace infcl {

class PassArgs {
 public:
  // Arguments point into the anchors.
  PassArgs(const ContrastiveRequest& request, LossState& state)
      : r_(request), o_(request.objective), state_(state) {}

  FoldArgs fold(int similarity);
  // After LossState::prepare_gradient or begin_rows: to form G, and to multiply it.
  DifferentiateArgs logit_gradient(int similarity);
  DifferentiateArgs gradient(int similarity);

 private:
  Positives positives(int similarity) const;
  PairMask mask(int similarity) const;
  float* gradient(Side s) const { return s == Side::kQueries ? r_.d_queries : r_.d_keys; }

  const ContrastiveRequest& r_;
  const Objective& o_;
  LossState& state_;
};

}  // namespace infcl
