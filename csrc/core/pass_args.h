// Puts the request, the objective's row of the table and the loss state into a backend's words: the arguments
// of the passes over each similarity.
#pragma once

#include "core/backend.h"
#include "core/loss_state.h"

namespace infcl {

class PassArgs {
 public:
  // Arguments point into `state` and `guide`.
  PassArgs(const ContrastiveRequest& request, LossState& state, const GuideState& guide)
      : r_(request), o_(request.objective), state_(state), guide_(guide) {}

  FoldArgs fold(int similarity);
  // After LossState::prepare_gradient or begin_rows. The first only forms G; the second multiplies it too.
  DifferentiateArgs logit_gradient(int similarity);
  DifferentiateArgs gradient(int similarity);

 private:
  // The part that both passes have in common.
  template <class Args>
  Args args_of(int similarity);
  Positives positives(int similarity) const;
  PairMask mask(int similarity) const;

  const ContrastiveRequest& r_;
  const Objective& o_;
  LossState& state_;
  const GuideState& guide_;
};

}  // namespace infcl
