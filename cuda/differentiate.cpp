// The backward pass: each macro-block makes its scores again and turns them into G. One launch multiplies
// both gradients of the macro-block from G.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/backend.h"

namespace infcl::cuda {

namespace {

template <class T>
const T* from(const T* vector, int64_t begin) {
  return vector ? vector + begin : nullptr;
}

double largest(const std::vector<double>& v) {
  double most = 0;
  for (const double x : v) most = std::fmax(most, std::fabs(x));
  return most;
}

float largest(const std::vector<float>& v) {
  float most = 0;
  for (const float x : v) most = std::fmax(most, std::fabs(x));
  return most;
}

}  // namespace

class CudaBackend::Differentiate {
 public:
  Differentiate(CudaBackend& backend, const DifferentiateArgs& args)
      : b_(backend),
        a_(args),
        c_(*backend.call_),
        shape_(backend.similarity().shape),
        stream_(backend.machine_->stream) {}

  DifferentiateResult run() {
    PassVectors& vectors = *c_.vectors;
    pass_ = b_.pass(a_.gradients.wanted);
    vectors.reset();
    mask_ = b_.upload_mask(a_.positives, a_.mask);
    rows_ = upload(a_.rows, shape_.rows);
    columns_ = shape_.triangle && a_.rows == a_.columns ? rows_ : upload(a_.columns, shape_.columns);
    if (a_.positives.labelled) {
      positive_dots_ = vectors.upload(a_.positive_dots, shape_.rows);
      positive_grads_ = vectors.upload(a_.positive_grads, shape_.rows);
    }
    largest_spread_ = largest_spread();
    g_scale_ = c_.precision == Precision::kFloat16 ? float16_scale() : 1;
    const TileSums nothing{};
    sums_ = vectors.writable_copy(&nothing, 1);
    b_.visit_macro_blocks(pass_, [this](const MacroBlock& block) { enqueue(block); });
    TileSums sums{};
    b_.download(sums_, 1, sizeof sums, sizeof sums, &sums);
    skipped_ = sums.skipped;
    return {sums.dot_sum, sums.sum};
  }

  int64_t skipped() const { return skipped_; }

  // Operations of the products that were executed.
  double flops() const {
    const double column_fraction = static_cast<double>(std::min(gradient_columns(), shape_.columns)) /
                                   static_cast<double>(shape_.columns);
    const double kept = 1 - static_cast<double>(skipped_) / static_cast<double>(tile_count(shape_));
    const double products =
        1 + kept * ((pass_.rows.gradient ? 1 : 0) + (pass_.columns.gradient ? column_fraction : 0));
    return 2 * pair_count(shape_) * products * static_cast<double>(c_.problem.dim);
  }

 private:
  int64_t gradient_columns() const { return c_.problem.matrix(pass_.columns.operand).gradient_rows; }

  // Terms of g along one side.
  struct Terms {
    const float *factors = nullptr, *shifts = nullptr, *uniform = nullptr, *class_weights = nullptr;
  };

  Terms upload(const NormaliserGrad* n, int64_t count) {
    Terms t;
    if (!n) return t;
    PassVectors& vectors = *c_.vectors;
    const auto optional = [&](const std::vector<float>& v) {
      return v.empty() ? nullptr : vectors.upload(v.data(), count);
    };
    std::vector<float> factors(static_cast<size_t>(count), 0.f), shifts(static_cast<size_t>(count), kNoTerm);
    for (int64_t i = 0; i < count; ++i) {
      if (c_.problem.sigmoid) {
        factors[i] = static_cast<float>(n->weights[i]);
      } else if (n->lse->sum(i) != 0) {  // else an anchor without a single term
        factors[i] = static_cast<float>(n->weights[i] / n->lse->sum(i));
        shifts[i] = n->lse->shift(i);
      }
    }
    t.factors = vectors.upload(factors.data(), count);
    t.shifts = c_.problem.sigmoid ? nullptr : vectors.upload(shifts.data(), count);
    t.uniform = optional(n->uniform);
    t.class_weights = optional(n->positive_weights);
    return t;
  }

  // The power of two that brings the largest possible |g| just below 2^15, half of float16's range.
  float float16_scale() const {
    double most = 0;
    for (const NormaliserGrad* n : {a_.rows, a_.columns})
      if (n) most += largest(n->weights) + largest(n->uniform) + largest(n->positive_weights);
    if (a_.positives.labelled && a_.positive_grads)
      for (int64_t i = 0; i < shape_.rows; ++i) most = std::fmax(most, std::fabs(a_.positive_grads[i]));
    if (!(most > 0)) return 1;
    const int exponent = std::clamp(14 - std::ilogb(most), -120, 120);
    return std::ldexp(1.f, exponent);
  }

  // Normalisers that differ by `spread` can use one exponential, but each of the two factors then grows by
  // 2^(spread / 2).
  float largest_spread() const {
    double most = 0;
    for (const NormaliserGrad* n : {a_.rows, a_.columns})
      if (n && !c_.problem.sigmoid)
        for (int64_t i = 0; i < n->lse->size(); ++i)
          if (n->lse->sum(i) != 0) most = std::fmax(most, n->weights[i] / n->lse->sum(i));
    constexpr int kLargestPower = 125;
    return most > 0 ? static_cast<float>(std::clamp(2 * (kLargestPower - 2 - std::ilogb(most)), 0,
                                                    static_cast<int>(kLargestSpread)))
                    : kLargestSpread;
  }

