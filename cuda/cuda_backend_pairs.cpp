// Single pairs of rows: each query with its labelled key, or with the negatives that are its own.
#include <algorithm>
#include <vector>

#include "cuda/cuda_backend.h"

namespace infcl::cuda {

void CudaBackend::positive_dots(const MatrixView& queries, const MatrixView& keys, const int32_t* labels,
                                float* out) {
  const DeviceContext::Scope current(context_);
  LapVectors& vectors = *call_->vectors;
  vectors.reset();
  PairArgs a = pairs({queries, keys, 1});
  a.count = queries.rows;
  a.labels = vectors.upload(labels, queries.rows);
  a.dots = vectors.take<float>(a.count);
  machine_->kernels.pair_dots(machine_->stream, a);
  download(a.dots, a.count, sizeof(float), sizeof(float), out);
}

void CudaBackend::private_dots(const PrivateKeys& p, double* dots) {
  const DeviceContext::Scope current(context_);
  call_->vectors->reset();
  PairArgs a = pairs(p);
  a.dots = call_->vectors->take<float>(a.count);
  machine_->kernels.pair_dots(machine_->stream, a);
  std::vector<float> narrow(static_cast<size_t>(a.count));
  download(a.dots, a.count, sizeof(float), sizeof(float), narrow.data());
  std::copy(narrow.begin(), narrow.end(), dots);
}

void CudaBackend::differentiate_private(const PrivateKeys& p, const float* g, float* d_queries,
                                        float* d_keys) {
  const DeviceContext::Scope current(context_);
  call_->vectors->reset();
  PairArgs a = pairs(p);
  a.g = call_->vectors->upload(g, a.count);
  a.d_rows = gradient_sums(d_queries);
  a.d_partners = gradient_sums(d_keys);
  machine_->kernels.pair_gradients(machine_->stream, a);
}

PairArgs CudaBackend::pairs(const PrivateKeys& p) {
  PairArgs a{};
  a.rows = planes(p.queries);
  a.partners = planes(p.keys);
  a.padded_dim = static_cast<int32_t>(call_->plan.padded_dim);
  a.dim = static_cast<int32_t>(call_->problem.dim);
  a.float16 = call_->precision == Precision::kFloat16;
  a.count = p.keys.rows;
  a.per_row = p.per_query;
  return a;
}

}  // namespace infcl::cuda
