// The loss as a weighted mean over queries: shared by the families of labelled softmax and sigmoid.
#include "core/backend.h"
#include "core/loss_families.h"

namespace infcl {

QueryLossState::QueryLossState(const ContrastiveRequest& r)
    : LossState(r), positive_dots_(static_cast<size_t>(r.queries.rows), 0.f) {
  for (int64_t i = 0; i < r.queries.rows; ++i) total_weight_ += weight(i);
}

void QueryLossState::attach(int similarity, FoldArgs& a) {
  LossState::attach(similarity, a);
  if (!o_.similarities[similarity].triangle()) a.positive_dots = positive_dots_.data();
}

void QueryLossState::attach(int similarity, DifferentiateArgs& a) const {
  LossState::attach(similarity, a);
  if (o_.similarities[similarity].triangle()) return;
  a.positive_dots = positive_dots_.data();
  a.positive_grads = positive_grads_.data();
}

double QueryLossState::sum_losses() {
  double total = 0;
  for (int64_t i = 0; i < r_.queries.rows; ++i) {
    const RowLoss row = row_loss(i);
    total += weight(i) * row.loss;
    write_row(i, row.loss, row.lse);
  }
  return total;
}

double QueryLossState::expected_error(const LogitError& error) const {
  double squares = 0;
  for (int64_t i = 0; i < r_.queries.rows; ++i) {
    const double of_row = weight(i) * row_error(i, error);
    squares += of_row * of_row;
  }
  return standard_error(squares);
}

void QueryLossState::allocate_gradient() {
  LossState::allocate_gradient();
  positive_grads_.assign(static_cast<size_t>(r_.queries.rows), 0.);
}

}  // namespace infcl
