// The backward pass: a tile's scores are made again (or taken from the kept ones) and turned into G. Both
// gradient products read G while it is in L2.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "cpu/backend.h"
#include "cpu/gradient_factors.h"
#include "cpu/gradient_filter.h"
#include "cpu/teacher_tile.h"

namespace infcl::cpu {

class CpuBackend::Differentiate final : public Pass {
 public:
  Differentiate(CpuBackend& backend, const DifferentiateArgs& args, DifferentiateResult& out)
      : b_(backend),
        a_(args),
        out_(out),
        s_(backend.grid()),
        gates_(s_),
        filter_(s_),
        row_sums_(static_cast<size_t>(s_.tile_rows())) {
    const int64_t tile = b_.kernels_->tile.rows * b_.kernels_->tile.columns;
    if (a_.gradients.wanted) {
      d_rows_ = b_.rows().gradient;
      d_columns_ = b_.columns().gradient;
    }
    if (d_rows_ || d_columns_)
      slices_ = GradientSlices(b_.problem_.dim, b_.kernels_->panel, b_.plan_.threads);
    if (filters()) {
      clear(a_.gradients.overwrite_rows, d_rows_, s_.row_count());
      clear(a_.gradients.overwrite_columns, d_columns_, b_.columns().gradient_rows);
      filter_.begin(a_.filter.bound);
    }
    for (int t = 0; t < b_.plan_.threads; ++t) {
      scratch_.emplace_back(b_.kernels_->tile);
      if (uniform(a_.rows) || uniform(a_.columns)) scratch_.back().masked.reserve(static_cast<size_t>(tile));
    }
  }

  bool needs_row_values() const override { return d_columns_ != nullptr; }

  bool tile(int t, int64_t i, int64_t j) override {
    const TileOperands c = b_.operands(t, i, j);
    const Tile g{b_.place(i, j), b_.memory_[t].tile, b_.kernels_->tile.rows};
    const float* kept = b_.kept_scores(t, i, j);
    DifferentiateResult sums;
    if (!logit_gradients(t, i, c, g, kept, sums)) return false;
    Scratch& s = scratch_[t];
    if (kept) {
      ++s.reused;
    } else {
      s.pairs_multiplied += static_cast<double>(c.rows * c.columns);
    }
    if (a_.refinement.wanted() && !refine_loss(s, c, g, sums)) return false;
    bool skipped = true;
    if (d_rows_ || d_columns_) {
      write_positives(g, 1);
      b_.problem_.control.advance();
      skipped = false;
      if (filters() && !choose_skip(i, j, g, s, &skipped)) return false;
    }
    return add(t, {i, j, skipped}, c, sums);
  }

  void finish() override {
    for (const DifferentiateResult& s : row_sums_) {
      out_.dot_sum += s.dot_sum;
      out_.sum += s.sum;
      out_.refinement += s.refinement;
    }
    for (const Scratch& s : scratch_) {
      b_.stats_.flops += 2 * s.pairs_multiplied * b_.problem_.dim + s.auxiliary_flops;
      b_.stats_.tiles_reused += s.reused;
      b_.stats_.tiles_skipped += s.skipped;
    }
  }

 private:
  // Memory of one thread: workers must not allocate.
  struct Scratch {
    explicit Scratch(const TileShape& c)
        : factors(c), teacher_factors(c), row_lost(c.rows), column_lost(c.columns), pairs(c.columns) {}
    GradientFactors factors, teacher_factors;
    std::vector<float> row_lost, column_lost;  // filter: sums of |g| over one tile
    EqualPairs pairs;
    std::vector<int32_t> masked;
    double pairs_multiplied = 0, auxiliary_flops = 0;
    int64_t skipped = 0, reused = 0;
  };

  bool filters() const { return a_.filter.bound > 0; }

  // Skipped tiles write nothing, so a filtered gradient starts from zeros.
  void clear(bool overwrite, float* out, int64_t rows) const {
    if (overwrite && out) std::fill(out, out + rows * b_.problem_.dim, 0.f);
  }

