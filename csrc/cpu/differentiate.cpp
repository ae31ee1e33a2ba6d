// The backward pass: each tile's logits are made again (or taken from those kept), turned into G, and G feeds
// both gradient products while it is in L2.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "cpu/backend.h"
#include "cpu/column_gate.h"
#include "cpu/gradient_factors.h"

namespace infcl::cpu {

class CpuBackend::Differentiate final : public Pass {
 public:
  Differentiate(CpuBackend& backend, const DifferentiateArgs& args, DifferentiateResult& out)
      : b_(backend),
        a_(args),
        out_(out),
        s_(backend.grid()),
        gate_(s_.tile_columns()),
        row_sums_(static_cast<size_t>(s_.tile_rows())) {
    const int64_t tile = b_.kernels_->tile.rows * b_.kernels_->tile.columns;
    if (a_.filter > 0) {
      clear(a_.overwrite_rows, a_.d_rows, s_.row_count());
      clear(a_.overwrite_columns, a_.d_columns, a_.d_column_rows);
      row_lost_.resize(static_cast<size_t>(s_.row_count()));
      column_lost_.resize(static_cast<size_t>(s_.column_count()));
    }
    for (int t = 0; t < b_.plan_.threads; ++t) {
      scratch_.emplace_back(b_.kernels_->tile);
      if (uniform(a_.rows) || uniform(a_.columns)) scratch_.back().masked.reserve(static_cast<size_t>(tile));
    }
  }

  bool enter(int t, int64_t i) override {
    const Range rows = s_.rows(i);
    if (!b_.fused_) b_.kernels_->pack_transposed(b_.operands_.rows, rows, b_.memory_[t].transposed);
    if (a_.d_columns)
      b_.kernels_->pack_values(b_.operands_.rows, rows, b_.memory_[t].row_values,
                               b_.kernels_->elements(rows.size()));
    return !s_.triangle() || gate_.enter(i, i);
  }

  bool tile(int t, int64_t i, int64_t j) override {
    const TileOperands c = b_.operands(t, i, j);
    const Tile g = b_.tile(i, j, b_.memory_[t].tile, b_.kernels_->tile.rows);
    const float* kept = b_.kept_scores(t, i, j);
    if (!logit_gradients(t, i, c, g, kept)) return false;
    Scratch& s = scratch_[t];
    const double pairs = static_cast<double>(c.rows * c.columns);
    if (kept) {
      ++s.reused;
    } else {
      s.pairs_multiplied += pairs;
    }
    if (a_.loss_per_g > 0 && !refine_loss(s, i, c, g)) return false;
    if (!a_.d_rows && !a_.d_columns) return leave(i, j);
    b_.problem_.control.advance();
    if (a_.filter > 0) {
      // what the columns have lost so far is known only after the rows above
      if (!gate_.enter(j, i)) return false;
      if (skip(g, s)) {
        ++s.skipped;
        gate_.leave(j, i);
        return true;
      }
    }
    const float *for_rows = g.data, *for_columns = g.data;
    if (b_.kernels_->narrow_gradients) {
      b_.kernels_->narrow_gradients(c, g.data, b_.memory_[t].narrowed);
      for_rows = b_.memory_[t].narrowed;
      for_columns = for_rows + b_.kernels_->narrowed_offset();
    }
    if (a_.d_rows) {
      if (!accumulate_rows(c, i, j, for_rows)) return false;
      s.pairs_multiplied += pairs;
    }
    s.pairs_multiplied += static_cast<double>(c.rows * gradient_columns(i, j));
    return accumulate_columns(c, i, j, for_columns);
  }

  void stop() override { gate_.stop(); }

  void finish() override {
    for (const DifferentiateResult& s : row_sums_) {
      out_.dot_sum += s.dot_sum;
      out_.sum += s.sum;
      out_.refinement += s.refinement;
    }
    for (const Scratch& s : scratch_) {
      b_.stats_.flops += 2 * s.pairs_multiplied * b_.problem_.dim;
      b_.stats_.tiles_reused += s.reused;
      b_.stats_.tiles_skipped += s.skipped;
    }
  }

