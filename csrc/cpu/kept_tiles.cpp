#include "cpu/kept_tiles.h"

#include <cmath>

namespace infcl {

namespace {

// How many of [0, count) come before the first that is not `large_enough`, which none after that one is.
template <class F>
int64_t count_first(int64_t count, F large_enough) {
  int64_t known = 0, end = count;
  while (known < end) {
    const int64_t middle = known + (end - known) / 2;
    if (large_enough(middle))
      known = middle + 1;
    else
      end = middle;
  }
  return known;
}

}  // namespace

// Row blocks are whole panels and column blocks whole strips, but for the last of each: so the blocks that
// are large enough come first.
KeptCells::KeptCells(const std::vector<Schedule>& passes, const Lender& lender, int64_t panel,
                     int64_t strip) {
  const Schedule& s = passes[0];
  if (s.triangle()) return;  // rows get gradients as columns too
  const auto room_for_cell = [&](Range lent, int64_t rows_lent, int64_t i, int64_t j) {
    const int64_t rows = std::max<int64_t>(0, std::min(lent.end, rows_lent) - lent.begin);
    return rows * lender.dim >= round_up(s.rows(i).size(), panel) * round_up(s.columns(j).size(), strip);
  };
  row_blocks_ =
      count_first(s.row_blocks(), [&](int64_t i) { return room_for_cell(s.rows(i), lender.d_rows, i, 0); });
  column_blocks_ = count_first(
      s.column_blocks(), [&](int64_t j) { return room_for_cell(s.columns(j), lender.d_columns, 0, j); });
}

namespace {

// Some columns of cells, without their first row blocks.
struct CellSpan {
  int64_t first_row_block, column_begin, column_end;
};

// Pairs in the first `cells` of a span, by columns first; takes the cells off `cells`.
double take_pairs(const Schedule& s, const CellSpan& span, int64_t& cells) {
  const int64_t per_column = s.row_blocks() - span.first_row_block;
  if (per_column == 0 || span.column_begin >= span.column_end) return 0;
  const auto rows_up_to = [&](int64_t block) {
    return static_cast<double>(s.row_cut(block) - s.row_cut(span.first_row_block));
  };
  const int64_t full_end = std::min(span.column_end, span.column_begin + cells / per_column);
  cells -= (full_end - span.column_begin) * per_column;
  double pairs = rows_up_to(s.row_blocks()) *
                 static_cast<double>(s.column_cut(full_end) - s.column_cut(span.column_begin));
  if (full_end == span.column_end || cells == 0) return pairs;
  pairs += rows_up_to(span.first_row_block + cells) * static_cast<double>(s.columns(full_end).size());
  cells = 0;
  return pairs;
}

// The same of a whole triangle.
double take_triangle_pairs(const Schedule& s, int64_t& cells) {
  if (cells >= s.cells()) {
    cells -= s.cells();
    return s.pairs(s.column_blocks());
  }
  int64_t full = static_cast<int64_t>((std::sqrt(8. * static_cast<double>(cells) + 1) - 1) / 2);
  while (full * (full + 1) / 2 > cells) --full;  // what rounding may have done
  while ((full + 1) * (full + 2) / 2 <= cells) ++full;
  const int64_t rest = cells - full * (full + 1) / 2;
  cells = 0;
  return s.pairs(full) + static_cast<double>(s.row_cut(rest)) * static_cast<double>(s.columns(full).size());
}

}  // namespace

double KeptCells::pairs(const std::vector<Schedule>& passes) const {
  if (passes.empty()) return 0;
  const Schedule& s = passes[0];
  const int64_t first = first_column_block(), end = std::max(first, column_blocks_);
  double pairs = 0;
  if (row_blocks_ > 0)
    pairs += static_cast<double>(s.row_cut(row_blocks_)) * static_cast<double>(s.columns(0).size());
  if (end > first)
    pairs +=
        static_cast<double>(s.rows(0).size()) * static_cast<double>(s.column_cut(end) - s.column_cut(first));
  int64_t left = in_workspace_;
  for (const Schedule& pass : passes) {
    if (pass.triangle()) {
      pairs += take_triangle_pairs(pass, left);
    } else if (&pass == &s) {  // in whose first column and first row gradients hold cells
      pairs += take_pairs(pass, {row_blocks_, 0, first}, left);
      pairs += take_pairs(pass, {1, first, end}, left);
      pairs += take_pairs(pass, {0, end, pass.column_blocks()}, left);
    } else {
      pairs += take_pairs(pass, {0, 0, pass.column_blocks()}, left);
    }
  }
  return pairs;
}

int64_t KeptCells::workspace_slot(const std::vector<Schedule>& passes, const CellIndex& c) const {
  int64_t slot = passes[c.pass].index(c.row_block, c.column_block);
  for (int p = 0; p < c.pass; ++p) slot += passes[p].cells();
  if (c.pass > 0) {
    slot -= lent();
  } else {  // less the cells before it that lie in gradients
    slot -= c.column_block == 0 ? std::min(c.row_block, row_blocks_) : row_blocks_;
    const int64_t columns_before = c.column_block + (c.row_block > 0 ? 1 : 0);
    slot -= std::max<int64_t>(0, std::min(columns_before, column_blocks_) - first_column_block());
  }
  return slot < in_workspace_ ? slot : -1;
}

}  // namespace infcl