  static const std::vector<float>* uniform(const NormaliserGrad* n) {
    return n && !n->uniform.empty() ? &n->uniform : nullptr;
  }
  static const std::vector<float>* class_weights(const NormaliserGrad* n) {
    return n && !n->positive_weights.empty() ? &n->positive_weights : nullptr;
  }

  // Columns of the tile whose features get a gradient from it. The diagonal tile of a triangle adds all to
  // its rows.
  int64_t gradient_columns(int64_t i, int64_t j) const {
    if (!d_columns_ || (s_.triangle() && i == j)) return 0;
    return std::max<int64_t>(0,
                             std::min(s_.columns(j).end, b_.columns().gradient_rows) - s_.columns(j).begin);
  }

  // Labelled positives have gradients of their own.
  void write_positives(const Tile& g, double factor) const {
    if (!a_.positives.labelled) return;
    for_each_positive(g, a_.positives, [&](int64_t row, int64_t column, int64_t at) {
      g.at(row, column) = static_cast<float>(factor * a_.positive_grads[at]);
    });
  }

  // Adds up G times the float64 product less the float32 product. False: stopped.
  bool refine_loss(Scratch& s, const TileOperands& c, const Tile& g, DifferentiateResult& sums) {
    const double loss_per_g = a_.refinement.loss_per_g;
    write_positives(g, a_.positives.other_scale ? 1 / loss_per_g : 1);
    double change = 0;
    if (!b_.in_slices({0, c.columns}, b_.kernels_->strip, 6 * c.rows * c.dim, [&](Range columns) {
          const Refinement part = b_.kernels_->refine(c, columns, g.data, a_.refinement.smallest_refined_g);
          change += part.sum;
          s.pairs_multiplied += 2 * static_cast<double>(part.pairs);
        }))
      return false;
    sums.refinement = loss_per_g * (g.diagonal ? change / 2 : change);
    return true;
  }

  // The losses of rows and columns so far are known only after the tiles before this one. False: stopped.
  bool choose_skip(int64_t i, int64_t j, const Tile& g, Scratch& s, bool* skipped) {
    if (!b_.wait_until([&] { return filter_.is_turn(i, j); })) return false;
    *skipped = filter_.skip(g, s.row_lost, s.column_lost);
    if (*skipped) ++s.skipped;
    filter_.leave(i, j);
    return true;
  }

  // G without the labelled positives' own gradients, which write_positives brings. False: stopped.
  bool logit_gradients(int t, int64_t tile_row, const TileOperands& c, const Tile& g, const float* kept,
                       DifferentiateResult& out) {
    Scratch& s = scratch_[t];
    LogitGradArgs grad = b_.problem_.sigmoid ? s.factors.sigmoid(*a_.rows, g.rows, b_.bias_)
                                             : s.factors.softmax(a_.rows, g.rows, a_.columns, g.columns);
    grad.scores = kept;
    grad.scores_stride = kept_stride(g.rows, *b_.kernels_);
    // Masks must be known before the exponential.
    if (!kept && (g.diagonal || a_.mask.any() || a_.positives.other_scale)) {
      if (!make_masked_scores(t, tile_row, c, g, s)) return false;
      grad.scores = g.data;
      grad.scores_stride = g.stride;
    }
    if (uniform(a_.rows) || uniform(a_.columns)) {
      s.masked.clear();
      if (grad.scores) list_masked(g, grad.scores, grad.scores_stride, s.masked);
    }
    // before G, whose memory may be that of the scores
    const bool teaches = wants_teacher();
    if (teaches && !make_teacher(t, tile_row, c, g, a_.mask.any() ? &grad : nullptr)) return false;
    LogitGradSums sums;
    if (!in_column_slices(c, [&](Range columns) {
          const LogitGradSums part = b_.kernels_->logit_grad(c, columns, b_.scale_, grad, g.data);
          sums.dot_sum += part.dot_sum;
          sums.sum += part.sum;
        }))
      return false;
    if (g.diagonal) sums.dot_sum /= 2;  // it shows every pair twice
    edit(g, s, sums);
    if (teaches) subtract_teacher(g, b_.auxiliary_tile(t, g, 1).data, b_.kernels_->tile.rows);
    out.dot_sum = sums.dot_sum;
    out.sum = sums.sum;
    return true;
  }