 private:
  // Of one thread: workers must not allocate.
  struct Scratch {
    explicit Scratch(const TileShape& c)
        : factors(c), row_lost(c.rows), column_lost(c.columns), pairs(c.columns) {}
    LogitFactors factors;
    std::vector<float> row_lost, column_lost;  // filter: in this tile
    EqualPairs pairs;
    std::vector<int32_t> masked;
    double pairs_multiplied = 0;
    int64_t skipped = 0, reused = 0;
  };

  // A skipped tile writes nothing.
  void clear(bool overwrite, float* out, int64_t rows) const {
    if (overwrite && out) std::fill(out, out + rows * b_.problem_.dim, 0.f);
  }

  static const std::vector<float>* uniform(const NormaliserGrad* n) {
    return n && !n->uniform.empty() ? &n->uniform : nullptr;
  }
  static const std::vector<float>* shares(const NormaliserGrad* n) {
    return n && !n->positive_weights.empty() ? &n->positive_weights : nullptr;
  }

  // Columns of the tile whose features get a gradient from it. The diagonal tile of a triangle gives all to
  // its rows.
  int64_t gradient_columns(int64_t i, int64_t j) const {
    if (!a_.d_columns || (s_.triangle() && i == j)) return 0;
    return std::max<int64_t>(0, std::min(s_.columns(j).end, a_.d_column_rows) - s_.columns(j).begin);
  }

  // A product in float64 less that in float32, times G.
  bool refine_loss(Scratch& s, int64_t i, const TileOperands& c, const Tile& g) {
    double change = 0;
    const auto set_apart = [&](double factor) {
      if (a_.positives.apart)
        for_each_positive(g, a_.positives, [&](int64_t r, int64_t q) {
          g.at(r, q) = static_cast<float>(factor * a_.positive_grads[r]);
        });
    };
    set_apart(1 / a_.loss_per_g);
    if (!b_.in_slices(c.columns, b_.kernels_->strip, 6 * c.rows * c.dim, [&](Range keys) {
          const Refinement part = b_.kernels_->refine(c, keys, g.data, a_.negligible_g);
          change += part.sum;
          s.pairs_multiplied += 2 * static_cast<double>(part.pairs);
        }))
      return false;
    set_apart(1);
    row_sums_[i].refinement += a_.loss_per_g * (g.diagonal ? change / 2 : change);
    return true;
  }

  // Whether every row and column of the tile can afford to lose it; if so, it is charged to them.
  bool skip(const Tile& g, Scratch& s) {
    sum_magnitudes(g, s.row_lost.data(), s.column_lost.data());
    const float limit = static_cast<float>(a_.filter);
    for (int64_t r = 0; r < g.rows.size(); ++r)
      if (row_lost_[g.rows.begin + r] + s.row_lost[r] > limit) return false;
    for (int64_t q = 0; q < g.columns.size(); ++q)
      if (column_lost_[g.columns.begin + q] + s.column_lost[q] > limit) return false;
    for (int64_t r = 0; r < g.rows.size(); ++r) row_lost_[g.rows.begin + r] += s.row_lost[r];
    for (int64_t q = 0; q < g.columns.size(); ++q) column_lost_[g.columns.begin + q] += s.column_lost[q];
    return true;
  }

