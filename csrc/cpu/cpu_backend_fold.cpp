// The forward lap: each cell's logits are made, folded into row and column sums while they are in cache, and
// forgotten (or kept, where the workspace allows).
#include <algorithm>
#include <vector>

#include "cpu/cpu_backend.h"

namespace infcl {

class CpuBackend::Fold {
 public:
  Fold(CpuBackend& backend, const FoldArgs& args)
      : b_(backend),
        a_(args),
        s_(*backend.schedule_),
        gate_(s_.column_blocks()),
        sums_(static_cast<size_t>(backend.layout_.threads), Sums(backend.kernels_->cell)) {}

  void work(int t) {
    for (int64_t i = t; i < s_.row_blocks(); i += b_.layout_.threads) {
      b_.kernels_->pack_transposed(b_.problem_.queries, s_.rows(i), b_.memory_[t].transposed);
      for (int64_t j = 0; j < s_.column_blocks(); ++j)
        if (!cell(t, i, j, sums_[t])) return gate_.stop();
    }
  }

 private:
  struct Sums {
    explicit Sums(const CellShape& c)
        : row_shift(c.rows),
          row_sum(c.rows),
          row_max(c.rows),
          column_shift(c.columns),
          column_sum(c.columns) {}
    std::vector<float> row_shift, row_sum, row_max, column_shift, column_sum;
  };

  bool cell(int t, int64_t i, int64_t j, Sums& sums) {
    const CellOperands c = b_.operands(t, i, j);
    float* kept = b_.kept_logits(i, j);
    float* x = kept ? kept : b_.memory_[t].cell;
    if (!b_.in_slices(c.columns, b_.kernels_->strip, 2 * c.rows * c.dim,
                      [&](Range keys) { b_.kernels_->logits(c, keys, x); }))
      return false;
    read_positives(s_.rows(i), s_.columns(j), x);
    b_.kernels_->fold(c, x, b_.scale_,
                      {sums.row_shift.data(), sums.row_sum.data(), sums.row_max.data(),
                       sums.column_shift.data(), a_.columns ? sums.column_sum.data() : nullptr});
    const int64_t row0 = s_.rows(i).begin, column0 = s_.columns(j).begin;
    for (int64_t r = 0; r < c.rows; ++r) {
      if (a_.rows) a_.rows->fold(row0 + r, sums.row_sum[r], sums.row_shift[r]);
      a_.row_max_dots[row0 + r] = std::max(a_.row_max_dots[row0 + r], sums.row_max[r]);
    }
    if (a_.columns) {
      if (!gate_.enter(j, i)) return false;
      for (int64_t q = 0; q < c.columns; ++q)
        a_.columns->fold(column0 + q, sums.column_sum[q], sums.column_shift[q]);
      gate_.leave(j, i);
    }
    b_.problem_.control.advance();
    return true;
  }

  // The positive logit comes from the same product as the sums, so a row's loss is never negative.
  void read_positives(Range rows, Range columns, const float* x) {
    for (int64_t r = rows.begin; r < rows.end; ++r) {
      const int64_t key = a_.positives.of(r) - a_.key_offset;
      if (columns.contains(key))
        a_.positive_dots[r] = x[(key - columns.begin) * b_.kernels_->cell.rows + r - rows.begin];
    }
  }

  CpuBackend& b_;
  const FoldArgs& a_;
  const Schedule& s_;
  ColumnGate gate_;
  std::vector<Sums> sums_;  // of each thread: workers must not allocate
};

void CpuBackend::fold(const FoldArgs& args) {
  problem_.control.begin(Phase::kForward, schedule_->cells());
  Fold lap(*this, args);
  pool_.run(layout_.threads, [&](int t) { lap.work(t); });
  throw_if_stopped();
  stats_.tiles += schedule_->cells();
  stats_.flops += 2. * problem_.queries.rows * keys_.rows * problem_.queries.dim;
}

}  // namespace infcl
