// What the backend is told about each pass: the objective's row of the table, the request and the anchors in
// its words.
#pragma once

#include "core/backend.h"
#include "core/loss_state.h"

namespace infcl {

class LapArgs {
 public:
  // Arguments point into the anchors.
  LapArgs(const ContrastiveRequest& request, Anchors& anchors)
      : r_(request), o_(request.objective), anchors_(anchors) {}

  FoldArgs fold(int pass);
  // After Anchors::prepare_gradient or begin_rows: to form G, and to multiply it.
  DifferentiateArgs logit_gradient(int pass);
  DifferentiateArgs gradient(int pass);

 private:
  PassPositives positives(int pass) const;
  PairMask mask(int pass) const;
  float* gradient(Side s) const { return s == Side::kQueries ? r_.d_queries : r_.d_keys; }

  const ContrastiveRequest& r_;
  const Objective& o_;
  Anchors& anchors_;
};

}  // namespace infcl