  // Only what reads G needs the teacher's part of it.
  bool wants_teacher() const {
    return (a_.teacher.rows || a_.teacher.columns) && (d_rows_ || d_columns_ || a_.refinement.wanted());
  }

  // The teacher's probabilities, in their factors, in auxiliary_tile 1. `masked`: has the masked scores, or
  // null where no mask is. False: stopped.
  bool make_teacher(int t, int64_t tile_row, const TileOperands& c, const Tile& g,
                    const LogitGradArgs* masked) {
    Scratch& s = scratch_[t];
    if (!b_.make_teacher_scores(t, tile_row, c, g, masked ? masked->scores : nullptr,
                                masked ? masked->scores_stride : 0))
      return false;
    count_auxiliary(Auxiliary::kTeacher, c, s);
    const Tile y = b_.auxiliary_tile(t, g, 1);
    LogitGradArgs args = s.teacher_factors.softmax(a_.teacher.rows, g.rows, a_.teacher.columns, g.columns);
    args.scores = y.data;
    args.scores_stride = y.stride;
    b_.kernels_->logit_grad(c, {0, c.columns}, b_.teacher_scale_, args, y.data);
    return true;
  }

  void count_auxiliary(Auxiliary a, const TileOperands& c, Scratch& s) const {
    s.auxiliary_flops += 2. * static_cast<double>(c.rows * c.columns) *
                         static_cast<double>(b_.plan_.auxiliary_dims[static_cast<size_t>(a)]);
  }

  bool make_masked_scores(int t, int64_t tile_row, const TileOperands& c, const Tile& x, Scratch& s) const {
    if (!in_column_slices(c,
                          [&](Range columns) { b_.kernels_->scores(c, columns, x.data, x.stride, nullptr); }))
      return false;
    mask_pairs(x, a_.mask, s.pairs);
    int64_t counted_before = 0;  // the forward pass has counted the masked pairs
    if (!b_.mask_by_guide(t, tile_row, c, x, a_.mask, &counted_before)) return false;
    if (a_.mask.guide_row_limits) count_auxiliary(Auxiliary::kGuide, c, s);
    if (a_.positives.labelled)
      for_each_positive(x, a_.positives, [&](int64_t row, int64_t column, int64_t at) {
        x.at(row, column) = a_.positives.other_scale ? kMaskedDot : a_.positive_dots[at];
      });
    return true;
  }

  template <class F>
  bool in_column_slices(const TileOperands& c, F f) const {
    return b_.in_slices({0, c.columns}, b_.kernels_->strip, 2 * c.rows * c.dim, f);
  }

  void edit(const Tile& g, Scratch& s, LogitGradSums& sums) const {
    const Positives& p = a_.positives;
    if (p.labelled) {
      const LogitGradSums change = positives_change(g, p, a_.positive_dots, a_.positive_grads);
      sums.dot_sum += change.dot_sum;
      sums.sum += change.sum;
    }
    if (uniform(a_.rows) || uniform(a_.columns))
      subtract_uniform(g, uniform(a_.rows), uniform(a_.columns), s.masked);
    if (p.row_classes)
      subtract_class_weights(g, p, class_weights(a_.rows), class_weights(a_.columns), s.pairs);
  }

  struct Visit {
    int64_t tile_row, tile_column;
    bool skipped;  // adds nothing to gradients
  };

