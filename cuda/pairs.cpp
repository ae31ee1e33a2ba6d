// Single pairs of rows: each query with its labelled key, or with the negatives that are its own.
#include <algorithm>
#include <vector>

#include "cuda/backend.h"

namespace infcl::cuda {

namespace {

// How far a dot of a pair and that of a tile may be apart, relative to the sum of |x_d y_d|: both add up the
// same products, but in another order. A tensor core that adds 8 products a step loses less than 2^-24 of the
// largest for each of 9 addends, and 2^-23 of the sum: 11/16 of 2^-23 for each product (docs/numerics.md).
// The fused steps of pair_dots round to nearest and lose half of 2^-23 for each product. Both together are
// less than 5/4.
float dot_rounding(Precision precision, int64_t padded_dim) {
  const int64_t products = planes_of(precision) == 2 ? 3 : 1;
  return 0x1p-23f * static_cast<float>(products * padded_dim * 5 / 4 + 16);
}

}  // namespace

// Raised by what may lie between a pair's dot and a tile's: no tile's dot of equal rows exceeds it.
void CudaBackend::positive_dots(const MatrixView& queries, const MatrixView& keys, const int32_t* labels,
                                float* out) {
  const DeviceContext::Scope current(context_);
  PassVectors& vectors = *call_->vectors;
  const OperandStore::Pass pass{{queries, nullptr},
                                {keys, nullptr},
                                labelled_visits({queries.rows, keys.rows, false}, labels, call_->plan.slabs)};
  visit_slabs(pass, [&](const SlabVisit& v) {
    const int64_t count = v.rows.size();
    const auto is_here = [&](int64_t i) {
      return v.columns.contains(labels ? labels[v.rows.begin + i] : v.rows.begin + i);
    };
    // Rows whose partner is elsewhere take any: their dots are not read.
    std::vector<int32_t> partners(static_cast<size_t>(count), 0);
    for (int64_t i = 0; i < count; ++i)
      if (is_here(i))
        partners[i] =
            static_cast<int32_t>((labels ? labels[v.rows.begin + i] : v.rows.begin + i) - v.columns.begin);
    vectors.reset();
    PairArgs a =
        pairs(call_->store->planes(queries, v.rows.begin), call_->store->planes(keys, v.columns.begin));
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
void CudaBackend::visit_hard_negatives(const HardNegatives& p, float* d_queries, float* d_keys, F f) {
  const OperandStore::Pass pass{{p.queries, d_queries},
                                {p.keys, d_keys},
                                hard_negative_visits(p.queries.rows, p.per_query, call_->plan.slabs)};
  visit_slabs(pass, [&](const SlabVisit& v) {
    const int64_t query = v.columns.begin / p.per_query;
    PairArgs a = pairs(call_->store->planes(p.queries, query), call_->store->planes(p.keys, v.columns.begin));
    a.count = v.columns.size();
    a.per_row = std::min(p.per_query, a.count);
    a.d_rows = call_->store->sums(d_queries, query);
    a.d_columns = call_->store->sums(d_keys, v.columns.begin);
    f(a, v.columns.begin);
    call_->store->work_ahead();
  });
}

void CudaBackend::hard_negative_dots(const HardNegatives& p, float* dots, float* errors) {
  const DeviceContext::Scope current(context_);
  call_->vectors->reset();
  float* const all = call_->vectors->take<float>(p.keys.rows);
  float* const all_errors = call_->vectors->take<float>(p.keys.rows);
  visit_hard_negatives(p, nullptr, nullptr, [&](PairArgs& a, int64_t first) {
    a.dots = all + first;
    a.errors = all_errors + first;
    machine_->kernels.pair_dots(machine_->stream, a);
  });
  download(all, p.keys.rows, sizeof(float), sizeof(float), dots);
  std::vector<float> of_pairs(static_cast<size_t>(p.keys.rows));
  download(all_errors, p.keys.rows, sizeof(float), sizeof(float), of_pairs.data());
  for (int64_t at = 0; at < p.keys.rows; ++at)
    errors[at / p.per_query] = std::max(errors[at / p.per_query], of_pairs[at]);
}

void CudaBackend::differentiate_hard_negatives(const HardNegatives& p, const float* g, float* d_queries,
                                               float* d_keys) {
  const DeviceContext::Scope current(context_);
  call_->vectors->reset();
  const float* const all = call_->vectors->upload(g, p.keys.rows);
  visit_hard_negatives(p, d_queries, d_keys, [&](PairArgs& a, int64_t first) {
    a.g = all + first;
    machine_->kernels.pair_gradients(machine_->stream, a);
  });
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
