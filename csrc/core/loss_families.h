// The four families of losses. Labelled softmax and sigmoid have one positive and one loss per query, so
// both build on QueryLossState.
#pragma once

#include <memory>
#include <vector>

#include "core/loss_state.h"

namespace infcl {

// sum_i w_i loss_i / sum_i w_i over queries. Each query has one labelled positive.
class QueryLossState : public LossState {
 public:
  void attach(int similarity, FoldArgs&) override;
  void attach(int similarity, DifferentiateArgs&) const override;
  double expected_error(const LogitError&) const final;

 protected:
  struct RowLoss {
    double loss = 0, lse = 0;
  };

  explicit QueryLossState(const ContrastiveRequest&);

  virtual RowLoss row_loss(int64_t query) const = 0;
  virtual double row_error(int64_t query, const LogitError&) const = 0;

  double sum_losses() final;
  const std::vector<float>& ranked_positive_dots() const final { return positive_dots_; }
  void allocate_gradient() override;
  double weight(int64_t query) const { return r_.query_weights ? r_.query_weights[query] : 1; }

  std::vector<float> positive_dots_;
  std::vector<double> positive_grads_;  // g at the positives
};

// clip, infonce, ntxent: a query's positive against all that counts against it.
std::unique_ptr<LossState> make_labelled_loss(const ContrastiveRequest&);
// clip, infonce with lists: each key of a query's list is a positive.
std::unique_ptr<LossState> make_listed_loss(const ContrastiveRequest&);
// supcon: each row of an anchor's class is a positive. Throws Error (kAborted).
std::unique_ptr<LossState> make_class_loss(const ContrastiveRequest&);
// siglip: each pair is a binary decision, and no anchor has a normaliser.
std::unique_ptr<LossState> make_sigmoid_loss(const ContrastiveRequest&);

}  // namespace infcl
