// The backward lap: each cell's logits are made again (or taken from those kept), turned into G, and G feeds
// both gradient products while it is in L2.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/cpu_backend.h"

namespace infcl {

class CpuBackend::Differentiate {
 public:
  Differentiate(CpuBackend& backend, const DifferentiateArgs& args)
      : b_(backend),
        a_(args),
        s_(*backend.schedule_),
        gate_(s_.column_blocks()),
        row_totals_(static_cast<size_t>(s_.row_blocks())),
        factors_(static_cast<size_t>(backend.layout_.threads), Factors(backend.kernels_->cell)) {}

  void work(int t) {
    for (int64_t i = t; i < s_.row_blocks(); i += b_.layout_.threads) {
      const Range rows = s_.rows(i);
      b_.kernels_->pack_transposed(b_.problem_.queries, rows, b_.memory_[t].transposed);
      if (a_.d_keys)
        b_.kernels_->pack_panels(b_.problem_.queries, rows, b_.memory_[t].query_panels, rows.size());
      for (int64_t j = 0; j < s_.column_blocks(); ++j)
        if (!cell(t, i, j, factors_[t])) return gate_.stop();
    }
  }

  double total() const {
    double sum = 0;
    for (double t : row_totals_) sum += t;
    return sum;
  }

  // Of the products executed.
  double flops() const {
    double pairs = 0;
    for (int64_t i = 0; i < s_.row_blocks(); ++i)
      for (int64_t j = 0; j < s_.column_blocks(); ++j) {
        const double rows = static_cast<double>(s_.rows(i).size());
        const Range columns = s_.columns(j);
        if (!b_.kept_logits(i, j)) pairs += rows * columns.size();
        if (a_.d_queries) pairs += rows * columns.size();
        pairs += rows * std::max<int64_t>(0, std::min(columns.end, a_.d_key_rows) - columns.begin);
      }
    return 2 * pairs * b_.problem_.queries.dim;
  }

 private:
  struct Factors {
    explicit Factors(const CellShape& c)
        : row(c.rows), row_shift(c.rows), column(c.columns), column_shift(c.columns) {}
    std::vector<float> row, row_shift, column, column_shift;
  };

  bool cell(int t, int64_t i, int64_t j, Factors& f) {
    const CellOperands c = b_.operands(t, i, j);
    const Range rows = s_.rows(i), columns = s_.columns(j);
    const LogitGradArgs grad = factors(rows, columns, b_.kept_logits(i, j), f);
    float* g = b_.memory_[t].cell;
    if (!b_.in_slices(c.columns, b_.kernels_->strip, 2 * c.rows * c.dim, [&](Range keys) {
          row_totals_[i] += b_.kernels_->logit_grad(c, keys, b_.scale_, grad, g);
        }))
      return false;
    subtract_positives(i, rows, columns, g);
    if (a_.d_queries && !accumulate_queries(c, rows, j, g)) return false;
    if (columns.begin < a_.d_key_rows && !accumulate_keys(c, i, j, g)) return false;
    b_.problem_.control.advance();
    return true;
  }

  bool accumulate_queries(const CellOperands& c, Range rows, int64_t j, const float* g) {
    float* out = a_.d_queries + rows.begin * c.dim;
    const bool overwrite = a_.first_shard && j == 0;
    return b_.in_slices(c.dim, b_.kernels_->panel, 2 * c.rows * c.columns, [&](Range features) {
      b_.kernels_->accumulate_queries(c, features, g, overwrite, out);
    });
  }

  bool accumulate_keys(CellOperands c, int64_t i, int64_t j, const float* g) {
    const Range columns = s_.columns(j);
    c.columns = std::min(columns.end, a_.d_key_rows) - columns.begin;
    float* out = a_.d_keys + columns.begin * c.dim;
    if (!gate_.enter(j, i)) return false;
    const bool whole = b_.in_slices(c.dim, b_.kernels_->panel, 2 * c.rows * c.columns, [&](Range features) {
      b_.kernels_->accumulate_keys(c, features, g, i == 0, out);
    });
    if (whole) gate_.leave(j, i);
    return whole;
  }

  // One exponential per element when all normalisers of the cell are within 2^100 of each other: then both
  // terms are 2^(x - c) (alpha_i 2^(c - a_i) + beta_j 2^(c - b_j)) with a shift c in their middle.
  LogitGradArgs factors(Range rows, Range columns, const float* kept, Factors& f) const {
    float low = HUGE_VALF, high = -HUGE_VALF;
    const auto widen = [&](const LseVector* lse, Range range) {
      if (lse)
        for (int64_t i = range.begin; i < range.end; ++i) {
          low = std::min(low, lse->shift(i));
          high = std::max(high, lse->shift(i));
        }
    };
    widen(a_.rows, rows);
    widen(a_.columns, columns);
    LogitGradArgs out{};
    out.one_exp = high - low < 100;
    out.shift = std::floor((low + high) / 2);
    const auto fill = [&](const LseVector* lse, Range range, double factor, std::vector<float>& factors,
                          std::vector<float>& shifts) {
      std::fill(factors.begin(), factors.end(), 0.f);
      std::fill(shifts.begin(), shifts.end(), 0.f);
      if (!lse) return;
      for (int64_t i = range.begin; i < range.end; ++i) {
        const int rescale = out.one_exp ? static_cast<int>(out.shift - lse->shift(i)) : 0;
        factors[i - range.begin] = static_cast<float>(std::ldexp(factor / lse->sum(i), rescale));
        shifts[i - range.begin] = lse->shift(i);
      }
    };
    fill(a_.rows, rows, a_.row_factor, f.row, f.row_shift);
    fill(a_.columns, columns, a_.column_factor, f.column, f.column_shift);
    out.row_factor = f.row.data();
    out.row_shift = f.row_shift.data();
    out.column_factor = f.column.data();
    out.column_shift = f.column_shift.data();
    out.kept = kept;
    return out;
  }

  void subtract_positives(int64_t i, Range rows, Range columns, float* g) {
    const float positive = static_cast<float>(a_.positive_factor);
    for (int64_t r = rows.begin; r < rows.end; ++r) {
      const int64_t key = a_.positives.of(r) - a_.key_offset;
      if (!columns.contains(key)) continue;
      g[(key - columns.begin) * b_.kernels_->cell.rows + r - rows.begin] -= positive;
      row_totals_[i] -= a_.positive_factor * a_.positive_dots[r];
    }
  }

  CpuBackend& b_;
  const DifferentiateArgs& a_;
  const Schedule& s_;
  ColumnGate gate_;
  std::vector<double> row_totals_;
  std::vector<Factors> factors_;  // of each thread
};

double CpuBackend::differentiate(const DifferentiateArgs& args) {
  const int64_t dim = problem_.queries.dim;
  problem_.control.begin(Phase::kBackward, schedule_->cells());
  const auto advise = [dim](float* out, int64_t rows) {
    if (out) advise_huge_pages(out, static_cast<size_t>(rows * dim) * sizeof(float));
  };
  advise(args.d_queries, problem_.queries.rows);
  advise(args.d_keys, args.d_key_rows);
  Differentiate lap(*this, args);
  pool_.run(layout_.threads, [&](int t) { lap.work(t); });
  throw_if_stopped();

  stats_.tiles_reused += layout_.kept_cells;
  stats_.flops += lap.flops();
  return lap.total();
}

}  // namespace infcl
