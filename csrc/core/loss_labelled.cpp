// The family of labelled softmax: clip, infonce and ntxent. The cross-entropy of a query's positive among
// everything that counts against its anchor, with label smoothing, hardness, hard negatives and a teacher.
#include <cmath>
#include <vector>

#include "core/backend.h"
#include "core/loss_families.h"
#include "core/refinement.h"
#include "core/teacher.h"

namespace infcl {

namespace {

class LabelledLossState final : public QueryLossState {
 public:
  explicit LabelledLossState(const ContrastiveRequest& r)
      : QueryLossState(r),
        positive_scale_(log2_scale(r.logit_scale)),
        negative_scale2_((r.logit_scale + r.hardness) * kLog2E),
        teacher_(r.teacher, anchor_counts()) {
    if (!smooths()) return;
    for (Normaliser& normaliser : normalisers_) {
      const size_t anchors = static_cast<size_t>(normaliser.lse.size());
      normaliser.dot_sums.assign(anchors, 0.);
      normaliser.counts.assign(anchors, 0);
    }
  }

  void attach(int similarity, FoldArgs& a) override {
    QueryLossState::attach(similarity, a);
    const Similarity& s = o_.similarities[similarity];
    a.teacher = teacher_.fold(s.row_normaliser, s.column_normaliser);
  }

  void attach(int similarity, DifferentiateArgs& a) const override {
    QueryLossState::attach(similarity, a);
    const Similarity& s = o_.similarities[similarity];
    a.teacher = teacher_.grad(s.row_normaliser, s.column_normaliser);
  }

  double dot_sum_correction() const override {
    double sum = teacher_dot_sum();
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
      for (int n = 0; n < o_.normaliser_count; ++n) {
        normalisers_[n].lse.fold(anchor_of(n, i), x);
        if (teacher_.given()) teacher_.add_positive(n, anchor_of(n, i), i, positive_dots_[i]);
      }
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
      if (teacher_.given()) row.loss += o_.normalisers[n].weight * teacher_loss(n, a, i);
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
      const double others = 1 - normalisers_[n].lse.softmax(positive_logit(i), anchor_of(n, i)) +
                            r_.label_smoothing + teacher_.weight();
      sum += o_.normalisers[n].weight * others * error.of(kLn2 * std::fmax(std::fabs(x), std::fabs(lse)));
    }
    return std::sqrt(2.) * sum;
  }

  void allocate_gradient() override {
    QueryLossState::allocate_gradient();
    teacher_.allocate_gradient();
    if (!smooths()) return;
    for (NormaliserGrad& g : grads_) g.uniform.assign(g.weights.size(), 0.f);
  }

  // dL/dx of a term is w (exp(x - a) - eps / n). At the positive, w (1 - eps) is subtracted as well. A
  // teacher of weight v adds w v (exp(x - a) - t). Backends subtract w v t at the negatives.
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
        const double of_teacher = w * teacher_.weight();
        g.weights[a] = w + of_teacher;
        const double softmax = normaliser.lse.softmax(positive_logit(i), a);
        positive_grads_[i] += w * (softmax - (1 - smoothing) - uniform);
        if (teacher_.given())
          positive_grads_[i] += of_teacher * (softmax - teacher_.prepare(n, a, i, of_teacher));
      }
    }
  }

 private:
  std::vector<int64_t> anchor_counts() const {
    std::vector<int64_t> counts;
    for (int n = 0; n < o_.normaliser_count; ++n) counts.push_back(anchor_count(n));
    return counts;
  }

  // weight * sum_j t_j (lse - x_j) = weight * (lse - x_p + s (the positive's dot - the mean dot))
  double teacher_loss(int n, int64_t anchor, int64_t query) const {
    const double to_positive = kLn2 * normalisers_[n].lse.log2_less(anchor, positive_logit(query));
    const double above_mean = r_.logit_scale * (positive_dots_[query] - teacher_.mean_dot(n, anchor));
    return teacher_.weight() * (to_positive + above_mean);
  }

  // The teacher's part of sum g_ij (q_i . k_j), without the positives, whose gradients of their own have it.
  double teacher_dot_sum() const {
    double sum = 0;
    if (!teacher_.given()) return sum;
    for (int n = 0; n < o_.normaliser_count; ++n)
      for (int64_t i = 0; i < r_.queries.rows; ++i) {
        const int64_t a = anchor_of(n, i);
        const double factor =
            r_.logit_scale * o_.normalisers[n].weight * weight(i) / total_weight_ * teacher_.weight();
        sum -=
            factor * (teacher_.mean_dot(n, a) - teacher_.positive_probability(n, a, i) * positive_dots_[i]);
      }
    return sum;
  }

  bool smooths() const { return r_.label_smoothing > 0; }
  Base2Logit positive_logit(int64_t query) const { return {positive_dots_[query], positive_scale_}; }

  // The anchor of a query's pair in a normaliser: the query, or its positive key. The binding takes labels
  // only where all anchors are queries.
  int64_t anchor_of(int n, int64_t query) const {
    return o_.normalisers[n].anchors == Side::kKeys && r_.labels ? r_.labels[query] : query;
  }

  const Log2Scale positive_scale_;
  const double negative_scale2_;  // as scale2_, for negatives: hardness included
  TeacherState teacher_;
};

}  // namespace

std::unique_ptr<LossState> make_labelled_loss(const ContrastiveRequest& r) {
  return std::make_unique<LabelledLossState>(r);
}

}  // namespace infcl
