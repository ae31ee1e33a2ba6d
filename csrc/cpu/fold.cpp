// The forward pass. The scores of a tile are made, edited, and folded into the sums of its rows and columns
// while they are in cache. Then they are forgotten, or kept where the workspace allows it.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "cpu/backend.h"
#include "cpu/teacher_tile.h"

namespace infcl::cpu {

class CpuBackend::Fold final : public Pass {
 public:
  Fold(CpuBackend& backend, FoldArgs& args) : b_(backend), a_(args), s_(backend.grid()), gates_(s_) {
    for (int t = 0; t < b_.plan_.threads; ++t) scratch_.emplace_back(b_.kernels_->tile, a_);
  }

  bool tile(int t, int64_t i, int64_t j) override {
    const TileOperands c = b_.operands(t, i, j);
    float* kept = b_.kept_scores(t, i, j);
    const Tile x = kept ? Tile{b_.place(i, j), kept, kept_stride(s_.rows(i), *b_.kernels_)}
                        : Tile{b_.place(i, j), b_.memory_[t].tile, b_.kernels_->tile.rows};
    Scratch& s = scratch_[t];
    if (!make_scores(t, i, c, x, s)) return false;
    const bool fold_columns = a_.columns && !x.diagonal;
    fold(c, x, s, fold_columns);
    // The backward pass expects in kept tiles the scores that it would make, and a teacher knows all pairs.
    if ((kept || teaches()) && a_.positives.labelled && !a_.positives.other_scale)
      for_each_positive(x, a_.positives, [&](int64_t row, int64_t column, int64_t at) {
        x.at(row, column) = a_.positive_dots[at];
      });
    if (teaches() && !fold_teacher(t, i, c, x, s)) return false;
    // In a triangle, a tile takes its turn at its columns even where nothing is folded.
    const bool passes_columns = fold_columns || (s_.triangle() && !x.diagonal);
    TileTurns turns;
    turns.begin(i, j, 1, passes_columns ? 1 : 0);
    if (!b_.in_turns(turns, gates_, [&](const Piece& piece) {
          if (piece.of_rows) {
            merge_rows(x.rows, s);
          } else if (fold_columns) {
            merge_columns(x.columns, s);
          }
          return true;
        }))
      return false;
    b_.problem_.control.advance();
    return true;
  }

  void finish() override {
    a_.masked_pairs = 0;
    for (const Scratch& s : scratch_) a_.masked_pairs += s.masked_pairs;
    b_.count_tiles();
  }

 private:
  // Memory of one thread: workers must not allocate.
  struct Scratch {
    Scratch(const TileShape& c, const FoldArgs& a)
        : row_shift(c.rows),
          row_sum(c.rows),
          row_max(c.rows),
          column_shift(c.columns),
          column_sum(c.columns),
          pairs(c.columns),
          teacher(c, a.teacher) {
      const Normaliser* any = a.rows ? a.rows : a.columns;
      if (any && !any->dot_sums.empty())
        dots = {Doubles(c.rows), Doubles(c.columns), Counts(c.rows), Counts(c.columns)};
      if (a.positives.row_classes)
        classes = {Doubles(c.rows), Doubles(c.columns), std::vector<float>(c.rows)};
    }
    using Doubles = std::vector<double>;
    using Counts = std::vector<int64_t>;

    std::vector<float> row_shift, row_sum, row_max, column_shift, column_sum;
    EqualPairs pairs;
    DotSums dots;
    ClassSums classes;
    TeacherTile teacher;
    int64_t masked_pairs = 0;
  };

  bool teaches() const { return a_.teacher.positive_dots != nullptr; }

  // The teacher's sums over the tile, whose scores `x` have positives and masked pairs. False: stopped.
  bool fold_teacher(int t, int64_t tile_row, const TileOperands& c, const Tile& x, Scratch& s) {
    if (!b_.make_teacher_scores(t, tile_row, c, x, a_.mask.any() ? x.data : nullptr, x.stride)) return false;
    const Tile y = b_.auxiliary_tile(t, x, 1);
    for_each_positive(x, a_.positives, [&](int64_t row, int64_t column, int64_t /*at*/) {
      a_.teacher.positive_dots[row] = y.at(row, column);
      y.at(row, column) = kMaskedDot;
    });
    s.teacher.fold(*b_.kernels_, c, x, y, b_.teacher_scale_, b_.auxiliary_tile(t, x, 0).data);
    return true;
  }

