#include "core/loss_state.h"

#include <algorithm>
#include <cmath>

#include "core/abort.h"
#include "core/class_sizes.h"
#include "core/numerics.h"

namespace infcl {

LossState::LossState(const ContrastiveRequest& r)
    : r_(r),
      o_(r.objective),
      scale_(log2_scale(r.logit_scale)),
      hard_negative_scale_(log2_scale(r.logit_scale + r.hard_negative_hardness)),
      scale2_(r.logit_scale * kLog2E),
      negative_scale2_((r.logit_scale + r.hardness) * kLog2E),
      normalisers_(static_cast<size_t>(o_.normaliser_count)) {
  const size_t m = static_cast<size_t>(r.queries.rows);
  for (int n = 0; n < o_.normaliser_count; ++n) {
    Normaliser& normaliser = normalisers_[n];
    const int64_t count = anchor_count(n);
    normaliser.lse.reset(count);
    if (r.label_smoothing > 0) {
      normaliser.dot_sums.assign(static_cast<size_t>(count), 0.);
      normaliser.counts.assign(static_cast<size_t>(count), 0);
    }
    if (o_.positives == PositiveKind::kClass)
      normaliser.positive_dot_sums.assign(static_cast<size_t>(count), 0.);
  }
  row_max_dots_.assign(m, -HUGE_VALF);
  if (o_.positives == PositiveKind::kLabel) positive_dots_.assign(m, 0.f);
  if (o_.positives == PositiveKind::kClass) {
    positive_max_dots_.assign(m, -HUGE_VALF);
    count_classes();
  } else {
    for (int64_t i = 0; i < r.queries.rows; ++i) total_weight_ += weight(i);
  }
  if (o_.sigmoid) softplus_sums_.assign(m, 0.);
  if (r.has_margin) limits_.assign(m, 0.f);
  hard_negative_dots_.assign(m * static_cast<size_t>(r.hard_negatives_per_query), 0.f);
  if (r.hard_negatives_per_query > 0) hard_negative_errors_.assign(m, 0.f);
}

int64_t LossState::anchor_count(int n) const {
  return o_.normalisers[n].anchors == Side::kQueries ? r_.queries.rows : r_.keys.rows;
}

// Anchor of query i's pair in a normaliser; labels are only allowed where anchors are queries.
int64_t LossState::anchor_of(int n, int64_t query) const {
  return o_.normalisers[n].anchors == Side::kKeys && r_.labels ? r_.labels[query] : query;
}

void LossState::shift_limits(double margin) {
  for (float& limit : limits_) limit = static_cast<float>(limit + margin);
}

void LossState::count_classes() {
  ClassSizes members;
  const int32_t* classes[2] = {r_.query_classes, r_.key_classes};
  const int64_t rows[2] = {r_.queries.rows, o_.normaliser_count > 1 ? r_.keys.rows : 0};
  for (int side = 0; side < 2; ++side) members.add(classes[side], rows[side]);
  members.count(r_.control);
  positive_counts_.resize(normalisers_.size());
  for (int n = 0; n < o_.normaliser_count; ++n) {
    const int32_t* own = classes[static_cast<int>(o_.normalisers[n].anchors)];
    for_each_unless_aborted(anchor_count(n), r_.control, [&](int64_t i) {
      positive_counts_[n].push_back(members.of(own[i]) - 1);
      total_weight_ += positive_counts_[n].back() > 0;
    });
  }
}

int64_t LossState::close() {
  const Range all{0, r_.queries.rows};
  const int64_t excluded = fold_hard_negatives(all);
  add_labelled_positives(all);
  for (Normaliser& n : normalisers_) n.lse.normalise(0, n.lse.size());
  return excluded;
}

int64_t LossState::close_rows(Range queries) {
  const int64_t excluded = fold_hard_negatives(queries);
  add_labelled_positives(queries);
  for (Normaliser& n : normalisers_) n.lse.normalise(queries.begin, queries.end);
  prepare_rows(queries);
  return excluded;
}

// An excluded negative is marked by a dot of -inf, whose exponential is 0.
int64_t LossState::fold_hard_negatives(Range queries) {
  if (hard_negative_dots_.empty()) return 0;
  int64_t excluded = 0;
  Normaliser& n = normalisers_[0];
  for (int64_t at = queries.begin * r_.hard_negatives_per_query;
       at < queries.end * r_.hard_negatives_per_query; ++at) {
    const int64_t i = at / r_.hard_negatives_per_query;
    float& dot = hard_negative_dots_[at];
    if (r_.has_margin && dot > limits_[i]) {
      dot = -HUGE_VALF;
      ++excluded;
      continue;
    }
    n.lse.fold(i, Base2Logit(dot, hard_negative_scale_));
    row_max_dots_[i] = std::max(row_max_dots_[i], dot - hard_negative_errors_[i]);  // a tie stays one
    if (n.counts.empty()) continue;
    n.dot_sums[i] += dot;
    ++n.counts[i];
  }
  return excluded;
}

double LossState::prepare_hard_negatives() {
  double dot_sum = 0;
  const NormaliserGrad& g = grads_[0];
  hard_negative_grads_.resize(hard_negative_dots_.size());
  for (size_t at = 0; at < hard_negative_dots_.size(); ++at) {
    const int64_t i = static_cast<int64_t>(at) / r_.hard_negatives_per_query;
    const float dot = hard_negative_dots_[at];
    double grad = 0;
    if (std::isfinite(dot)) {
      // the uniform term's share of sum g * dot is in dot_sum_correction
      grad = g.weights[i] * normalisers_[0].lse.softmax(Base2Logit(dot, hard_negative_scale_), i);
      dot_sum += grad * dot;
      if (!g.uniform.empty()) grad -= g.uniform[i];
    }
    hard_negative_grads_[at] = static_cast<float>(grad);
  }
  return dot_sum;
}

void LossState::add_labelled_positives(Range queries) {
  if (o_.positives == PositiveKind::kClass) return;
  for (int64_t i = queries.begin; i < queries.end; ++i) {
    const Base2Logit x = positive_logit(i);
    for (int n = 0; n < o_.normaliser_count; ++n) normalisers_[n].lse.fold(anchor_of(n, i), x);
  }
}

// sum_n weight_n [ (a_n - x_p) + eps (x_p - mean_j x_j) ], the mean over n_a negatives and the positive
LossState::RowLoss LossState::labelled_row(int64_t i) const {
  const Base2Logit x = positive_logit(i);
  RowLoss row;
  for (int n = 0; n < o_.normaliser_count; ++n) {
    const Normaliser& normaliser = normalisers_[n];
    const int64_t a = anchor_of(n, i);
    double loss = normaliser.lse.log2_less(a, x);
    if (r_.label_smoothing > 0) {
      const double negatives = static_cast<double>(normaliser.counts[a]);
      const double less = negatives * scale2_ * positive_dots_[i] - negative_scale2_ * normaliser.dot_sums[a];
      loss += r_.label_smoothing * less / (negatives + 1);
    }
    row.loss += kLn2 * o_.normalisers[n].weight * loss;
  }
  row.lse = kLn2 * normalisers_[0].lse.log2(anchor_of(0, i));
  return row;
}

// softplus(-x_p) + sum_j softplus(x_j)
LossState::RowLoss LossState::sigmoid_row(int64_t i) const {
  const double x = r_.logit_scale * positive_dots_[i] + r_.logit_bias;
  return {softplus_sums_[i] + softplus(-x), std::nan("")};
}

// sum over anchors with positives of a - mean_p x_p
double LossState::class_loss(int n) {
  double total = 0;
  const Normaliser& normaliser = normalisers_[n];
  for (int64_t i = 0; i < anchor_count(n); ++i) {
    const int64_t positives = positive_counts_[n][i];
    const double lse = normaliser.lse.log2(i);
    const double loss =
        positives ? kLn2 * (lse - scale2_ * normaliser.positive_dot_sums[i] / static_cast<double>(positives))
                  : 0;
    total += loss;
    if (n == 0 && r_.row_loss) {
      r_.row_loss[i] = static_cast<float>(loss);
      r_.row_lse[i] = static_cast<float>(kLn2 * lse);
    }
  }
  return total;
}

void LossState::finish_loss(ContrastiveResult& out) {
  const bool classes = o_.positives == PositiveKind::kClass;
  double total = 0;
  if (classes)
    for (int n = 0; n < o_.normaliser_count; ++n) total += class_loss(n);
  const std::vector<float>& own = classes ? positive_max_dots_ : positive_dots_;
  int64_t first = 0;
  for (int64_t i = 0; i < r_.queries.rows; ++i) {
    const bool ranks_first = own[i] >= row_max_dots_[i] && own[i] > -HUGE_VALF;
    first += ranks_first;
    if (r_.row_positive_first) r_.row_positive_first[i] = ranks_first;
    if (classes) continue;
    const RowLoss row = o_.sigmoid ? sigmoid_row(i) : labelled_row(i);
    total += weight(i) * row.loss;
    if (r_.row_loss) {
      r_.row_loss[i] = static_cast<float>(row.loss);
      r_.row_lse[i] = static_cast<float>(row.lse);
    }
  }
  out.loss = total_weight_ > 0 ? total / total_weight_ : 0;
  out.accuracy = static_cast<double>(first) / static_cast<double>(r_.queries.rows);
  if (o_.similarities[0].triangle())
    out.accuracy = std::nan("");  // nothing is ranked against a query but its own kind
}

void LossState::prepare_gradient() {
  allocate_gradient();
  if (o_.positives == PositiveKind::kClass) return prepare_classes();
  prepare_rows({0, r_.queries.rows});
}

void LossState::allocate_gradient() {
  grads_.resize(std::max<size_t>(1, normalisers_.size()));
  for (int n = 0; n < o_.normaliser_count; ++n) {
    grads_[n].lse = &normalisers_[n].lse;
    grads_[n].weights.assign(static_cast<size_t>(anchor_count(n)), 0.);
    if (r_.label_smoothing > 0 && o_.positives == PositiveKind::kLabel)
      grads_[n].uniform.assign(grads_[n].weights.size(), 0.f);
  }
  if (o_.sigmoid)
    for (int64_t i = 0; i < r_.queries.rows; ++i)
      grads_[0].weights.push_back(r_.logit_scale * weight(i) / total_weight_);
  if (o_.positives == PositiveKind::kLabel) positive_grads_.assign(static_cast<size_t>(r_.queries.rows), 0.);
}

void LossState::prepare_rows(Range queries) {
  return o_.sigmoid ? prepare_sigmoid(queries) : prepare_labelled(queries);
}

// dL/dx: weights exp(x - a) for every term, less (1 - eps) + eps / n at the positive and eps / n at the
// others
void LossState::prepare_labelled(Range queries) {
  const double smoothing = r_.label_smoothing;
  for (int n = 0; n < o_.normaliser_count; ++n) {
    const Normaliser& normaliser = normalisers_[n];
    NormaliserGrad& g = grads_[n];
    for (int64_t i = queries.begin; i < queries.end; ++i) {
      const int64_t a = anchor_of(n, i);
      const double w = r_.logit_scale * o_.normalisers[n].weight * weight(i) / total_weight_;
      double uniform = 0;
      if (smoothing > 0) {
        uniform = smoothing / static_cast<double>(normaliser.counts[a] + 1);
        g.uniform[a] = static_cast<float>(w * uniform);
      }
      g.weights[a] = w;
      positive_grads_[i] += w * (normaliser.lse.softmax(positive_logit(i), a) - (1 - smoothing) - uniform);
    }
  }
}

void LossState::prepare_classes() {
  if (total_weight_ == 0) total_weight_ = 1;  // every weight below is then 0
  for (int n = 0; n < o_.normaliser_count; ++n) {
    NormaliserGrad& g = grads_[n];
    g.positive_shares.assign(g.weights.size(), 0.f);
    for (size_t i = 0; i < g.weights.size(); ++i) {
      const int64_t positives = positive_counts_[n][i];
      if (positives == 0) continue;
      g.weights[i] = r_.logit_scale / total_weight_;
      g.positive_shares[i] = static_cast<float>(g.weights[i] / static_cast<double>(positives));
    }
  }
}

void LossState::prepare_sigmoid(Range queries) {
  for (int64_t i = queries.begin; i < queries.end; ++i) {
    const double x = r_.logit_scale * positive_dots_[i] + r_.logit_bias;
    positive_grads_[i] = -grads_[0].weights[i] * sigmoid(-x);
  }
}

double LossState::dot_sum_correction() const {
  double sum = 0;
  for (size_t n = 0; n < normalisers_.size(); ++n) {
    const NormaliserGrad& g = grads_[n];
    for (size_t i = 0; i < g.uniform.size(); ++i) sum -= g.uniform[i] * normalisers_[n].dot_sums[i];
    for (size_t i = 0; i < g.positive_shares.size(); ++i)
      sum -= g.positive_shares[i] * normalisers_[n].positive_dot_sums[i];
  }
  return sum;
}

}  // namespace infcl
