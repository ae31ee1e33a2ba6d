// The forward pass. Tiles make scores and fold them into partial sums. Each macro-block adds its partial sums
// to those of the whole similarity, which go home at the end.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/backend.h"

namespace infcl::cuda {

class CudaBackend::Fold {
 public:
  Fold(CudaBackend& backend, FoldArgs& args)
      : b_(backend),
        a_(args),
        c_(*backend.call_),
        shape_(backend.similarity().shape),
        stream_(backend.machine_->stream) {}

  void run() {
    c_.vectors->reset();
    mask_ = b_.upload_mask(a_.positives, a_.mask);
    positive_dots_ = a_.positives.labelled ? c_.vectors->take<float>(shape_.rows) : nullptr;
    rows_ = empty(shape_.rows);
    if (folds_columns()) columns_ = shape_.triangle ? rows_ : empty(shape_.columns);
    const TileSums nothing{};
    sums_ = c_.vectors->writable_copy(&nothing, 1);
    b_.visit_macro_blocks(b_.pass(false), [this](const MacroBlock& block) { enqueue(block); });
    collect();
  }

 private:
  // In a triangle, the sums of columns belong to the rows as well.
  bool folds_columns() const { return a_.columns || shape_.triangle; }
  bool smooths() const {
    const Normaliser* any = a_.rows ? a_.rows : a_.columns;
    return any && !any->dot_sums.empty();
  }

  Gathered* empty(int64_t count) {
    Gathered nothing{};
    nothing.max_dot = nothing.positive_max_dot = -HUGE_VALF;
    const std::vector<Gathered> all(static_cast<size_t>(count), nothing);
    return c_.vectors->writable_copy(all.data(), count);
  }

  void enqueue(const MacroBlock& block) {
    const int64_t row_tiles = ceil_div(block.rows.size(), kTile),
                  column_tiles = ceil_div(block.columns.size(), kTile);
    ForwardArgs f{};
    f.scores = b_.scores(block, mask_);
    f.row_partials = c_.row_partials.as<Partial>();
    f.column_partials = folds_columns() ? c_.column_partials.as<Partial>() : nullptr;
    f.positive_dots = positive_dots_ ? positive_dots_ + block.rows.begin : nullptr;
    f.tile_sums = c_.tile_sums.as<TileSums>();
    const Kernels& kernels = b_.machine_->kernels;
    kernels.scores_forward(stream_, c_.precision, smooths(), f);
    reduce(block, f.row_partials, rows_, block.rows, column_tiles, 0);
    if (f.column_partials) reduce(block, f.column_partials, columns_, block.columns, row_tiles, 1);
    kernels.sum_tiles(stream_, {f.tile_sums, sums_, static_cast<int32_t>(row_tiles),
                                static_cast<int32_t>(column_tiles), block.diagonal});
  }

  void reduce(const MacroBlock& block, const Partial* partials, Gathered* gathered, Range range,
              int64_t tiles, int32_t side) {
    ReduceArgs r{};
    r.partials = partials;
    r.gathered = gathered + range.begin;
    r.tiles = static_cast<int32_t>(tiles);
    r.count = static_cast<int32_t>(range.size());
    r.stride = round_up(range.size(), kTile);
    r.triangle_side = block.diagonal ? side : -1;
    b_.machine_->kernels.reduce(stream_, r);
  }

  void collect() {
    TileSums sums{};
    b_.download(sums_, 1, sizeof sums, sizeof sums, &sums);
    a_.masked_pairs = sums.masked;
    if (positive_dots_)
      b_.download(positive_dots_, shape_.rows, sizeof(float), sizeof(float), a_.positive_dots);
    merge(a_.rows, rows_, shape_.rows, true);
    if (a_.columns && !shape_.triangle) merge(a_.columns, columns_, shape_.columns, false);
  }

  void merge(Normaliser* n, const Gathered* device, int64_t count, bool rows) const {
    std::vector<Gathered> gathered(static_cast<size_t>(count));
    b_.download(device, count, sizeof(Gathered), sizeof(Gathered), gathered.data());
    for (int64_t i = 0; i < count; ++i) {
      const Gathered& g = gathered[static_cast<size_t>(i)];
      if (n) merge(*n, i, g);
      if (!rows) continue;
      if (c_.problem.sigmoid) a_.softplus_sums[i] += g.sum;
      if (a_.row_max_dots) a_.row_max_dots[i] = std::max(a_.row_max_dots[i], g.max_dot);
      if (a_.positive_max_dots)
        a_.positive_max_dots[i] = std::max(a_.positive_max_dots[i], g.positive_max_dot);
    }
  }

  static void merge(Normaliser& n, int64_t i, const Gathered& g) {
    // Features may be so large that their products overflow. Then the loss must not be a number.
    const bool finite = std::isfinite(g.sum) && std::isfinite(g.shift);
    n.lse.fold(i, finite ? g.sum : std::nan(""), finite ? g.shift : 0);
    if (!n.dot_sums.empty()) {
      n.dot_sums[i] += g.dot_sum;
      n.counts[i] += g.count;
    }
    if (!n.positive_dot_sums.empty()) n.positive_dot_sums[i] += g.positive_dot_sum;
  }

  CudaBackend& b_;
  FoldArgs& a_;
  Call& c_;
  const SimilarityShape& shape_;
  const Stream& stream_;
  SimilarityMask mask_;
  float* positive_dots_ = nullptr;
  Gathered *rows_ = nullptr, *columns_ = nullptr;
  TileSums* sums_ = nullptr;
};

void CudaBackend::fold(FoldArgs& args) {
  const DeviceContext::Scope current(context_);
  call_->similarity = args.similarity;
  Fold(*this, args).run();
  const SimilarityShape& shape = similarity().shape;
  call_->stats.tiles += tile_count(shape);
  call_->stats.flops += 2 * pair_count(shape) * static_cast<double>(call_->problem.dim);
}

}  // namespace infcl::cuda
