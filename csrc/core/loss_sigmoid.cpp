// The family of the sigmoid: siglip. Each pair is a binary decision of its own, so there are no normalisers.
#include <cmath>

#include "core/backend.h"
#include "core/loss_families.h"
#include "core/numerics.h"
#include "core/refinement.h"

namespace infcl {

namespace {

class SigmoidLossState final : public QueryLossState {
 public:
  explicit SigmoidLossState(const ContrastiveRequest& r)
      : QueryLossState(r), softplus_sums_(static_cast<size_t>(r.queries.rows), 0.) {}

  void attach(int similarity, FoldArgs& a) override {
    QueryLossState::attach(similarity, a);
    a.softplus_sums = softplus_sums_.data();
  }

  // Rows have weights, as where they are anchors, but no normaliser.
  void attach(int similarity, DifferentiateArgs& a) const override {
    QueryLossState::attach(similarity, a);
    a.rows = &row_weights_;
  }

 protected:
  // softplus(-x_p) + sum_j softplus(x_j)
  RowLoss row_loss(int64_t i) const override {
    return {softplus_sums_[i] + softplus(-positive_logit(i)), std::nan("")};
  }

  double row_error(int64_t i, const LogitError& error) const override {
    return row_loss(i).loss * error.of(error.longest_logit);
  }

  void allocate_gradient() override {
    QueryLossState::allocate_gradient();
    row_weights_.weights.clear();
    for (int64_t i = 0; i < r_.queries.rows; ++i)
      row_weights_.weights.push_back(r_.logit_scale * weight(i) / total_weight_);
  }

  void prepare_rows(Range queries) override {
    for (int64_t i = queries.begin; i < queries.end; ++i)
      positive_grads_[i] = -row_weights_.weights[i] * sigmoid(-positive_logit(i));
  }

 private:
  double positive_logit(int64_t i) const { return r_.logit_scale * positive_dots_[i] + r_.logit_bias; }

  std::vector<double> softplus_sums_;
  NormaliserGrad row_weights_;  // without lse
};

}  // namespace

std::unique_ptr<LossState> make_sigmoid_loss(const ContrastiveRequest& r) {
  return std::make_unique<SigmoidLossState>(r);
}

}  // namespace infcl
