// Single pairs of rows: each query with its labelled key, or with its hard negatives.
#include <algorithm>
#include <vector>

#include "cuda/backend.h"

namespace infcl::cuda {

namespace {

// The most by which a pair's dot and a tile's dot may differ, relative to the sum of |x_d y_d|. Both add up
// the same products, but in another order. A tensor core that adds 8 products a step loses less than 2^-24 of
// the largest for each of 9 addends, and 2^-23 of the sum: 11/16 of 2^-23 for each product
// (docs/numerics.md). The fused multiply-adds of pair_dots round to nearest and lose half of 2^-23 for each
// product. Both together are less than 5/4.
float dot_rounding(Precision precision, int64_t padded_dim) {
  const int64_t products = planes_of(precision) == 2 ? 3 : 1;
  return 0x1p-23f * static_cast<float>(products * padded_dim * 5 / 4 + 16);
}

}  // namespace

// Adds to each dot the most by which a tile's dot of equal rows may exceed it.
void CudaBackend::positive_dots(const int32_t* labels, float* out) {
  const DeviceContext::Scope current(context_);
  PassVectors& vectors = *call_->vectors;
  const int64_t queries = call_->problem.matrix(Operand::kQueries).view.rows,
                keys = call_->problem.matrix(Operand::kKeys).view.rows;
  const OperandStore::Pass pass{{Operand::kQueries, false},
                                {Operand::kKeys, false},
                                labelled_visits({queries, keys, false}, labels, call_->plan.slabs)};
  visit_slabs(pass, [&](const SlabVisit& v) {
    const int64_t count = v.rows.size();
    const auto is_here = [&](int64_t i) {
      return v.columns.contains(labels ? labels[v.rows.begin + i] : v.rows.begin + i);
    };
    // Rows whose partner is in another slab take any partner here: their dots are not read.
    std::vector<int32_t> partners(static_cast<size_t>(count), 0);
    for (int64_t i = 0; i < count; ++i)
      if (is_here(i))
        partners[i] =
            static_cast<int32_t>((labels ? labels[v.rows.begin + i] : v.rows.begin + i) - v.columns.begin);
    vectors.reset();
    PairArgs a = pairs(call_->store->planes(Operand::kQueries, v.rows.begin),
                       call_->store->planes(Operand::kKeys, v.columns.begin));
    a.count = count;
    a.per_row = 1;
    a.labels = vectors.upload(partners.data(), count);
    a.dots = vectors.take<float>(count);
    a.errors = vectors.take<float>(count);
    machine_->kernels.pair_dots(machine_->stream, a);
    std::vector<float> dots(static_cast<size_t>(count)), errors(dots);
    download(a.dots, count, sizeof(float), sizeof(float), dots.data());
    download(a.errors, count, sizeof(float), sizeof(float), errors.data());
    for (int64_t i = 0; i < count; ++i)
      if (is_here(i)) out[v.rows.begin + i] = dots[i] + errors[i];
  });
}

template <class F>
void CudaBackend::visit_hard_negatives(bool gradients, F f) {
  const Problem& p = call_->problem;
  OperandStore& store = *call_->store;
  const int64_t per_query = p.hard_negative_rows.per_query;
  const auto side = [&](Operand o) { return OperandStore::Side{o, gradients && p.matrix(o).gradient}; };
  const OperandStore::Pass pass{
      side(Operand::kQueries), side(Operand::kHardNegatives),
      hard_negative_visits(p.matrix(Operand::kQueries).view.rows, per_query, call_->plan.slabs)};
  visit_slabs(pass, [&](const SlabVisit& v) {
    const int64_t first = v.columns.begin, query = first / per_query;
    PairArgs a = pairs(store.planes(Operand::kQueries, query), store.planes(Operand::kHardNegatives, first));
    a.count = v.columns.size();
    a.per_row = std::min(per_query, a.count);
    if (pass.rows.gradient) a.d_rows = store.sums(Operand::kQueries, query);
    if (pass.columns.gradient) a.d_columns = store.sums(Operand::kHardNegatives, first);
    f(a, first);
    store.work_ahead();
  });
}

void CudaBackend::hard_negative_dots(float* dots, float* errors) {
  const DeviceContext::Scope current(context_);
  const int64_t count = call_->problem.matrix(Operand::kHardNegatives).view.rows;
  call_->vectors->reset();
  float* const all = call_->vectors->take<float>(count);
  float* const all_errors = call_->vectors->take<float>(count);
  visit_hard_negatives(false, [&](PairArgs& a, int64_t first) {
    a.dots = all + first;
    a.errors = all_errors + first;
    machine_->kernels.pair_dots(machine_->stream, a);
  });
  download(all, count, sizeof(float), sizeof(float), dots);
  std::vector<float> of_pairs(static_cast<size_t>(count));
  download(all_errors, count, sizeof(float), sizeof(float), of_pairs.data());
  for (int64_t at = 0; at < count; ++at) {
    float& error = errors[at / call_->problem.hard_negative_rows.per_query];
    error = std::max(error, of_pairs[at]);
  }
}

double CudaBackend::differentiate_hard_negatives(const HardNegativeArgs& args) {
  const DeviceContext::Scope current(context_);
  call_->vectors->reset();
  const float* const all =
      call_->vectors->upload(args.g, call_->problem.matrix(Operand::kHardNegatives).view.rows);
  visit_hard_negatives(args.gradients, [&](PairArgs& a, int64_t first) {
    a.g = all + first;
    machine_->kernels.pair_gradients(machine_->stream, a);
  });
  return 0;
}

PairArgs CudaBackend::pairs(const Planes& rows, const Planes& partners) const {
  PairArgs a{};
  a.rows = rows;
  a.columns = partners;
  a.padded_dim = static_cast<int32_t>(call_->plan.padded_dim);
  a.dim = static_cast<int32_t>(call_->problem.dim);
  a.float16 = call_->precision == Precision::kFloat16;
  a.rounding = dot_rounding(call_->precision, call_->plan.padded_dim);
  return a;
}

}  // namespace infcl::cuda