  void enqueue(const MacroBlock& block) {
    const int32_t row_tiles = static_cast<int32_t>(ceil_div(block.rows.size(), kTile)),
                  column_tiles = static_cast<int32_t>(ceil_div(block.columns.size(), kTile));
    const BackwardArgs g = gradient_args(block);
    b_.machine_->kernels.scores_backward(stream_, c_.precision, g);
    b_.machine_->kernels.sum_tiles(stream_, {g.tile_sums, sums_, row_tiles, column_tiles, block.diagonal});
    accumulate(block, g);
  }

  BackwardArgs gradient_args(const MacroBlock& block) const {
    const int64_t row = block.rows.begin, column = block.columns.begin;
    BackwardArgs g{};
    g.scores = b_.scores(block, mask_);
    g.row_factors = from(rows_.factors, row);
    g.row_shifts = from(rows_.shifts, row);
    g.row_uniform = from(rows_.uniform, row);
    g.row_class_weights = from(rows_.class_weights, row);
    g.column_factors = from(columns_.factors, column);
    g.column_shifts = from(columns_.shifts, column);
    g.column_uniform = from(columns_.uniform, column);
    g.column_class_weights = from(columns_.class_weights, column);
    g.positive_dots = from(positive_dots_, row);
    g.positive_grads = from(positive_grads_, row);
    g.largest_spread = largest_spread_;
    g.g_scale = g_scale_;
    g.g_high = c_.g_high.as<uint16_t>();
    g.g_low = c_.g_low.as<uint16_t>();
    g.g_stride = round_up(block.columns.size(), kTile);
    g.tile_sums = c_.tile_sums.as<TileSums>();
    g.filters = a_.filter.bound > 0;
    g.row_filter = bound_per_tile(shape_.columns);
    g.column_filter = bound_per_tile(shape_.rows);
    return g;
  }

  // Splits the filter's bound evenly among the tiles that a row or column meets, so that tiles decide
  // alone, in any order. A row of a triangle meets as many tiles, as row or as column, and the diagonal
  // tile as both.
  float bound_per_tile(int64_t partners) const {
    return static_cast<float>(a_.filter.bound / static_cast<double>(tiles_of(partners) + shape_.triangle));
  }

  void accumulate(const MacroBlock& block, const BackwardArgs& g) const {
    AccumulateArgs a{};
    a.g_high = g.g_high;
    a.g_low = g.g_low;
    a.g_stride = g.g_stride;
    a.row_count = g.scores.row_count;
    a.column_count = g.scores.column_count;
    a.padded_dim = g.scores.padded_dim;
    a.inverse_g_scale = 1 / g_scale_;
    a.tile_sums = g.filters ? g.tile_sums : nullptr;
    a.triangle = block.diagonal;
    const GradientProduct rows = row_product(block, g), columns = column_product(block, g);
    const Kernels& kernels = b_.machine_->kernels;
    if (block.diagonal) {  // both products add to the same rows, so they run one after the other
      a.rows = rows;
      kernels.accumulate(stream_, c_.precision, a);
      a.rows = {};
      a.columns = columns;
    } else {
      a.rows = rows;
      a.columns = columns;
    }
    kernels.accumulate(stream_, c_.precision, a);
  }

  GradientProduct row_product(const MacroBlock& block, const BackwardArgs& g) const {
    if (!pass_.rows.gradient) return {};
    return {g.scores.columns, c_.store->sums(pass_.rows.operand, block.rows.begin), g.scores.row_count,
            a_.gradients.overwrite_rows && block.overwrite_rows};
  }

  GradientProduct column_product(const MacroBlock& block, const BackwardArgs& g) const {
    if (!pass_.columns.gradient) return {};
    const int64_t count = std::min(block.columns.end, gradient_columns()) - block.columns.begin;
    if (count <= 0) return {};
    return {g.scores.rows, c_.store->sums(pass_.columns.operand, block.columns.begin),
            static_cast<int32_t>(count), a_.gradients.overwrite_columns && block.overwrite_columns};
  }

  CudaBackend& b_;
  const DifferentiateArgs& a_;
  Call& c_;
  const SimilarityShape& shape_;
  const Stream& stream_;
  OperandStore::Pass pass_;
  SimilarityMask mask_;
  Terms rows_, columns_;
  const float* positive_dots_ = nullptr;
  const double* positive_grads_ = nullptr;
  float g_scale_ = 1, largest_spread_ = kLargestSpread;
  TileSums* sums_ = nullptr;
  int64_t skipped_ = 0;
};

DifferentiateResult CudaBackend::differentiate(const DifferentiateArgs& args) {
  const DeviceContext::Scope current(context_);
  call_->similarity = args.similarity;
  Differentiate pass(*this, args);
  const DifferentiateResult result = pass.run();
  call_->stats.flops += pass.flops();
  call_->stats.tiles_skipped += pass.skipped();
  return result;
}

}  // namespace infcl::cuda
