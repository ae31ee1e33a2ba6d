// The family of class softmax: supcon. Each other row of an anchor's class is a positive, and the loss is a
// mean over the anchors that have one.
#include <cmath>

#include "core/abort.h"
#include "core/backend.h"
#include "core/class_sizes.h"
#include "core/loss_families.h"
#include "core/ranks.h"
#include "core/refinement.h"

namespace infcl {

namespace {

class ClassLossState final : public LossState {
 public:
  explicit ClassLossState(const ContrastiveRequest& r)
      : LossState(r), positive_max_dots_(static_cast<size_t>(r.queries.rows), -HUGE_VALF) {
    for (Normaliser& normaliser : normalisers_)
      normaliser.positive_dot_sums.assign(static_cast<size_t>(normaliser.lse.size()), 0.);
    count_positives();
  }

  // Counts the classes of all ranks. Those of the others go round once.
  void join(Ranks& ranks) override {
    std::vector<int32_t> own;
    for (int side = 0; side < 2; ++side) own.insert(own.end(), classes(side), classes(side) + rows(side));
    for_each_guest(ranks, own, [&](const std::vector<int32_t>& others) {
      sizes_.add_to_counted(others.data(), static_cast<int64_t>(others.size()), r_.control);
    });
    ranks.together([&] { weigh_anchors(); });
    LossState::join(ranks);
  }

  void attach(int similarity, FoldArgs& a) override {
    LossState::attach(similarity, a);
    if (a.row_max_dots) a.positive_max_dots = positive_max_dots_.data();
  }
  using LossState::attach;

  double expected_error(const LogitError& error) const override {
    double squares = 0;
    for (int n = 0; n < o_.normaliser_count; ++n)
      for (int64_t i = 0; i < anchor_count(n); ++i) {
        const double of_anchor = anchor_error(n, i, error);
        squares += of_anchor * of_anchor;
      }
    return standard_error(squares);
  }

  double dot_sum_correction() const override {
    double sum = 0;
    for (size_t n = 0; n < grads_.size(); ++n)
      for (size_t i = 0; i < grads_[n].positive_weights.size(); ++i)
        sum -= grads_[n].positive_weights[i] * normalisers_[n].positive_dot_sums[i];
    return sum;
  }

 protected:
  double sum_losses() override {
    double total = 0;
    for (int n = 0; n < o_.normaliser_count; ++n) total += sum_losses(n);
    return total;
  }

  const std::vector<float>& ranked_positive_dots() const override { return positive_max_dots_; }

  void allocate_gradient() override {
    LossState::allocate_gradient();
    for (NormaliserGrad& g : grads_) g.positive_weights.assign(g.weights.size(), 0.f);
  }

  // Anchors of both sides at once: no pass over these objectives is fused.
  void prepare_rows(Range /*queries*/) override {
    for (size_t n = 0; n < grads_.size(); ++n) {
      NormaliserGrad& g = grads_[n];
      for (size_t i = 0; i < g.weights.size(); ++i) {
        const int64_t positives = positive_counts_[n][i];
        if (positives == 0) continue;
        g.weights[i] = r_.logit_scale / total_weight_;
        g.positive_weights[i] = static_cast<float>(g.weights[i] / static_cast<double>(positives));
      }
    }
  }

 private:
  const int32_t* classes(int side) const { return side == 0 ? r_.query_classes : r_.key_classes; }
  int64_t rows(int side) const {
    return side == 0 ? r_.queries.rows : o_.normaliser_count > 1 ? r_.keys.rows : 0;
  }

  void count_positives() {
    for (int side = 0; side < 2; ++side) sizes_.add(classes(side), rows(side));
    sizes_.count(r_.control);
    weigh_anchors();
  }

  // The loss is a mean over anchors with at least one positive.
  void weigh_anchors() {
    total_weight_ = 0;
    positive_counts_.assign(normalisers_.size(), {});
    for (int n = 0; n < o_.normaliser_count; ++n) {
      const int32_t* own = classes(static_cast<int>(o_.normalisers[n].anchors));
      for_each_unless_aborted(anchor_count(n), r_.control, [&](int64_t i) {
        positive_counts_[n].push_back(sizes_.of(own[i]) - 1);
        total_weight_ += positive_counts_[n].back() > 0;
      });
    }
  }

  // mean_p x_p of an anchor with positives, in base 2
  double mean_positive_logit(int n, int64_t i) const {
    return scale2_ * normalisers_[n].positive_dot_sums[i] / static_cast<double>(positive_counts_[n][i]);
  }

  // sum over anchors with positives of a - mean_p x_p
  double sum_losses(int n) {
    double total = 0;
    for (int64_t i = 0; i < anchor_count(n); ++i) {
      const double lse = normalisers_[n].lse.log2(i);
      const double loss = positive_counts_[n][i] ? kLn2 * (lse - mean_positive_logit(n, i)) : 0;
      total += loss;
      if (n == 0) write_row(i, loss, kLn2 * lse);
    }
    return total;
  }

  // The derivatives are p_j, less an equal weight at each positive. Either part has at most the weight 1.
  double anchor_error(int n, int64_t i, const LogitError& error) const {
    if (positive_counts_[n][i] == 0) return 0;
    const double mean = mean_positive_logit(n, i);
    const double largest = std::fmax(std::fabs(mean), std::fabs(normalisers_[n].lse.log2(i)));
    return std::sqrt(2.) * error.of(kLn2 * largest);
  }

  ClassSizes sizes_;
  std::vector<float> positive_max_dots_;               // [queries]
  std::vector<std::vector<int64_t>> positive_counts_;  // of each anchor, per normaliser
};

}  // namespace

std::unique_ptr<LossState> make_class_loss(const ContrastiveRequest& r) {
  return std::make_unique<ClassLossState>(r);
}

}  // namespace infcl