  bool logit_gradients(int t, int64_t i, const TileOperands& c, const Tile& g, const float* kept) {
    Scratch& s = scratch_[t];
    LogitGradArgs grad = b_.problem_.sigmoid ? s.factors.sigmoid(*a_.rows, g.rows, b_.bias_)
                                             : s.factors.softmax(a_.rows, g.rows, a_.columns, g.columns);
    grad.dots = kept;
    grad.dots_stride = kept_stride(s_.rows(i), *b_.kernels_);
    const auto sliced = [&](auto f) {
      return b_.in_slices(c.columns, b_.kernels_->strip, 2 * c.rows * c.dim, f);
    };
    // masks must be known before the exponential
    if (!kept && (g.diagonal || a_.mask.any() || a_.positives.apart)) {
      if (!sliced([&](Range keys) { b_.kernels_->scores(c, keys, g.data, g.stride, nullptr); })) return false;
      mask_pairs(g, a_.mask, s.pairs);
      if (a_.positives.labelled)
        for_each_positive(g, a_.positives, [&](int64_t r, int64_t q) {
          g.at(r, q) = a_.positives.apart ? kMaskedDot : a_.positive_dots[r];
        });
      grad.dots = g.data;
      grad.dots_stride = g.stride;
    }
    if (uniform(a_.rows) || uniform(a_.columns)) {
      s.masked.clear();
      if (grad.dots)
        list_masked({g.rows, g.columns, const_cast<float*>(grad.dots), grad.dots_stride, g.diagonal},
                    g.stride, s.masked);
    }
    LogitGradSums sums;
    if (!sliced([&](Range keys) {
          const LogitGradSums part = b_.kernels_->logit_grad(c, keys, b_.scale_, grad, g.data);
          sums.dot_sum += part.dot_sum;
          sums.sum += part.sum;
        }))
      return false;
    if (g.diagonal) sums.dot_sum /= 2;  // it shows every pair twice
    edit(g, s, sums);
    row_sums_[i].dot_sum += sums.dot_sum;
    row_sums_[i].sum += sums.sum;
    return true;
  }

  void edit(const Tile& g, Scratch& s, LogitGradSums& sums) {
    const Positives& p = a_.positives;
    if (p.labelled) {
      const LogitGradSums change = positives_change(g, p, a_.positive_dots, a_.positive_grads);
      sums.dot_sum += change.dot_sum;
      sums.sum += change.sum;
    }
    if (uniform(a_.rows) || uniform(a_.columns))
      subtract_uniform(g, uniform(a_.rows), uniform(a_.columns), s.masked);
    if (p.row_classes) subtract_class_shares(g, p, shares(a_.rows), shares(a_.columns), s.pairs);
    if (p.labelled)
      for_each_positive(g, p,
                        [&](int64_t r, int64_t q) { g.at(r, q) = static_cast<float>(a_.positive_grads[r]); });
  }

  bool accumulate_rows(const TileOperands& c, int64_t i, int64_t j, const float* g) {
    float* out = a_.d_rows + s_.rows(i).begin * c.dim;
    // In a triangle, earlier tile rows have already added to these rows as their columns.
    const bool overwrite =
        a_.overwrite_rows && a_.filter == 0 && j == s_.first_tile_column(i) && (!s_.triangle() || i == 0);
    return b_.in_slices(c.dim, b_.kernels_->panel, 2 * c.rows * c.columns, [&](Range features) {
      b_.kernels_->accumulate_rows(c, features, g, overwrite, out);
    });
  }

  // Nothing to write, but blocks leave a column only in their order.
  bool leave(int64_t i, int64_t j) {
    if (!s_.triangle() && a_.filter == 0) return true;
    if (!gate_.enter(j, i)) return false;
    gate_.leave(j, i);
    return true;
  }

  bool accumulate_columns(TileOperands c, int64_t i, int64_t j, const float* g) {
    c.columns = gradient_columns(i, j);
    if (c.columns == 0) return leave(i, j);
    float* out = a_.d_columns + s_.columns(j).begin * c.dim;
    const bool overwrite = a_.overwrite_columns && a_.filter == 0 && i == 0;
    if (!gate_.enter(j, i)) return false;
    const bool whole = b_.in_slices(c.dim, b_.kernels_->panel, 2 * c.rows * c.columns, [&](Range features) {
      b_.kernels_->accumulate_columns(c, features, g, overwrite, out);
    });
    if (whole) gate_.leave(j, i);
    return whole;
  }

  CpuBackend& b_;
  const DifferentiateArgs& a_;
  DifferentiateResult& out_;
  const Grid& s_;
  ColumnGate gate_;
  std::vector<DifferentiateResult> row_sums_;  // of each tile row, so that their order is fixed
  std::vector<Scratch> scratch_;
  std::vector<float> row_lost_, column_lost_;  // filter: sums of |g| over the tiles left out
};

std::unique_ptr<CpuBackend::Pass> CpuBackend::differentiate_pass(const DifferentiateArgs& args,
                                                                 DifferentiateResult& out) {
  return std::make_unique<Differentiate>(*this, args, out);
}

}  // namespace infcl::cpu
