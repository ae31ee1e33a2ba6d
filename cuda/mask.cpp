// Positives and masks: uploaded once for a similarity, and pointed at by each of its macro-blocks.
#include "cuda/backend.h"

namespace infcl::cuda {

namespace {

template <class T>
const T* from(const T* vector, int64_t begin) {
  return vector ? vector + begin : nullptr;
}

}  // namespace

CudaBackend::SimilarityMask CudaBackend::upload_mask(const Positives& positives, const PairMask& mask) {
  PassVectors& vectors = *call_->vectors;
  const SimilarityShape& g = similarity().shape;
  SimilarityMask out;
  Mask& r = out.mask;
  // A side that meets itself uploads its vectors once.
  const auto both = [&](auto* rows, auto* columns, auto*& device_rows, auto*& device_columns) {
    device_rows = vectors.upload(rows, g.rows);
    device_columns =
        rows == columns && g.rows == g.columns ? device_rows : vectors.upload(columns, g.columns);
  };
  r.labelled = positives.labelled;
  r.labels = positives.labelled ? vectors.upload(positives.labels, g.rows) : nullptr;
  both(positives.row_classes, positives.column_classes, r.row_classes, r.column_classes);
  both(mask.row_ids, mask.column_ids, r.row_ids, r.column_ids);
  both(mask.row_limits, mask.column_limits, r.row_limits, r.column_limits);
  return out;
}

Mask CudaBackend::SimilarityMask::at(const MacroBlock& b) const {
  Mask r = mask;
  r.labels = from(r.labels, b.rows.begin);
  r.row_classes = from(r.row_classes, b.rows.begin);
  r.column_classes = from(r.column_classes, b.columns.begin);
  r.row_ids = from(r.row_ids, b.rows.begin);
  r.column_ids = from(r.column_ids, b.columns.begin);
  r.row_limits = from(r.row_limits, b.rows.begin);
  r.column_limits = from(r.column_limits, b.columns.begin);
  return r;
}

ScoresArgs CudaBackend::scores(const MacroBlock& b, const SimilarityMask& mask) {
  const Call& c = *call_;
  ScoresArgs a{};
  a.rows = c.store->planes(similarity().rows, b.rows.begin);
  a.columns = c.store->planes(similarity().columns, b.columns.begin);
  a.padded_dim = static_cast<int32_t>(c.plan.padded_dim);
  a.row_count = static_cast<int32_t>(b.rows.size());
  a.column_count = static_cast<int32_t>(b.columns.size());
  a.row_begin = b.rows.begin;
  a.column_begin = b.columns.begin;
  a.triangle = b.diagonal;
  a.sigmoid = c.problem.sigmoid;
  a.scale_high = c.scale.high;
  a.scale_low = c.scale.low;
  a.bias = c.bias;
  a.mask = mask.at(b);
  return a;
}

}  // namespace infcl::cuda