  // Scores without positives and masked pairs, and the maxima of their rows. False: stopped.
  bool make_scores(int t, int64_t tile_row, const TileOperands& c, const Tile& x, Scratch& s) {
    const bool masked = x.diagonal || a_.mask.any();
    // Scores that are edited out must not count among the maxima.
    const bool edited = masked || has_positive(x, a_.positives);
    float* row_max = s.row_max.data();
    std::fill(row_max, row_max + c.rows, -HUGE_VALF);
    if (!b_.make_scores(c, x, edited ? nullptr : row_max)) return false;
    // The positive logit comes from the same product as the sums, so a row's loss is never negative.
    if (a_.positives.labelled)
      for_each_positive(x, a_.positives, [&](int64_t row, int64_t column, int64_t at) {
        a_.positive_dots[at] = x.at(row, column);
        x.at(row, column) = kMaskedDot;
      });
    if (masked) s.masked_pairs += mask_pairs(x, a_.mask, s.pairs);
    if (!b_.mask_by_guide(t, tile_row, c, x, a_.mask, &s.masked_pairs)) return false;
    if (!s.dots.row_sums.empty()) sum_dots(x, s.dots);
    if (!s.classes.row_sums.empty()) sum_class_positives(x, a_.positives, s.pairs, s.classes);
    if (edited) b_.kernels_->row_maxima(c, x.data, x.stride, row_max);
    return true;
  }

  void fold(const TileOperands& c, const Tile& x, Scratch& s, bool fold_columns) const {
    if (b_.problem_.sigmoid) {
      b_.kernels_->fold_sigmoid(c, x.data, x.stride, b_.scale_, b_.bias_, s.row_sum.data());
    } else {
      b_.kernels_->fold(c, x.data, x.stride, b_.scale_, s.row_max.data(),
                        {s.row_shift.data(), s.row_sum.data(), s.column_shift.data(),
                         fold_columns ? s.column_sum.data() : nullptr});
    }
  }

  void merge_rows(Range rows, const Scratch& s) {
    for (int64_t r = 0; r < rows.size(); ++r) {
      const int64_t i = rows.begin + r;
      if (b_.problem_.sigmoid) a_.softplus_sums[i] += s.row_sum[r];
      if (a_.row_max_dots) a_.row_max_dots[i] = std::max(a_.row_max_dots[i], s.row_max[r]);
      if (a_.positive_max_dots)
        a_.positive_max_dots[i] = std::max(a_.positive_max_dots[i], s.classes.row_max[r]);
    }
    if (a_.teacher.rows) s.teacher.merge_rows(rows, *a_.teacher.rows);
    if (a_.rows)
      merge(*a_.rows, rows, s.row_sum, s.row_shift, s.dots.row_sums, s.dots.row_counts, s.classes.row_sums);
  }

  void merge_columns(Range columns, const Scratch& s) {
    merge(*a_.columns, columns, s.column_sum, s.column_shift, s.dots.column_sums, s.dots.column_counts,
          s.classes.column_sums);
    if (a_.teacher.columns) s.teacher.merge_columns(columns, *a_.teacher.columns);
  }

  static void merge(Normaliser& n, Range range, const std::vector<float>& sums,
                    const std::vector<float>& shifts, const std::vector<double>& dots,
                    const std::vector<int64_t>& counts, const std::vector<double>& positives) {
    for (int64_t r = 0; r < range.size(); ++r) {
      const int64_t i = range.begin + r;
      n.lse.fold(i, sums[r], shifts[r]);
      if (!dots.empty()) {
        n.dot_sums[i] += dots[r];
        n.counts[i] += counts[r];
      }
      if (!positives.empty()) n.positive_dot_sums[i] += positives[r];
    }
  }

  CpuBackend& b_;
  FoldArgs& a_;
  const Grid& s_;
  GridGates gates_;
  std::vector<Scratch> scratch_;
};

std::unique_ptr<CpuBackend::Pass> CpuBackend::fold_pass(FoldArgs& args) {
  return std::make_unique<Fold>(*this, args);
}

}  // namespace infcl::cpu
