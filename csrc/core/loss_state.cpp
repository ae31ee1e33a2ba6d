#include "core/loss_state.h"

#include <cmath>

#include "core/backend.h"
#include "core/loss_families.h"
#include "core/ranks.h"

namespace infcl {

namespace {

// kNone gives null.
template <class T>
T* at(std::vector<T>& vectors, int index) {
  return index == kNone ? nullptr : &vectors[index];
}
template <class T>
const T* at(const std::vector<T>& vectors, int index) {
  return index == kNone ? nullptr : &vectors[index];
}

}  // namespace

std::unique_ptr<LossState> make_loss_state(const ContrastiveRequest& r) {
  switch (r.objective.family) {
    case LossFamily::kClassSoftmax:
      return make_class_loss(r);
    case LossFamily::kSigmoid:
      return make_sigmoid_loss(r);
    case LossFamily::kListedSoftmax:
      return make_listed_loss(r);
    case LossFamily::kLabelledSoftmax:
      break;
  }
  return make_labelled_loss(r);
}

LossState::LossState(const ContrastiveRequest& r)
    : r_(r),
      o_(r.objective),
      scale2_(r.logit_scale * kLog2E),
      normalisers_(static_cast<size_t>(o_.normaliser_count)),
      row_max_dots_(static_cast<size_t>(r.queries.rows), -HUGE_VALF),
      hard_negatives_(r) {
  for (int n = 0; n < o_.normaliser_count; ++n) normalisers_[n].lse.reset(anchor_count(n));
  if (r.has_margin) limits_.assign(static_cast<size_t>(r.queries.rows), 0.f);
}

void LossState::join(Ranks& ranks) {
  ranks_ = &ranks;
  total_weight_ = sum_over_ranks(total_weight_);
}

double LossState::sum_over_ranks(double mine) const { return ranks_ ? ranks_->sum(mine) : mine; }

void LossState::attach(int similarity, FoldArgs& a) {
  const Similarity& s = o_.similarities[similarity];
  a.rows = at(normalisers_, s.row_normaliser);
  a.columns = at(normalisers_, s.column_normaliser);
  if (similarity == kRankedSimilarity && !s.triangle()) a.row_max_dots = row_max_dots_.data();
}

void LossState::attach(int similarity, DifferentiateArgs& a) const {
  const Similarity& s = o_.similarities[similarity];
  a.rows = at(grads_, s.row_normaliser);
  a.columns = at(grads_, s.column_normaliser);
}

int64_t LossState::anchor_count(int n) const {
  return o_.normalisers[n].anchors == Side::kQueries ? r_.queries.rows : r_.keys.rows;
}

void LossState::shift_limits(double margin) {
  for (float& limit : limits_) limit = static_cast<float>(limit + margin);
}

int64_t LossState::close() {
  const int64_t excluded = add_terms_outside_tiles({0, r_.queries.rows});
  for (Normaliser& n : normalisers_) n.lse.normalise(0, n.lse.size());
  return excluded;
}

int64_t LossState::close_rows(Range queries) {
  const int64_t excluded = add_terms_outside_tiles(queries);
  for (Normaliser& n : normalisers_) n.lse.normalise(queries.begin, queries.end);
  prepare_rows(queries);
  return excluded;
}

MeanLoss LossState::finish_loss() {
  const double total = sum_over_ranks(sum_losses());
  const std::vector<float>& own = ranked_positive_dots();
  int64_t first = 0;
  for (int64_t i = 0; i < r_.queries.rows; ++i) {
    const bool ranks_first = own[i] >= row_max_dots_[i] && own[i] > -HUGE_VALF;
    first += ranks_first;
    if (r_.row_positive_first) r_.row_positive_first[i] = ranks_first;
  }
  MeanLoss out;
  out.loss = total_weight_ > 0 ? total / total_weight_ : 0;
  // All ranks must sum in one order, so each sum has a statement of its own.
  const double firsts = sum_over_ranks(static_cast<double>(first));
  const double queries = sum_over_ranks(static_cast<double>(r_.queries.rows));
  // Without keys, no row of the other side ranks against a query's positive.
  out.accuracy = o_.similarities[kRankedSimilarity].triangle() ? std::nan("") : firsts / queries;
  return out;
}

void LossState::write_row(int64_t query, double loss, double lse) const {
  if (!r_.row_loss) return;
  r_.row_loss[query] = static_cast<float>(loss);
  r_.row_lse[query] = static_cast<float>(lse);
}

double LossState::standard_error(double squares) const {
  const double all = sum_over_ranks(squares);
  return total_weight_ > 0 ? std::sqrt(all) / total_weight_ : 0;
}

void LossState::prepare_gradient() {
  allocate_gradient();
  prepare_rows({0, r_.queries.rows});
}

void LossState::allocate_gradient() {
  grads_.resize(normalisers_.size());
  for (int n = 0; n < o_.normaliser_count; ++n) {
    grads_[n].lse = &normalisers_[n].lse;
    grads_[n].weights.assign(static_cast<size_t>(anchor_count(n)), 0.);
  }
}

}  // namespace infcl
