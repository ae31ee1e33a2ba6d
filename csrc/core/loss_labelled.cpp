// The family of labelled softmax: clip, infonce and ntxent. The cross-entropy of a query's positive among
// everything that counts against its anchor, with label smoothing, hardness and hard negatives.
#include <cmath>

#include "core/loss_families.h"
#include "core/refinement.h"

namespace infcl {

namespace {

class LabelledLossState final : public QueryLossState {
 public:
  explicit LabelledLossState(const ContrastiveRequest& r)
      : QueryLossState(r),
        positive_scale_(log2_scale(r.logit_scale)),
        negative_scale2_((r.logit_scale + r.hardness) * kLog2E) {
    if (!smooths()) return;
    for (Normaliser& normaliser : normalisers_) {
      const size_t anchors = static_cast<size_t>(normaliser.lse.size());
      normaliser.dot_sums.assign(anchors, 0.);
      normaliser.counts.assign(anchors, 0);
    }
  }

  double dot_sum_correction() const override {
    double sum = 0;
    for (size_t n = 0; n < grads_.size(); ++n)
      for (size_t i = 0; i < grads_[n].uniform.size(); ++i)
        sum -= grads_[n].uniform[i] * normalisers_[n].dot_sums[i];
    return sum;
  }

 protected:
  // Hard negatives, then the positives: a tile holds neither.
  int64_t add_terms_outside_tiles(Range queries) override {
    const int64_t excluded = hard_negatives_.fold(queries, normalisers_[0], row_max_dots_, limits_);
    for (int64_t i = queries.begin; i < queries.end; ++i) {
      const Base2Logit x = positive_logit(i);
      for (int n = 0; n < o_.normaliser_count; ++n) normalisers_[n].lse.fold(anchor_of(n, i), x);
    }
    return excluded;
  }

  // sum_n weight_n [ (a_n - x_p) + eps (x_p - mean_j x_j) ], the mean over n_a negatives and the positive
  RowLoss row_loss(int64_t i) const override {
    const Base2Logit x = positive_logit(i);
    RowLoss row;
    for (int n = 0; n < o_.normaliser_count; ++n) {
      const Normaliser& normaliser = normalisers_[n];
      const int64_t a = anchor_of(n, i);
      double loss = normaliser.lse.log2_less(a, x);
      if (smooths()) {
        const double negatives = static_cast<double>(normaliser.counts[a]);
        const double less =
            negatives * scale2_ * positive_dots_[i] - negative_scale2_ * normaliser.dot_sums[a];
        loss += r_.label_smoothing * less / (negatives + 1);
      }
      row.loss += kLn2 * o_.normalisers[n].weight * loss;
    }
    row.lse = kLn2 * normalisers_[0].lse.log2(anchor_of(0, i));
    return row;
  }

  // The derivatives of a row are p_j - [j is the positive], less the uniform term of smoothing. Their squares
  // add up to at most 2 (1 - p)^2 with p of the positive. So a row whose positive has all the weight has no
  // error. Both logits that matter are no larger than the log-sum-exp or the positive.
  double row_error(int64_t i, const LogitError& error) const override {
    const double x = scale2_ * positive_dots_[i];
    double sum = 0;
    for (int n = 0; n < o_.normaliser_count; ++n) {
      const double lse = normalisers_[n].lse.log2(anchor_of(n, i));
      const double others =
          1 - normalisers_[n].lse.softmax(positive_logit(i), anchor_of(n, i)) + r_.label_smoothing;
      sum += o_.normalisers[n].weight * others * error.of(kLn2 * std::fmax(std::fabs(x), std::fabs(lse)));
    }
    return std::sqrt(2.) * sum;
  }

  void allocate_gradient() override {
    QueryLossState::allocate_gradient();
    if (!smooths()) return;
    for (NormaliserGrad& g : grads_) g.uniform.assign(g.weights.size(), 0.f);
  }

  // dL/dx of a term is w (exp(x - a) - eps / n). At the positive, w (1 - eps) is subtracted as well.
  void prepare_rows(Range queries) override {
    const double smoothing = r_.label_smoothing;
    for (int n = 0; n < o_.normaliser_count; ++n) {
      const Normaliser& normaliser = normalisers_[n];
      NormaliserGrad& g = grads_[n];
      for (int64_t i = queries.begin; i < queries.end; ++i) {
        const int64_t a = anchor_of(n, i);
        const double w = r_.logit_scale * o_.normalisers[n].weight * weight(i) / total_weight_;
        double uniform = 0;
        if (smooths()) {
          uniform = smoothing / static_cast<double>(normaliser.counts[a] + 1);
          g.uniform[a] = static_cast<float>(w * uniform);
        }
        g.weights[a] = w;
        positive_grads_[i] += w * (normaliser.lse.softmax(positive_logit(i), a) - (1 - smoothing) - uniform);
      }
    }
  }

 private:
  bool smooths() const { return r_.label_smoothing > 0; }
  Base2Logit positive_logit(int64_t query) const { return {positive_dots_[query], positive_scale_}; }

  // The anchor of a query's pair in a normaliser: the query, or its positive key. The binding takes labels
  // only where all anchors are queries.
  int64_t anchor_of(int n, int64_t query) const {
    return o_.normalisers[n].anchors == Side::kKeys && r_.labels ? r_.labels[query] : query;
  }

  const Log2Scale positive_scale_;
  const double negative_scale2_;  // as scale2_, for negatives: hardness included
};

}  // namespace

std::unique_ptr<LossState> make_labelled_loss(const ContrastiveRequest& r) {
  return std::make_unique<LabelledLossState>(r);
}

}  // namespace infcl