  // Adds the tile's sums and its products, in its turns. False: stopped.
  bool add(int t, const Visit& v, const TileOperands& c, const DifferentiateResult& sums) {
    const float* g[2] = {b_.memory_[t].tile, b_.memory_[t].tile};  // for rows and for columns
    TileOperands for_columns = c;
    for_columns.columns = v.skipped ? 0 : gradient_columns(v.tile_row, v.tile_column);
    const bool adds_rows = d_rows_ && !v.skipped;
    if (!v.skipped && b_.kernels_->narrow_gradients) {
      b_.kernels_->narrow_gradients(c, b_.memory_[t].tile, b_.memory_[t].narrowed);
      g[0] = b_.memory_[t].narrowed;
      g[1] = g[0] + b_.kernels_->narrowed_offset();
    }
    scratch_[t].pairs_multiplied +=
        static_cast<double>(c.rows * ((adds_rows ? c.columns : 0) + for_columns.columns));
    const bool passes_columns = s_.triangle() ? v.tile_row != v.tile_column : d_columns_ != nullptr;
    TileTurns turns;
    turns.begin(v.tile_row, v.tile_column, slices_.count(), passes_columns ? slices_.count() : 0);
    return b_.in_turns(turns, gates_, [&](const Piece& piece) {
      if (!piece.of_rows)
        return for_columns.columns == 0 || accumulate_columns(for_columns, v, piece.slice, g[1]);
      if (piece.slice == 0) add_sums(row_sums_[v.tile_row], sums);
      return !adds_rows || accumulate_rows(c, v, piece.slice, g[0]);
    });
  }

  static void add_sums(DifferentiateResult& out, const DifferentiateResult& tile) {
    out.dot_sum += tile.dot_sum;
    out.sum += tile.sum;
    out.refinement += tile.refinement;
  }

  bool accumulate_rows(TileOperands c, const Visit& v, int slice, const float* g) const {
    const Range band = slices_.band(slice, c.rows, b_.kernels_->tile.row_granule);
    c.rows = band.size();
    if (c.rows == 0) return true;
    float* out = d_rows_ + (s_.rows(v.tile_row).begin + band.begin) * c.dim;
    // In a triangle, earlier tile rows have already added to these rows as their columns.
    const bool overwrite = a_.gradients.overwrite_rows && !filters() &&
                           v.tile_column == s_.first_tile_column(v.tile_row) &&
                           (!s_.triangle() || v.tile_row == 0);
    return b_.in_slices(
        slices_.features(slice), b_.kernels_->panel, 2 * c.rows * c.columns,
        [&](Range features) { b_.kernels_->accumulate_rows(c, features, g + band.begin, overwrite, out); });
  }

  bool accumulate_columns(TileOperands c, const Visit& v, int slice, const float* g) const {
    // In a triangle, the bands of a tile column must be those of the tile row with the same features.
    const Range band = slices_.band(slice, s_.columns(v.tile_column).size(),
                                    s_.triangle() ? b_.kernels_->tile.row_granule : b_.kernels_->strip);
    c.columns = std::min(band.end, c.columns) - band.begin;
    if (c.columns <= 0) return true;
    float* out = d_columns_ + (s_.columns(v.tile_column).begin + band.begin) * c.dim;
    g += band.begin * b_.kernels_->elements(b_.kernels_->tile.rows);
    const bool overwrite = a_.gradients.overwrite_columns && !filters() && v.tile_row == 0;
    return b_.in_slices(
        slices_.features(slice), b_.kernels_->panel, 2 * c.rows * c.columns,
        [&](Range features) { b_.kernels_->accumulate_columns(c, features, g, overwrite, out); });
  }

  CpuBackend& b_;
  const DifferentiateArgs& a_;
  DifferentiateResult& out_;
  const Grid& s_;
  GridGates gates_;
  GradientFilter filter_;
  GradientSlices slices_;                           // one without gradients
  float *d_rows_ = nullptr, *d_columns_ = nullptr;  // null: not wanted
  std::vector<DifferentiateResult> row_sums_;       // of each tile row, so that the order of sums is fixed
  std::vector<Scratch> scratch_;
};

std::unique_ptr<CpuBackend::Pass> CpuBackend::differentiate_pass(const DifferentiateArgs& args,
                                                                 DifferentiateResult& out) {
  return std::make_unique<Differentiate>(*this, args, out);
}

}  // namespace infcl::cpu
